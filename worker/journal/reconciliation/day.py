"""Each shift that was open on a day, against the journal."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import date

from sqlalchemy import Engine

from worker.checkbox.books import Period
from worker.checkbox.client import CheckboxClient
from worker.checkbox.shift_finder import OwnAccess, find_openers, find_shifts
from worker.fiscal.integrations import Integration
from worker.journal.day import bounds
from worker.journal.reconciliation.difference import Difference, Kind
from worker.journal.reconciliation.shift import ShiftReport, reconcile_shift

#: Seconds before the day from which shifts are asked for: one lasts a day, and is closed late.
BEFORE = 48 * 3600.0


def reconcile_day(
    engine: Engine, client: CheckboxClient, integrations: Mapping[str, Integration], day: date, now: float
) -> Iterator[ShiftReport]:
    """A report for each shift, and one for each row whose shifts could not be asked for."""
    since, until = (at / 1000 for at in bounds(day))
    rows = [(one.id, cashier) for one in integrations.values() for cashier in one.cashiers]
    with OwnAccess(client, integrations) as access:
        findings = find_shifts(access, Period(since - BEFORE, min(until, now)), rows)
        for (integration, cashier), reason in sorted(findings.not_asked.items()):
            yield ShiftReport(
                integration, cashier, None, None, (Difference(Kind.NOT_COMPARED, reason=reason),)
            )
        for found in sorted(findings.shifts.values(), key=lambda one: one.record.opened_at):
            closed_at = found.record.closed_at
            if closed_at is None or closed_at > since:
                find_openers(access, found)
                yield from reconcile_shift(engine, access, found, now)


def counted(reports: list[ShiftReport]) -> Counter[str]:
    """Differences by kind; one that stands in several reports counts once."""
    each = {
        (report.shift and report.shift.id, report.cashier if report.shift is None else None, one)
        for report in reports
        for one in report.differences
    }
    return Counter(one.kind.value for *_, one in each)
