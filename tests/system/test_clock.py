"""The machine's clock is set while a worker runs: its processes see it by libfaketime, the test does not."""

from __future__ import annotations

import json
import os
import signal
import time
from collections.abc import Callable
from datetime import datetime
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from tests.builders import a_body
from tests.chaos.havoc import children_of
from tests.system.shop import Shop
from worker.demo.worker_process import WorkerProcess

[*FAKETIME] = Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1")


@pytest.mark.parametrize("offset", ["-3600", "+3600"], ids=["an hour back", "an hour on"])
def test_a_clock_that_is_set_holds_no_order_up_and_hurries_none(
    shop: Callable[..., Shop], tmp_path: Path, offset: str
) -> None:
    """A process holds the order until its next attempt, for as long as it would have."""
    clock = tmp_path / "clock"
    running = started(shop, clock)
    request, due = held_while_set_aside(running, clock, offset)
    assert running.outcome(request)["routing_key"] == "fiscalization.succeeded"
    *_, sold = running.sandbox.ledger()
    assert datetime.fromisoformat(sold["created_at"]) >= due
    # The worker saw that the clock was set.
    running.until(lambda: abs(seconds(running.worker.lines()[-1]) - time.time()) > 3000)


def test_an_order_that_was_due_by_another_clock_waits_no_longer(
    shop: Callable[..., Shop], tmp_path: Path
) -> None:
    """The clock is set back, and another process gets the order with the time that the first one gave it."""
    clock = tmp_path / "clock"
    running = started(shop, clock)
    request, _ = held_while_set_aside(running, clock, "-3600")
    [_, process] = children_of(running.worker.process.pid)
    os.kill(process, signal.SIGKILL)
    assert running.outcome(request)["routing_key"] == "fiscalization.succeeded"


def started(shop: Callable[..., Shop], clock: Path) -> Shop:
    """A worker of one process that reads this clock.

    libfaketime has a lock that a fork may copy while another thread holds it: the child waits for ever.
    Such a worker does not come to consume, and is started anew.
    """
    clock.write_text("+0")
    running = shop(
        wait=False,
        LD_PRELOAD=str(FAKETIME[0]),
        FAKETIME_TIMESTAMP_FILE=str(clock),
        FAKETIME_NO_CACHE="1",
        FAKETIME_DONT_FAKE_MONOTONIC="1",
        FISCAL_PROCESSES="1",
        FISCAL_RETRY_MIN_BACKOFF="PT4S",
        FISCAL_RETRY_MAX_BACKOFF="PT5S",
    )
    while not consumes(running.worker):
        running.worker.kill()
        running.worker.start(wait=False)
    return running


def consumes(worker: WorkerProcess) -> bool:
    try:
        worker.wait_until_ready(45)
    except RuntimeError:
        return False
    return True


def held_while_set_aside(running: Shop, clock: Path, offset: str) -> tuple[str, datetime]:
    """The id of a request that the process held when the clock was set, and until when.

    On a busy machine an order may be sold before it is seen to be held: then the next one is.
    """
    for number in count():
        request, due = refused_once(running, number)
        set_aside(clock, offset)
        if due is not None and len(running.sandbox.ledger()) == number:
            return request, datetime.fromisoformat(due)
        set_aside(clock, "+0")
    raise AssertionError


def refused_once(running: Shop, number: int) -> tuple[str, str | None]:
    """The id of a request whose first attempt failed, and until when the process holds it."""
    order = f"00000000-0000-4000-8000-{number:012}"
    body = a_body(id=f"request-{number}", subject=order, data__order__uuid=order)
    running.sandbox.fault("html_503", count=1, endpoint="POST /receipts/sell")
    running.publish(body)

    def is_over_or_held() -> list[str | None]:
        status, text = running.worker.page(f"/orders/{order}")
        rows = json.loads(text)["waiting"] if status == 200 else []
        held: list[str | None] = [row["due"] for row in rows if row["attempts"] > 1]
        return held or ([None] if len(running.sandbox.ledger()) > number else [])

    [due] = running.until(is_over_or_held)
    return f"request-{number}", due


def set_aside(clock: Path, offset: str) -> None:
    """In one step, so that no process reads half of it."""
    fresh = clock.with_suffix(".new")
    fresh.write_text(offset)
    fresh.replace(clock)


def seconds(line: dict[str, Any]) -> float:
    return datetime.fromisoformat(line["timestamp"]).timestamp()
