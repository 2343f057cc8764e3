"""The rules of shifts: at most 24 hours (law 265/95, art. 3 p. 9), and who opens and closes them."""

from __future__ import annotations

from datetime import UTC, datetime

from worker.fiscal.integrations import Integration, ShiftPolicy
from worker.fiscal.outcomes import Code, Postponed, Rejected
from worker.fiscal.ports import CashierSession, Shift

_DAY = 86400.0
_UNDER_WAY = frozenset({"CREATED", "OPENING", "CLOSING"})
_LOOK_AFTER = 1.0
#: Sales stop at ``rollover_after``; the shift is closed this much later, longer than any call under way.
_GRACE = 20.0


def age(shift: Shift, now: float) -> float:
    """Seconds since the shift was opened; by instants, so the end of daylight saving time changes nothing."""
    return now - shift.opened_at if shift.opened_at is not None else 0.0


def make_ready(session: CashierSession, integration: Integration, now: float) -> None:
    """Return when the cashier may sell.

    Raises ``Rejected`` where a person has to act, ``Postponed`` while a shift is being opened or closed.
    """
    if integration.shifts is ShiftPolicy.MANUAL:
        _demand_open(session.shift(_DAY), now)
    else:
        _bring_about(session, integration.rollover_after.total_seconds(), now)


def _demand_open(shift: Shift | None, now: float) -> None:
    if shift is not None and shift.status in ("CREATED", "OPENING"):
        raise Postponed(_LOOK_AFTER, "shift_opening")
    if shift is None or not shift.is_open:
        raise Rejected(Code.SHIFT_NOT_OPEN, {"shiftId": shift.id, "status": shift.status} if shift else {})
    if shift.expired or age(shift, now) >= _DAY:
        raise Rejected(Code.SHIFT_OPEN_OVER_24H, _told(shift, now))


def _told(shift: Shift, now: float) -> dict[str, object]:
    opened = shift.opened_at
    return {
        "shiftId": shift.id,
        "openedAt": datetime.fromtimestamp(opened, UTC).strftime("%Y-%m-%dT%H:%M:%SZ") if opened else None,
        "ageHours": round(age(shift, now) / 3600, 1) if opened else None,
    }


def _bring_about(session: CashierSession, rollover_after: float, now: float) -> None:
    shift = session.shift(rollover_after)
    if shift is None or shift.status == "CLOSED":
        session.open_shift()
        raise Postponed(_LOOK_AFTER, "shift_opening")
    if shift.status in _UNDER_WAY:
        raise Postponed(_LOOK_AFTER, "shift_under_way")
    if shift.expired or age(shift, now) >= rollover_after:
        left = seconds_to_closing(shift, rollover_after, now)
        if left <= 0:
            close(session, shift, rollover_after)
        raise Postponed(max(left, _LOOK_AFTER), "shift_rollover")


def seconds_to_closing(shift: Shift, rollover_after: float, now: float) -> float:
    """Seconds until the shift is to be closed; 0 or less is now. Until then open receipts finish."""
    return 0.0 if shift.expired else rollover_after + _GRACE - age(shift, now)


def close(session: CashierSession, shift: Shift, rollover_after: float) -> bool:
    """Ask for the shift's end, unless Checkbox itself says that a receipt of it is unfinished.

    Closing names no shift: so a last look makes sure that nobody was faster and this one is not a new one's.
    """
    if session.has_unfinished_receipts(shift):
        return False
    session.doubt_shift()
    current = session.shift(rollover_after)
    if current is None or not current.is_open or current.id != shift.id:
        return False
    session.close_shift()
    return True
