"""So many passes at once, and a reserve of threads behind those that take long."""

from __future__ import annotations

import itertools

from worker.rabbit.passes import SLOW_AFTER, Passes


class Desk:
    """Passes on a clock of the test's; four at once, seven threads."""

    def __init__(self) -> None:
        self.now = 100.0
        self.begun: list[str] = []
        self.passes: Passes[str] = Passes(4, 7, lambda: self.now)
        self.passes.begin = self.begun.append

    def add(self, *messages: str, priority: int = 3) -> None:
        for message in messages:
            self.passes.add(message, priority)


def test_as_many_as_may_begin_at_once() -> None:
    desk = Desk()
    desk.add("a", "b", "c", "d", "e", "f")
    assert desk.begun == ["a", "b", "c", "d"]
    assert (desk.passes.under_way, desk.passes.waiting) == (4, 2)


def test_one_that_ends_lets_the_next_begin() -> None:
    desk = Desk()
    desk.add("a", "b", "c", "d", "e", "f")
    desk.passes.end("b")
    assert desk.begun[4:] == ["e"]
    desk.passes.end("not one of ours")
    assert desk.begun[4:] == ["e"]


def test_what_comes_back_begins_before_what_is_new() -> None:
    desk = Desk()
    desk.add("a", "b", "c", "d", "new", "newer")
    desk.add("follow-up", priority=0)
    for message in ("a", "b", "c"):
        desk.passes.end(message)
    assert desk.begun[4:] == ["follow-up", "new", "newer"]


def test_each_slow_pass_lets_another_begin_beside_it() -> None:
    desk = Desk()
    desk.add("a", "b")
    desk.now += SLOW_AFTER / 2
    desk.add("c", "d", "e", "f", "g")
    desk.now += SLOW_AFTER / 2
    desk.passes.go_on()
    assert desk.begun[4:] == ["e", "f"]
    assert desk.passes.longest == SLOW_AFTER


def test_there_are_never_more_than_threads() -> None:
    desk = Desk()
    for number in itertools.count(1):
        desk.add(*(f"{number}-{each}" for each in range(4)))
        desk.now += SLOW_AFTER
        desk.passes.go_on()
        if number == 4:
            break
    assert len(desk.begun) == 7
    assert desk.passes.waiting == 9
    desk.passes.end(desk.begun[0])
    assert len(desk.begun) == 8


def test_nothing_under_way_has_taken_no_time() -> None:
    assert Desk().passes.longest == 0.0
