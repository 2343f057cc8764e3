"""Which shifts are open at Checkbox now, as their registers and cashiers list them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from worker.checkbox.books import Period
from worker.checkbox.client import CheckboxClient
from worker.checkbox.shift_finder import FoundShift, OwnAccess, Row, find_openers, find_shifts
from worker.checks.cashier import long_shift
from worker.fiscal.instants import DAY
from worker.fiscal.integrations import Integration

#: Seconds for which a shift that somebody forgot is found.
_BACK = 14 * DAY
#: Seconds by which Checkbox's clock may be ahead.
_AHEAD = 600.0


@dataclass(frozen=True, slots=True)
class OpenShifts:
    """``without`` are rows (integration, cashier) that have none; ``not_asked`` says why, by row."""

    shifts: list[FoundShift]
    without: list[Row]
    not_asked: Mapping[Row, str]
    #: Ids of those that are open for too long.
    long: frozenset[str]


def open_shifts(
    client: CheckboxClient,
    integrations: Mapping[str, Integration],
    now: float,
    stopping: Callable[[], bool] = lambda: False,
) -> OpenShifts:
    """Ask for those of all configured cashiers, the oldest first. Ends early where it is ``stopping``."""
    rows = [(one.id, cashier) for one in integrations.values() for cashier in one.cashiers]
    with OwnAccess(client, integrations) as access:
        findings = find_shifts(
            access, Period(now - _BACK, now + _AHEAD), (row for row in rows if not stopping())
        )
        shifts = [one for one in findings.shifts.values() if not one.record.is_closed]
        for one in shifts:
            if len(one.rows) > 1 and not one.openers:
                find_openers(access, one)
    shifts.sort(key=lambda one: one.record.opened_at)
    busy = {row for one in shifts for row in (one.openers or one.sharing)}
    without = [row for row in rows if row not in busy and row not in findings.not_asked]
    long = frozenset(
        one.record.id
        for one in shifts
        if now - one.record.opened_at > min(long_shift(integrations[name]) for name, _ in one.rows)
    )
    return OpenShifts(shifts, without, findings.not_asked, long)
