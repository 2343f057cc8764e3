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
ROOT = CONTRACT.parents[1]
ORDER = (CONTRACT / "valid" / "one_line_card.json").read_bytes()
#: Read by the interpreter at its start: the first such step after a file is there raises.
SABOTAGE = """\
from pathlib import Path
from worker.{module} import {kind}

step, failed = {kind}.{method}, []

def fail_once(self, *arguments):
    if not failed and Path("{trigger}").exists():
        failed.append(1)
        raise {error}
    step(self, *arguments)

{kind}.{method} = fail_once
"""
COUNT = {"module": "rabbit.fleet", "kind": "Fleet", "method": "count"}
WRITE = {"module": "telemetry.log_writer", "kind": "LogWriter", "method": "_put"}


def sabotaged(
    shop: Callable[..., Shop], folder: Path, monkeypatch: pytest.MonkeyPatch, error: str, step: dict[str, str]
) -> Shop:
    """A worker of a single process."""
    (folder / "sitecustomize.py").write_text(SABOTAGE.format(error=error, trigger=folder / "fail", **step))
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join((str(folder), str(ROOT))))
    return shop(FISCAL_PROCESSES="1")


def test_a_count_that_raises_does_not_end_the_counting(
    shop: Callable[..., Shop], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A lone process sells nothing until it has counted: the next round does, and the fault is told."""
    (tmp_path / "fail").touch()
    running = sabotaged(shop, tmp_path, monkeypatch, "RuntimeError('x')", COUNT)
    running.publish(ORDER)
    assert running.outcome(read(ORDER).id)["routing_key"] == "fiscalization.succeeded"
    [told] = [line for line in running.worker.lines() if line["event"] == "background_round_failed"]
    assert (told["kind"], told["severity_text"], told["error.type"]) == ("fleet", "ERROR", "RuntimeError")
    assert running.worker.page("/readyz")[0] == 200


def test_a_thread_that_ended_stops_the_heartbeat_and_is_told(
    shop: Callable[..., Shop], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, eventually: Eventually
) -> None:
    """The page says which one; the probe of life follows when the process was silent for long enough."""
    running = sabotaged(shop, tmp_path, monkeypatch, "SystemExit", COUNT)
    worker = running.worker
    (tmp_path / "fail").touch()
    eventually(lambda: worker.page("/readyz")[0] == 503)
    assert "process 0: ended or stands still: fleet" in worker.page("/readyz")[1]
    last = heartbeat(worker.page("/metrics")[1])
    two_beats_later = time.monotonic() + 2
    eventually(lambda: time.monotonic() > two_beats_later)
    assert heartbeat(worker.page("/metrics")[1]) == last


def test_the_end_of_the_thread_that_writes_the_log_is_seen(
    shop: Callable[..., Shop], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, eventually: Eventually
) -> None:
    """Its last line is that of an order; the next line starts another thread, and the heartbeat goes on."""
    running = sabotaged(shop, tmp_path, monkeypatch, "SystemExit", WRITE)
    worker = running.worker
    (tmp_path / "fail").touch()
    running.publish(ORDER)
    eventually(lambda: "process 0: ended or stands still: log" in worker.page("/readyz")[1])
    running.publish(ORDER)
    eventually(lambda: worker.page("/readyz")[0] == 200)


def heartbeat(metrics: str) -> str:
    found = re.search(r"^fiscal_heartbeat_timestamp_seconds{.*} (.*)$", metrics, re.MULTILINE)
    assert found is not None
    return found[1]
