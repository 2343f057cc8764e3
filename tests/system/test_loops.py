"""The background threads of a real worker process: a bad round, and a thread that ended."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.system.shop import CONTRACT, Shop
from worker.rabbit.message.reading import read

Eventually = Callable[..., Any]
ROOT = CONTRACT.parents[2]
ORDER = (CONTRACT / "valid" / "one_line_card.json").read_bytes()
#: Read by the interpreter at its start: the first count of the fleet after a file is there raises.
SABOTAGE = """\
from pathlib import Path
from worker.rabbit.fleet import Fleet

count, counted = Fleet.count, []

def fail_once(self):
    if not counted and Path("{trigger}").exists():
        counted.append(1)
        raise {error}
    count(self)

Fleet.count = fail_once
"""


def sabotaged(shop: Callable[..., Shop], folder: Path, monkeypatch: pytest.MonkeyPatch, error: str) -> Shop:
    """A worker of a single process."""
    (folder / "sitecustomize.py").write_text(SABOTAGE.format(error=error, trigger=folder / "fail"))
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join((str(folder), str(ROOT))))
    return shop(FISCAL_PROCESSES="1")


def test_a_count_that_raises_does_not_end_the_counting(
    shop: Callable[..., Shop], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A lone process sells nothing until it has counted: the next round does, and the fault is told."""
    (tmp_path / "fail").touch()
    running = sabotaged(shop, tmp_path, monkeypatch, "RuntimeError('x')")
    running.publish(ORDER)
    assert running.outcome(read(ORDER).id)["routing_key"] == "fiscalization.succeeded"
    [told] = [line for line in running.worker.lines() if line["event"] == "background_round_failed"]
    assert (told["kind"], told["severity_text"], told["error.type"]) == ("fleet", "ERROR", "RuntimeError")
    assert running.worker.page("/readyz")[0] == 200


def test_a_thread_that_ended_stops_the_heartbeat_and_is_told(
    shop: Callable[..., Shop], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, eventually: Eventually
) -> None:
    """The page says which one; the probe of life follows when the process was silent for long enough."""
    running = sabotaged(shop, tmp_path, monkeypatch, "SystemExit")
    worker = running.worker
    (tmp_path / "fail").touch()
    eventually(lambda: worker.page("/readyz")[0] == 503)
    assert "process 0: ended or stands still: fleet" in worker.page("/readyz")[1]
    last = heartbeat(worker.page("/metrics")[1])
    two_beats_later = time.monotonic() + 2
    eventually(lambda: time.monotonic() > two_beats_later)
    assert heartbeat(worker.page("/metrics")[1]) == last


def heartbeat(metrics: str) -> str:
    found = re.search(r"^fiscal_heartbeat_timestamp_seconds{.*} (.*)$", metrics, re.MULTILINE)
    assert found is not None
    return found[1]
