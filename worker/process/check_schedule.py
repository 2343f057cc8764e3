"""Which cashier is checked next: changed integrations first, two cashiers a second, each once at a time."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from worker.checks.cashier import Row
from worker.checks.integration import Checked, rows_to_check
from worker.checks.reading import Seen
from worker.fiscal.configured import IntegrationRow
from worker.fiscal.instants import DAY

#: Cashiers a second.
_RATE = 2.0
#: Seconds after which a check is repeated that Checkbox did not answer; and one that saw a register offline,
#: whose hours count.
_UNFINISHED_AGAIN, _OFFLINE_AGAIN = 300.0, 3600.0
#: Seconds from the election to the first check: orders that waited for the worker go first, and leave tokens.
#: Less where the checks themselves take long.
_FIRST_AFTER, _ALL_WITHIN = 40.0, 50.0
#: Cashiers of a fleet in which who looks sees a check that is not older than so many seconds.
_SMALL, _OLD = 100, 600.0


@dataclass(eq=False, slots=True)
class Check:
    """A check of an integration under way."""

    row: IntegrationRow
    waiting: list[Row]
    seen: dict[str, Seen] = field(default_factory=dict)
    #: Cashiers that are asked for now.
    running: int = 0

    @property
    def is_over(self) -> bool:
        return not self.waiting and not self.running


@dataclass(eq=False, slots=True)
class Watched:
    """An integration. Times are monotonic seconds."""

    row: IntegrationRow
    due_at: float
    #: New or changed since the fleet has run.
    is_changed: bool
    check: Check | None = None
    #: A person wants to know, outside of the days; no notice is published of this check.
    is_asked: bool = False
    #: Not yet: what was never checked is due soon.
    checked_at: float = math.inf
    #: The findings that were published last, and when: a repeated check is published where it differs.
    published: list[Any] | None = None
    published_at: float = -math.inf

    @property
    def priority(self) -> tuple[bool, bool, float]:
        """To sort by: the changed ones first, and of these, and of the others, those that ask nobody."""
        asks_nobody = self.row.in_force is None or bool(self.row.problems)
        return not self.is_changed, not asks_nobody, self.due_at


class CheckSchedule:
    """For one thread at a time."""

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic
        self._watched: dict[str, Watched] = {}
        self._asked: set[tuple[object, ...]] = set()
        self._is_first = True
        self._allowed = 0.0
        self._counted_at = monotonic()

    def look(self, rows: Mapping[str, IntegrationRow]) -> list[str]:
        """Take up what is new or changed; the ids of integrations that are gone."""
        now = self._monotonic()
        first_after = (
            min(_FIRST_AFTER, max(0.0, _ALL_WITHIN - _cashiers(rows) / _RATE)) if self._is_first else 0
        )
        for name, row in rows.items():
            known = self._watched.get(name)
            if known is None:
                self._watched[name] = Watched(row, now + first_after, is_changed=not self._is_first)
            elif known.row is not row:
                if _content(known.row) != _content(row):
                    known.due_at, known.is_changed = now, True
                    known.published, known.check, known.is_asked = None, None, False
                known.row = row
        self._is_first = False
        gone = [name for name in self._watched if name not in rows]
        for name in gone:
            del self._watched[name]
        return gone

    def next(self) -> Iterator[tuple[Check, Row]]:
        """The cashiers that may be asked for now."""
        now = self._monotonic()
        self._allowed = min(self._allowed + (now - self._counted_at) * _RATE, _RATE)
        self._counted_at = now
        due = [one for one in self._watched.values() if one.check or one.is_asked or one.due_at <= now]
        for one in sorted(due, key=lambda one: one.priority):
            if one.check is None:
                one.check = Check(one.row, rows_to_check(one.row))
                one.is_asked = one.due_at > now
            for row in list(one.check.waiting):
                if self._allowed < 1:
                    return
                if row.person not in self._asked:
                    self._allowed -= 1
                    self._asked.add(row.person)
                    one.check.waiting.remove(row)
                    one.check.running += 1
                    yield one.check, row

    def answered(self, check: Check, row: Row, seen: Seen) -> None:
        """What Checkbox shows of the cashier is known."""
        self._asked.discard(row.person)
        check.running -= 1
        check.seen[row.cashier.id] = seen

    def finished(self) -> list[Watched]:
        """Those whose check is over."""
        return [one for one in self._watched.values() if one.check is not None and one.check.is_over]

    def end(self, one: Watched, checked: Checked, findings: list[Any]) -> bool:
        """The check is over, and the next one is due; whether it is to be published."""
        now = self._monotonic()
        one.check, one.is_changed, one.checked_at = None, False, now
        if one.is_asked:
            one.is_asked = False
            return False
        again_after = DAY
        if checked.is_unfinished:
            again_after = _UNFINISHED_AGAIN
        elif checked.is_offline:
            again_after = _OFFLINE_AGAIN
        one.due_at = now + again_after
        if findings == one.published and now - one.published_at < DAY:
            return False
        one.published, one.published_at = findings, now
        return True

    def ask(self, integration: str) -> None:
        """Check it now, beside the days on which it is due."""
        one = self._watched.get(integration)
        if one is not None and one.check is None:
            one.is_asked = True

    def ask_old(self) -> None:
        """The same of those whose check is some minutes old, where the fleet is small."""
        now, watched = self._monotonic(), self._watched
        if _cashiers({name: one.row for name, one in watched.items()}) <= _SMALL:
            for name, one in watched.items():
                if now - one.checked_at >= _OLD:
                    self.ask(name)

    def give_up(self, one: Watched) -> None:
        """The check came to nothing, and is repeated."""
        one.check, one.is_changed, one.is_asked = None, False, False
        one.due_at, one.published = self._monotonic() + _UNFINISHED_AGAIN, None


def _cashiers(rows: Mapping[str, IntegrationRow]) -> int:
    return sum(len(row.cashiers or ()) for row in rows.values())


def _content(row: IntegrationRow) -> tuple[object, ...]:
    """What the row says, with its secrets, in whatever order and format."""
    cashiers = row.cashiers or ()
    return (
        row.in_force,
        row.companies,
        frozenset(row.rates),
        frozenset(problem.problem for problem in row.problems),
        frozenset((one.id, one.name, frozenset(each.problem for each in one.problems)) for one in cashiers),
    )
