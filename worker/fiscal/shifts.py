"""The rules of shifts: at most 24 hours (law 265/95, art. 3 p. 9), and who opens and closes them."""

from __future__ import annotations

from worker.fiscal.instants import DAY, rfc3339
from worker.fiscal.integrations import Integration, ShiftPolicy
from worker.fiscal.outcomes import Code, Postponed, Rejected, Unavailable
from worker.fiscal.ports import CashierSession, KeyRegister, Shift
from worker.fiscal.reasons import Wait

_LOOK_AFTER = 1.0
#: Sales stop at ``rollover_after``; the shift is closed this much later, longer than any call under way.
_GRACE = 20.0
#: Seconds after which a receipt without a number is stuck, and holds back no closing: the usual time is 2 s.
STUCK_AFTER = 3600.0


def age(shift: Shift, now: float) -> float:
    """Seconds since the shift was opened; by instants, so the end of daylight saving time changes nothing."""
    return now - shift.opened_at if shift.opened_at is not None else 0.0


def make_ready(session: CashierSession, integration: Integration, now: float) -> None:
    """Return when the cashier may sell.

    Raises ``Rejected`` where a person has to act, ``Postponed`` while a shift is being opened or closed.
    """
    is_manual = integration.shifts is ShiftPolicy.MANUAL
    good_for = DAY if is_manual else integration.rollover_after.total_seconds()
    shift = at_own_register(session, session.shift(good_for))
    if is_manual:
        _demand_open(shift, now)
    else:
        _bring_about(session, shift, good_for, now)


def at_own_register(session: CashierSession, shift: Shift | None) -> Shift | None:
    """The shift, read anew where it was seen at another register than the licence key's.

    Raises ``Rejected`` (WRONG_REGISTER), and ``Unavailable`` where the two cannot be compared.
    """
    if shift is None or not shift.is_open:
        return shift
    key = session.key_register()
    if key is None or _is_at(shift, key):
        return shift
    # A shift that prevents the sale is believed for some seconds only, like one that is too old.
    current = session.shift(0.0)
    if current is None or not current.is_open or _is_at(current, key):
        return current
    numbers = {"shiftRegister": current.register_number, "licenseKeyRegister": key.number}
    raise Rejected(Code.WRONG_REGISTER, {"shiftId": current.id} | numbers)


def _is_at(shift: Shift, register: KeyRegister) -> bool:
    for own, shown in ((register.id, shift.register_id), (register.number, shift.register_number)):
        if own is not None and shown is not None:
            return own.lower() == shown.lower()
    raise Unavailable({"reason": "register_unknown", "shiftId": shift.id})


def _demand_open(shift: Shift | None, now: float) -> None:
    if shift is not None and shift.is_opening:
        raise Postponed(_LOOK_AFTER, Wait.SHIFT_OPENING)
    if shift is None or not shift.is_open:
        raise Rejected(Code.SHIFT_NOT_OPEN, {"shiftId": shift.id, "status": shift.status} if shift else {})
    if shift.expired or age(shift, now) >= DAY:
        raise Rejected(Code.SHIFT_OPEN_OVER_24H, age_detail(shift, now))


def age_detail(shift: Shift, now: float) -> dict[str, object]:
    """The detail of SHIFT_OPEN_OVER_24H."""
    opened = shift.opened_at
    return {
        "shiftId": shift.id,
        "openedAt": rfc3339(opened) if opened else None,
        "ageHours": round(age(shift, now) / 3600, 1) if opened else None,
    }


def _bring_about(session: CashierSession, shift: Shift | None, rollover_after: float, now: float) -> None:
    if shift is None or shift.is_closed:
        rest = session.rest_before_opening()
        if rest > 0:
            raise Postponed(rest, Wait.SHIFT_ROLLOVER)
        session.open_shift()
        raise Postponed(_LOOK_AFTER, Wait.SHIFT_OPENING)
    if shift.is_opening or shift.is_closing:
        raise Postponed(_LOOK_AFTER, Wait.SHIFT_UNDER_WAY)
    if shift.expired or age(shift, now) >= rollover_after:
        left = seconds_to_closing(shift, rollover_after, now)
        if left <= 0:
            close(session, shift, now)
        raise Postponed(max(left, _LOOK_AFTER), Wait.SHIFT_ROLLOVER)


def seconds_to_closing(shift: Shift, rollover_after: float, now: float) -> float:
    """Seconds until the shift is to be closed; 0 or less is now. Until then open receipts finish."""
    return 0.0 if shift.expired else rollover_after + _GRACE - age(shift, now)


def close(session: CashierSession, shift: Shift, now: float) -> bool:
    """Ask for the shift's end, unless Checkbox itself says that a receipt of it is under way.

    One that is stuck does not hold it back: Checkbox sends documents in their order, and refuses a closing
    that it cannot make. Raises ``Rejected`` (WRONG_REGISTER) where the shift is not at the register of the
    row's licence key: it is left to the person or program that opened it there.
    """
    at_own_register(session, shift)
    youngest = session.youngest_unfinished(shift)
    if youngest is not None and now - youngest < STUCK_AFTER:
        return False
    return session.close_shift(shift)
