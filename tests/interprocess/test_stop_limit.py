"""The stop limit: counts in a row over all processes, and survives the death of one that counts."""

from __future__ import annotations

import multiprocessing
import os
import signal
import time
from collections.abc import Callable

import pytest

from worker.fiscal.outcomes import Code
from worker.interprocess import stop_limit as subject
from worker.interprocess.stop_limit import StopLimit

fork = multiprocessing.get_context("fork")
BROKEN, REFUSED = Code.INTERNAL_ERROR, Code.CASHIER_CREDENTIALS_REJECTED


@pytest.fixture
def stop_limit() -> StopLimit:
    return StopLimit(limit=4)


def run(work: Callable[[], object]) -> None:
    """Run in a process that was forked after the stop limit was made, as the worker processes are."""
    process = fork.Process(target=work)
    process.start()
    process.join(20)
    assert process.exitcode == 0


def test_faults_in_a_row_engage_it_for_ten_minutes(stop_limit: StopLimit) -> None:
    """The last one is told; after that the count starts anew."""
    assert [stop_limit.note(BROKEN, "a/b") for _ in range(4)] == [False, False, False, True]
    assert stop_limit.is_engaged
    assert 599 < stop_limit.seconds_left <= 600
    assert abs(stop_limit.released_at - time.time() - 600) < 2
    assert [stop_limit.note(BROKEN, "a/b") for _ in range(4)] == [False, False, False, True]


@pytest.mark.parametrize(
    "between", [None, Code.INVALID_MESSAGE, Code.CHECKBOX_UNAVAILABLE, Code.ORDER_ARCHIVED]
)
def test_anything_else_ends_the_row(stop_limit: StopLimit, between: Code | None) -> None:
    """A success, or a failure that is not ours, shows that the worker works."""
    for _ in range(3):
        assert not stop_limit.note(BROKEN, "a/b")
    assert not stop_limit.note(between, "a/b")
    assert not any(stop_limit.note(BROKEN, "a/b") for _ in range(3))
    assert not stop_limit.is_engaged


def test_refused_credentials_count_once_for_each_cashier(stop_limit: StopLimit) -> None:
    """One cashier with a wrong password never stops the others; many at once are a fault of ours."""
    assert not any(stop_limit.note(REFUSED, "shop/olena") for _ in range(20))
    assert [stop_limit.note(REFUSED, f"shop/{n}") for n in range(3)] == [False, False, True]


def test_both_kinds_count_together(stop_limit: StopLimit) -> None:
    """In a row is in a row."""
    verdicts = [(BROKEN, "a/a"), (REFUSED, "a/a"), (BROKEN, "a/b"), (REFUSED, "a/b")]
    assert [stop_limit.note(*verdict) for verdict in verdicts] == [False, False, False, True]


def test_it_is_released_by_hand(stop_limit: StopLimit) -> None:
    """``resume``: at once, and the row starts anew."""
    for _ in range(4):
        stop_limit.note(BROKEN, "a/b")
    stop_limit.release()
    assert not stop_limit.is_engaged
    assert stop_limit.seconds_left == 0.0
    assert [stop_limit.note(BROKEN, "a/b") for _ in range(4)] == [False, False, False, True]


def test_it_is_released_by_itself(stop_limit: StopLimit, monkeypatch: pytest.MonkeyPatch) -> None:
    """When the pause is over the worker tries again."""
    monkeypatch.setattr(subject, "PAUSE", 0.05)
    for _ in range(4):
        stop_limit.note(BROKEN, "a/b")
    deadline = time.monotonic() + 5
    while stop_limit.is_engaged and time.monotonic() < deadline:
        pass
    assert not stop_limit.is_engaged


def test_processes_count_together(stop_limit: StopLimit) -> None:
    """Each sees what the others counted, and all are stopped when one of them reaches the limit."""
    run(lambda: stop_limit.note(BROKEN, "a/b"))
    run(lambda: stop_limit.note(BROKEN, "a/b"))
    assert not stop_limit.note(BROKEN, "a/b")
    run(lambda: stop_limit.note(BROKEN, "a/b"))
    assert stop_limit.is_engaged
    run(stop_limit.release)
    assert not stop_limit.is_engaged


def test_a_success_in_one_process_ends_the_row_of_another(stop_limit: StopLimit) -> None:
    """The row is one for the whole worker."""
    for _ in range(3):
        stop_limit.note(BROKEN, "a/b")
    run(lambda: stop_limit.note(None, None))
    assert not stop_limit.note(BROKEN, "a/b")
    assert not stop_limit.is_engaged


def test_no_count_is_lost_between_processes() -> None:
    """Four processes at once: the limit is reached exactly once."""
    stop_limit = StopLimit(limit=400)
    reached = fork.Value("i", 0)

    def count() -> None:
        for _ in range(100):
            if stop_limit.note(BROKEN, "a/b"):
                with reached.get_lock():
                    reached.value += 1

    processes = [fork.Process(target=count) for _ in range(4)]
    for process in processes:
        process.start()
    for process in processes:
        process.join(30)
    assert reached.value == 1
    assert stop_limit.is_engaged


def test_a_process_that_is_killed_while_it_counts_stops_nobody(
    stop_limit: StopLimit, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its lock goes with it."""
    locked = fork.Event()

    def hold() -> None:
        def stand(*_: object) -> bytes:
            locked.set()
            signal.pause()
            raise AssertionError

        monkeypatch.setattr(os, "pread", stand)
        stop_limit.note(BROKEN, "a/b")

    process = fork.Process(target=hold)
    process.start()
    assert locked.wait(10)
    assert process.pid is not None
    os.kill(process.pid, signal.SIGKILL)
    process.join(10)
    assert [stop_limit.note(BROKEN, "a/b") for _ in range(4)] == [False, False, False, True]


def test_a_clock_that_steps_moves_no_pause(stop_limit: StopLimit, monkeypatch: pytest.MonkeyPatch) -> None:
    """Set back by an hour it would last an hour more; set forward it would end at once."""
    for _ in range(4):
        stop_limit.note(BROKEN, "a/b")
    now = time.time()
    for step in (3600, -3600):
        monkeypatch.setattr(subject.time, "time", lambda step=step: now + step)
        assert stop_limit.is_engaged
        assert 500 < stop_limit.seconds_left <= 600
