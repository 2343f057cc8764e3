"""The dead letters as the pages need them. Every look is a pass of its own, for this console alone."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import islice

from worker.operators.dead_letters.access import DeadLetters, Pass, letters_alone
from worker.operators.dead_letters.changes import Report, change_each, replaying
from worker.operators.dead_letters.letter import Filter, Letter

_NAME = "console"
#: Letters that a page shows.
SHOWN = 100
#: A letter that came back so often is left to `dead-letters replay --force`.
MAX_REPLAYS = 10
RATE = 5.0
#: Requests of this console take turns; other commands are told to wait by the broker.
_TURN = threading.Lock()


@dataclass(slots=True)
class Group:
    """The letters of one code."""

    code: str
    count: int = 0
    oldest: str = ""
    #: Counts by integration and cashier.
    rows: dict[tuple[str, str], int] = field(default_factory=dict)

    def add(self, letter: Letter) -> None:
        line = letter.line()
        self.count += 1
        failed_at = line["failedAt"] or ""
        self.oldest = min(self.oldest or failed_at, failed_at)
        row = (letter.integration or "?", letter.cashier or "?")
        self.rows[row] = self.rows.get(row, 0) + 1


def groups() -> list[Group]:
    """All letters by code, the most frequent first."""
    found: dict[str, Group] = {}
    with _look(Filter()) as (_, look):
        for letter in look.letters():
            code = letter.code or "?"
            found.setdefault(code, Group(code)).add(letter)
    return sorted(found.values(), key=lambda group: -group.count)


def chosen(wanted: Filter, limit: int = SHOWN) -> list[Letter]:
    """The first letters that a filter leaves."""
    with _look(wanted) as (_, look):
        return list(islice(look.letters(), limit))


def counted(wanted: Filter) -> tuple[dict[str, int], int]:
    """What a replay would send, by code; and how many it would leave alone."""
    counts: dict[str, int] = {}
    withheld = 0
    with _look(wanted) as (_, look):
        for letter in look.letters():
            if letter.replays >= MAX_REPLAYS:
                withheld += 1
                continue
            counts[letter.code or "?"] = counts.get(letter.code or "?", 0) + 1
    return counts, withheld


def replay(wanted: Filter, limit: int, report: Report, stopping: Callable[[], bool]) -> None:
    """Send back at most ``limit`` letters; ``report`` counts as it goes."""
    with _look(wanted, changes=True, stopping=stopping) as (letters, look):
        change_each(replaying(MAX_REPLAYS), letters, look, report, lambda *_: None, rate=RATE, limit=limit)


@contextmanager
def _look(
    wanted: Filter, *, changes: bool = False, stopping: Callable[[], bool] = lambda: False
) -> Iterator[tuple[DeadLetters, Pass]]:
    with (
        _TURN,
        letters_alone(_NAME, changes=changes) as letters,
        letters.looked_through(wanted, stopping) as look,
    ):
        yield letters, look
