"""How long to wait until the tax service's number is looked for."""

from __future__ import annotations

from itertools import accumulate

import pytest

from worker.fiscal.number_times import NumberTimes


def taught(*seconds: float) -> NumberTimes:
    times = NumberTimes()
    for one in seconds:
        times.saw(one)
    return times


def test_the_first_look_comes_after_two_seconds_until_more_is_known() -> None:
    """That is what was seen live; a few receipts change nothing."""
    assert taught().next_look(0) == 2.0
    assert taught(*[0.5] * 19).next_look(0) == 2.0


@pytest.mark.parametrize("seconds", [0.3, 1.2, 4.0])
def test_the_first_look_follows_what_the_tax_service_takes(seconds: float) -> None:
    """Right after the number is there, so that one look is enough."""
    assert seconds < taught(*[seconds] * 20).next_look(0) < seconds + 0.2


def test_slow_ones_do_not_hold_up_the_quick_ones() -> None:
    """When times differ, the look comes soon after the quickest numbers, and the slow get a second look."""
    assert taught(*[0.5, 6.0] * 25).next_look(0) < 1.1


def test_what_was_long_ago_is_forgotten() -> None:
    """The last fifty receipts count."""
    assert taught(*[9.0] * 50, *[1.0] * 50).next_look(0) < 1.2


def test_a_clock_that_runs_backwards_is_not_believed() -> None:
    """A negative time counts as none."""
    assert taught(*[-3.0] * 20).next_look(0) > 0


def test_a_day_of_silence_costs_few_looks() -> None:
    """Gaps grow to fifteen seconds and no further."""
    gaps = [NumberTimes().next_look(looks) for looks in range(200)]
    assert gaps[1] == gaps[4] == 0.5
    assert max(gaps) == gaps[-1] == 15.0
    assert sum(at < 60 for at in accumulate(gaps)) < 20
