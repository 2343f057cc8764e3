"""A background thread survives a bad round, and one that ended or stands still stops the heartbeat."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from structlog.testing import CapturingLogger

from worker.telemetry import supervised
from worker.telemetry.supervised import SupervisedLoop

Eventually = Callable[..., Any]


@pytest.fixture
def logged(monkeypatch: pytest.MonkeyPatch) -> CapturingLogger:
    capturing = CapturingLogger()
    monkeypatch.setattr(supervised, "_log", capturing)
    return capturing


@pytest.fixture
def stop() -> Iterator[threading.Event]:
    stop = threading.Event()
    yield stop
    stop.set()


class Rounds:
    """Work that raises what it is given, in turn, and counts."""

    def __init__(self, *errors: Exception) -> None:
        self._errors = list(errors)
        self.done = 0

    def __call__(self, _: Callable[[], None]) -> None:
        self.done += 1
        if self._errors:
            raise self._errors.pop(0)


def test_a_bad_round_is_survived_and_told_once_for_each_kind(
    stop: threading.Event, eventually: Eventually, logged: CapturingLogger
) -> None:
    """Whatever is raised: the next round follows."""
    rounds = Rounds(RuntimeError("a"), RuntimeError("b"), AssertionError(), RuntimeError("c"))
    loop = SupervisedLoop("fleet", rounds, stop, pause=lambda: 0.0)
    loop.start()
    eventually(lambda: rounds.done > 5)
    assert not loop.stands
    assert [(call.method_name, *call.args, call.kwargs["kind"]) for call in logged.calls] == [
        ("error", "background_round_failed", "fleet")
    ] * 2
    assert [type(call.kwargs["exc_info"]) for call in logged.calls] == [RuntimeError, AssertionError]


def test_an_error_is_told_again_after_an_hour(stop: threading.Event, logged: CapturingLogger) -> None:
    """Not each second, and not never."""
    now = [0.0]

    def fail(_: Callable[[], None]) -> None:
        now[0] += 1800.0
        if now[0] > 5 * 1800:
            stop.set()
        raise RuntimeError

    loop = SupervisedLoop("fleet", fail, stop, pause=lambda: 0.0, monotonic=lambda: now[0])
    loop.start()
    loop.join(10)
    assert len(logged.calls) == 3


def test_one_that_stands_still_is_seen_and_one_that_makes_progress_is_not(
    stop: threading.Event, eventually: Eventually
) -> None:
    """The bound is for each part of a round; the pause between two rounds does not count."""
    now, begun, go_on = [0.0], threading.Event(), threading.Event()

    def work(progress: Callable[[], None]) -> None:
        begun.set()
        go_on.wait(10)
        progress()
        go_on.clear()
        begun.set()
        go_on.wait(10)

    loop = SupervisedLoop("slow", work, stop, pause=lambda: 300.0, longest=10.0, monotonic=lambda: now[0])
    loop.start()
    assert begun.wait(10)
    now[0] = 9.0
    assert not loop.stands
    begun.clear()
    go_on.set()
    assert begun.wait(10)
    now[0] = 18.0
    assert not loop.stands
    now[0] = 20.0
    assert loop.stands
    go_on.set()
    eventually(lambda: not loop.stands)
    now[0] = 320.0
    assert not loop.stands


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_one_whose_thread_ended_is_seen(stop: threading.Event, eventually: Eventually) -> None:
    """Nothing is left to do its rounds; what ends a thread on purpose is no error to survive."""

    def work(_: Callable[[], None]) -> None:
        raise SystemExit

    loop = SupervisedLoop("gone", work, stop, pause=lambda: 0.0)
    loop.start()
    eventually(lambda: not loop.is_alive)
    assert loop.stands
