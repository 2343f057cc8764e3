"""What comparisons of shifts with Checkbox's books came to, and a button for a day."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

from starlette.responses import Response

from config import settings as configuration
from config.settings import Settings
from worker.console.day_reconciliation import DayReconciliation
from worker.console.difference_words import DIFFERENCES, Words
from worker.console.jobs import Jobs
from worker.console.journal_desk import JournalDesk
from worker.console.names import Names
from worker.console.rendering import Members
from worker.console.visit import Visit
from worker.fiscal.kyiv import KYIV
from worker.fiscal.languages import N_
from worker.operators.journal_access import journal, journal_url

#: Shifts that are shown, and differences of a kind.
_MOST, _LISTED = 100, 50


@dataclass(frozen=True, slots=True)
class Line:
    """A shift that was compared, with the notice's members in ``report``."""

    report: Mapping[str, Any]
    compared_at: datetime | None

    @property
    def counts(self) -> list[tuple[Words, int, bool]]:
        """How many there are of each kind, and whether that is a difference; the gravest first."""
        found = [one["kind"] for one in self.report["differences"]]
        return [
            (words, found.count(kind), kind != "foreign_receipt")
            for kind, words in DIFFERENCES.items()
            if kind in found
        ]


@dataclass(slots=True)
class Kind:
    """Differences of one kind; each with the line that it was found in."""

    words: Words
    count: int = 0
    listed: list[Members] = field(default_factory=list)


class ReconciliationPages:
    """The last comparisons that the journal heard of, and the day that somebody asked for."""

    def __init__(self, desk: JournalDesk, jobs: Jobs, names: Names) -> None:
        self._desk = desk
        self._jobs = jobs
        self._names = names

    def reconciliation(self, visit: Visit) -> Response:
        """Differences by kind, and the last result of each shift."""
        asked = self._desk.ask(_last)
        self._names.refresh()
        reply, job = asked.reply(), self._last_job()
        return visit.page(
            "reconciliation.html",
            reply=reply,
            lines=reply.value or [],
            kinds=list(_by_kind(line.report for line in reply.value or [])),
            job=job,
            job_lines=[Line(line, None) for line in job.lines if "differences" in line] if job else [],
            job_kinds=list(_by_kind(job.lines)) if job else [],
            names=self._names,
            yesterday=datetime.now(KYIV).date() - timedelta(days=1),
        )

    def compare(self, visit: Visit) -> Response:
        """One day at a time: each of its cashiers may be signed in for it."""
        journal_url(configuration.load())
        job = self._last_job()
        if job is None or job.is_over:
            try:
                day = date.fromisoformat(visit.form.get("day", ""))
            except ValueError:
                return visit.problem(N_("Enter a date such as 2026-11-26."), 400)
            self._jobs.start(lambda _: DayReconciliation(visit.actor, day))
        return visit.redirect("/reconciliation")

    def _last_job(self) -> DayReconciliation | None:
        return next((one for one in self._jobs.newest_first() if isinstance(one, DayReconciliation)), None)


def _last(settings: Settings) -> Sequence[Line]:
    with journal(settings) as engine:
        from worker.journal.reconciled import reconciled_shifts

        return [Line(one.report, one.compared_at) for one in reconciled_shifts(engine, _MOST)]


def _by_kind(lines: Iterable[Mapping[str, Any]]) -> Iterator[Kind]:
    """The gravest first. Lines are those of `reconcile`: of a shift, or of one difference outside any."""
    kinds = {kind: Kind(words) for kind, words in DIFFERENCES.items()}
    for line in lines:
        for one in [line] if "kind" in line else line.get("differences", ()):
            kind = kinds[one["kind"]]
            kind.count += 1
            if len(kind.listed) < _LISTED:
                kind.listed.append(Members({**line, **one}))
    yield from (kind for kind in kinds.values() if kind.count)
