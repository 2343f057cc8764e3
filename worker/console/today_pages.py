"""The page of a day, and its receipts as a file for the accountant."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from itertools import chain

from starlette.responses import Response, StreamingResponse

from config import settings as configuration
from worker.checkbox.shift_finder import FoundShift
from worker.console.names import Names
from worker.console.today import Days, Today
from worker.console.visit import Visit
from worker.fiscal.kyiv import KYIV
from worker.fiscal.languages import N_
from worker.operators.journal_access import JournalAway, journal


@dataclass(frozen=True, slots=True)
class ShiftLine:
    """An open shift on the page; ``minutes`` is its age."""

    found: FoundShift
    opened_at: datetime
    minutes: int
    is_long: bool


class TodayPages:
    """Of today, where no day is named."""

    def __init__(self, days: Days, names: Names) -> None:
        self._days = days
        self._names = names

    def today(self, visit: Visit) -> Response:
        """What needs a person, receipts and sums, shifts, queues."""
        self._names.refresh()
        seen = self._days.seen(_day(visit))
        following = seen.date + timedelta(days=1)
        return visit.page(
            "today.html",
            seen=seen,
            names=self._names,
            shifts=list(_lines(seen)),
            before=seen.date - timedelta(days=1),
            after=following if following <= datetime.now(KYIV).date() else None,
        )

    def file(self, visit: Visit) -> Response:
        """The day's receipts as CSV. What goes wrong before the first of them is a page."""
        day = _day(visit)
        parts = _parts(day)
        try:
            first = [next(parts), *([one] if (one := next(parts, None)) else [])]
        except JournalAway as fault:
            return visit.problem(N_("The journal cannot be asked now: %(why)s"), 503, why=str(fault))
        headers = {"Content-Disposition": f'attachment; filename="receipts-{day.isoformat()}.csv"'}
        return StreamingResponse(chain(first, parts), media_type="text/csv; charset=utf-8", headers=headers)


def _lines(seen: Today) -> Iterator[ShiftLine]:
    if seen.shifts is None:
        return
    known = seen.shifts.shifts
    for one in known.shifts:
        opened_at = datetime.fromtimestamp(one.record.opened_at, UTC)
        minutes = int((datetime.now(UTC) - opened_at).total_seconds() // 60)
        yield ShiftLine(one, opened_at, minutes, one.record.id in known.long)


def _parts(day: date) -> Iterator[bytes]:
    with journal(configuration.load()) as engine:
        from worker.journal.day import day_as_csv

        yield from day_as_csv(engine, day)


def _day(visit: Visit) -> date:
    try:
        return date.fromisoformat(visit.query.get("day", ""))
    except ValueError:
        return datetime.now(KYIV).date()
