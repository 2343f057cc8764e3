"""The machine's clock is set while a worker runs: its processes see it by libfaketime, the test does not."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from tests.system.shop import CONTRACT, Shop

ORDER = (CONTRACT / "valid" / "one_line_card.json").read_bytes()
[*FAKETIME] = Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1")


@pytest.mark.parametrize("offset", ["-3600", "+3600"], ids=["an hour back", "an hour on"])
def test_a_clock_that_is_set_holds_no_order_up(
    shop: Callable[..., Shop], tmp_path: Path, offset: str
) -> None:
    """The order waits for its next attempt meanwhile, and its end comes as soon as it would have."""
    clock = tmp_path / "clock"
    clock.write_text("+0")
    running = shop(
        LD_PRELOAD=str(FAKETIME[0]),
        FAKETIME_TIMESTAMP_FILE=str(clock),
        FAKETIME_NO_CACHE="1",
        FAKETIME_DONT_FAKE_MONOTONIC="1",
        FISCAL_RETRY_MIN_BACKOFF="PT4S",
        FISCAL_RETRY_MAX_BACKOFF="PT5S",
    )
    request = json.loads(ORDER)["id"]
    running.sandbox.fault("html_503", count=1, endpoint="POST /receipts/sell")
    running.publish(ORDER)
    running.until(lambda: running.events_of(request, "delayed"))
    set_aside(clock, offset)
    began = time.monotonic()
    assert running.outcome(request)["routing_key"] == "fiscalization.succeeded"
    assert time.monotonic() - began < 15
    [sold] = running.sandbox.ledger()
    assert sold
    # The worker saw that the clock was set.
    running.until(lambda: abs(seconds(running.worker.lines()[-1]) - time.time()) > 3000)


def set_aside(clock: Path, offset: str) -> None:
    """In one step, so that no process reads half of it."""
    fresh = clock.with_suffix(".new")
    fresh.write_text(offset)
    fresh.replace(clock)


def seconds(line: dict[str, Any]) -> float:
    return datetime.fromisoformat(line["timestamp"]).timestamp()
