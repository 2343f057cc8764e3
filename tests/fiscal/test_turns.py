"""Turns: how often a register may be served, and how those who wait are spread."""

from __future__ import annotations

import heapq
import os
from pathlib import Path

import pytest

from worker.fiscal.turns import LEASE, RegisterTurns, Row

REGISTER = "https://api.checkbox.ua 7e83f1a0"
OTHER = "https://api.checkbox.ua 9c11d2b4"


@pytest.fixture
def turns(tmp_path: Path) -> RegisterTurns:
    return RegisterTurns(tmp_path / "lock")


#: Seconds that a message takes to come back.
HOP = 0.01


def served(turns: RegisterTurns, askers: int, share: float, call: float, every: float = 0.0) -> list[float]:
    """When each of the askers reaches Checkbox; ``call`` is the length of a call in seconds."""
    coming = [(1000.0 + number * every, number, False) for number in range(askers)]
    ending: list[tuple[float, int]] = []
    reached: list[float] = []
    while coming:
        now, number, again = heapq.heappop(coming)
        while ending and ending[0][0] <= now:
            end, permit = heapq.heappop(ending)
            turns.used(permit, REGISTER, end, share)
        permit_taken, wait = turns.take(REGISTER, now, share, again)
        if permit_taken is None:
            assert wait > 0
            heapq.heappush(coming, (now + wait + HOP, number, True))
        else:
            reached.append(now)
            heapq.heappush(ending, (now + call, permit_taken))
    return reached


def most_within(seconds: float, times: list[float]) -> int:
    return max(sum(0 <= other - one < seconds for other in times) for one in times)


@pytest.mark.parametrize("every", [0.0, 0.017])
@pytest.mark.parametrize("call", [0.001, 0.2, 0.9, 3.0])
@pytest.mark.parametrize(("share", "most"), [(2.0, 2), (1.0, 1), (3.5, 3), (25.0, 25)])
def test_never_more_than_the_rate_in_any_second(
    turns: RegisterTurns, share: float, most: int, call: float, every: float
) -> None:
    """However long the calls take, and whether the askers come at once or one by one."""
    assert most_within(1.0, served(turns, 30, share, call, every)) <= most


def test_a_third_of_a_receipt_a_second_is_one_in_three_seconds(turns: RegisterTurns) -> None:
    """A worker with one process in a fleet of six."""
    assert most_within(2.99, served(turns, 5, 1 / 3, 0.05)) == 1


def test_a_burst_is_served_nearly_at_the_rate(turns: RegisterTurns) -> None:
    """Seventeen orders at two a second take eight seconds and little more."""
    times = served(turns, 17, 2.0, 0.01)
    assert times[-1] - times[0] < 8.6


def test_a_long_row_is_served_nearly_at_the_rate(turns: RegisterTurns) -> None:
    """Nobody's turn is lost because he came back a moment too late, however long the row is."""
    times = served(turns, 120, 2.0, 0.05)
    assert times[-1] - times[0] < 60 * 1.1


def test_a_register_does_not_wait_for_another(turns: RegisterTurns) -> None:
    """Each has turns of its own."""
    for _ in range(2):
        assert turns.take(REGISTER, 10.0, 2.0, again=False)[0] is not None
    assert turns.take(REGISTER, 10.0, 2.0, again=False)[0] is None
    assert turns.take(OTHER, 10.0, 2.0, again=False)[0] is not None


def test_a_turn_that_was_not_used_is_the_next_ones(turns: RegisterTurns) -> None:
    """A pass that ended before it sent anything costs the register nothing."""
    permit, _ = turns.take(REGISTER, 10.0, 1.0, again=False)
    assert permit is not None
    turns.unused(permit, 10.1)
    assert turns.take(REGISTER, 10.1, 1.0, again=False) == (permit, 0.0)


def test_a_turn_of_a_process_that_died_comes_back(turns: RegisterTurns) -> None:
    """Nobody gives it back, and the register is not closed for ever."""
    turns.take(REGISTER, 10.0, 1.0, again=False)
    assert turns.take(REGISTER, 10.0 + LEASE - 0.1, 1.0, again=False)[0] is None
    assert turns.take(REGISTER, 10.0 + LEASE, 1.0, again=True)[0] is not None


def test_promises_nobody_came_for_do_not_hold_up_the_next(turns: RegisterTurns) -> None:
    """Three hundred who waited have gone into the dead letters: the next burst starts at once."""
    permit, _ = turns.take(REGISTER, 10.0, 1.0, again=False)
    assert permit is not None
    turns.used(permit, REGISTER, 10.1, 1.0)
    promised = [turns.promise(REGISTER, 10.2, 1.0) for _ in range(300)]
    assert promised == sorted(promised)
    assert promised[-1] > 299
    permit, _ = turns.take(REGISTER, 20.0, 1.0, again=False)
    assert permit is not None
    turns.used(permit, REGISTER, 20.1, 1.0)
    assert turns.take(REGISTER, 20.2, 1.0, again=False)[1] < 3


def test_who_missed_his_turn_does_not_stand_behind_those_who_came_later(turns: RegisterTurns) -> None:
    """A row of its own for those to whom a turn was promised before."""
    turns.take(REGISTER, 10.0, 1.0, again=False)
    for _ in range(50):
        turns.promise(REGISTER, 10.0, 1.0)
    assert turns.take(REGISTER, 10.5, 1.0, again=True)[1] < 2
    assert turns.take(REGISTER, 10.5, 1.0, again=False)[1] > 50


def test_processes_share_the_turns(turns: RegisterTurns) -> None:
    """What a forked process takes is taken."""
    child = os.fork()
    if child == 0:
        turns.take(REGISTER, 10.0, 1.0, again=False)
        os._exit(0)
    os.waitpid(child, 0)
    assert turns.take(REGISTER, 10.0, 1.0, again=False)[0] is None


def test_a_row_spreads_those_who_wait() -> None:
    """Each gets a moment of his own; a row that has ended starts anew at once."""
    row = Row()
    assert [round(row.reserve(100.0, 0.5), 3) for _ in range(3)] == [0.0, 0.5, 1.0]
    assert row.reserve(200.0, 0.5) == 0.0
