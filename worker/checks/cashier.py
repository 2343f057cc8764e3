"""What is to be said of a cashier row. Pure: from what Checkbox shows to findings."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from worker.checks.finding import Finding, FindingCode
from worker.checks.reading import Seen
from worker.fiscal.instants import DAY
from worker.fiscal.integrations import Cashier, Environment, Integration, ShiftPolicy
from worker.fiscal.kyiv import KYIV
from worker.fiscal.ports import Shift
from worker.fiscal.shifts import age

_HOUR = 3600.0
KEY_WARNING = 30 * DAY
_LONG_SHIFT = 20 * _HOUR
#: Seconds without the tax service of which somebody should know: in a row, and in a month. The law's limits
#: are 36 and 168 hours.
_OFFLINE_WARNING = {"session": (24 * _HOUR, "36"), "month": (120 * _HOUR, "168")}


@dataclass(frozen=True, slots=True)
class Row:
    """A cashier row of an integration that is in force."""

    integration: Integration
    cashier: Cashier
    #: The row's place in the document.
    path: str

    @property
    def name(self) -> str:
        """How people know the row."""
        return self.cashier.name or self.cashier.id

    @property
    def person(self) -> tuple[object, ...]:
        """Rows with the same of this are one cashier at Checkbox."""
        row = self.cashier
        return self.integration.checkbox_url, row.login, row.pin_code, row.login or row.license_key


def day(moment: float) -> str:
    """The date in Kyiv."""
    return datetime.fromtimestamp(moment, KYIV).date().isoformat()


def check_cashier(row: Row, seen: Seen, now: float) -> Iterator[Finding]:
    """Everything that concerns this row; ``now`` is in seconds since the epoch."""
    yield from _access(row, seen)
    yield from _belongs(row, seen)
    yield from _key(row, seen, now)
    yield from _shift(row, seen, now)
    yield from _register(row, seen)


def _of(row: Row, code: FindingCode, variant: str = "", member: str = "", **facts: str) -> Finding:
    return Finding(row.path + member, code, {"row": row.name, **facts}, variant)


def _access(row: Row, seen: Seen) -> Iterator[Finding]:
    if seen.unanswered is not None:
        yield _of(row, FindingCode.NOT_CHECKED, reason=seen.unanswered)
    if seen.key_refused:
        yield _of(row, FindingCode.LICENSE_KEY_REFUSED, member="/license_key")
    if seen.sign_in_refused is not None:
        secret = "password" if row.cashier.login else "pin_code"
        yield _of(row, FindingCode.SIGN_IN_REFUSED, secret, f"/{secret}", words=seen.sign_in_refused)
    if seen.me is not None and seen.me.blocked:
        yield _of(row, FindingCode.CASHIER_BLOCKED)


def _belongs(row: Row, seen: Seen) -> Iterator[Finding]:
    """Person, register and organization together, live or test as declared, and the shift at its register."""
    me, register = seen.me, seen.register
    number = (register.fiscal_number or register.id if register else None) or "?"
    if me is not None and register is not None and _differ(me.organization_id, register.organization_id):
        yield _of(row, FindingCode.OTHER_ORGANIZATION, register=number)
    kinds = {kind for kind in (me and me.is_test, register and register.is_test) if isinstance(kind, bool)}
    is_test = row.integration.environment is Environment.TEST
    if len(kinds) == 2:
        variant = "test_register" if register is not None and register.is_test else "live_register"
        yield _of(row, FindingCode.WRONG_ENVIRONMENT, variant)
    elif kinds == {not is_test}:
        yield _of(row, FindingCode.WRONG_ENVIRONMENT, "live" if is_test else "test")
    shift = seen.shift
    if register is not None and shift is not None and shift.is_open and _is_elsewhere(shift, seen):
        yield _of(
            row, FindingCode.WRONG_REGISTER, register=shift.register_number or "?", expectedRegister=number
        )


def _differ(one: str | None, other: str | None) -> bool:
    return one is not None and other is not None and one.lower() != other.lower()


def _is_elsewhere(shift: Shift, seen: Seen) -> bool:
    """By the id where both have one."""
    assert seen.register is not None
    if shift.register_id is not None and seen.register.id is not None:
        return _differ(shift.register_id, seen.register.id)
    return _differ(shift.register_number, seen.register.fiscal_number)


def _key(row: Row, seen: Seen, now: float) -> Iterator[Finding]:
    end = seen.me.certificate_end if seen.me is not None else None
    if end is not None and end <= now:
        yield _of(row, FindingCode.KEY_EXPIRED, date=day(end))
    elif end is not None and end - now < KEY_WARNING:
        yield _of(row, FindingCode.KEY_EXPIRES, date=day(end))
    signature = seen.signature
    if signature is None:
        return
    has_shift = seen.shift is not None and seen.shift.status != "CLOSED"
    if signature.is_online is False:  # what the key can do is not known then
        yield _of(row, FindingCode.KEY_OFFLINE)
    elif signature.can_open_shift is False and seen.is_shift_known and not has_shift:
        yield _of(row, FindingCode.KEY_CANNOT_SIGN)


def long_shift(integration: Integration) -> float:
    """Seconds after which an open shift of this integration is too old."""
    is_auto = integration.shifts is ShiftPolicy.AUTO
    return integration.rollover_after.total_seconds() if is_auto else _LONG_SHIFT


def _shift(row: Row, seen: Seen, now: float) -> Iterator[Finding]:
    if seen.shift is None or not seen.shift.is_open:
        return
    is_auto = row.integration.shifts is ShiftPolicy.AUTO
    hours = age(seen.shift, now)
    if hours > long_shift(row.integration):
        yield _of(
            row,
            FindingCode.SHIFT_OVER_20H,
            "auto" if is_auto else "manual",
            hours=f"{hours / _HOUR:.1f}",
        )


def _register(row: Row, seen: Seen) -> Iterator[Finding]:
    register = seen.register
    if register is None:
        return
    number = register.fiscal_number or register.id or "?"
    if register.is_offline:
        yield _of(row, FindingCode.REGISTER_OFFLINE, register=number)
    for window, (limit, allowed) in _OFFLINE_WARNING.items():
        seconds = getattr(seen.offline_time, window, None)
        if seconds is not None and seconds > limit:
            yield _of(
                row,
                FindingCode.OFFLINE_HOURS,
                window,
                register=number,
                hours=f"{seconds / _HOUR:.0f}",
                limit=allowed,
            )
    if seen.offline_codes is not None and seen.offline_codes.is_low:
        available = seen.offline_codes.available
        yield _of(
            row,
            FindingCode.OFFLINE_CODES_LOW,
            register=number,
            count="?" if available is None else str(available),
        )
