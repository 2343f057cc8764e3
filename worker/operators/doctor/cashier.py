"""A cashier row: does it sign in, can its key sign, is its register alive, may its shift be sold in."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from worker.checkbox.client import CheckboxClient
from worker.checkbox.party_answers import CashierInfo, RegisterInfo
from worker.checkbox.signed_in import secrets_of, signed_in
from worker.fiscal.instants import DAY
from worker.fiscal.integrations import Cashier, Integration, ShiftPolicy
from worker.fiscal.outcomes import Rejected, Unavailable
from worker.fiscal.ports import Refusal, Shift
from worker.fiscal.shifts import age
from worker.operators.doctor.finding import Finding, ok, warning, wrong
from worker.operators.doctor.tax_table import check_tax_rates

_SIGN_IN, _KEY, _REGISTER, _SHIFT = "sign-in", "key", "register", "shift"
_SOON = 14 * DAY
#: Seconds before a shift's 24th hour in which a person should think of it.
_LATE = 2 * 3600.0
#: How much later than ``rollover_after`` a shift may still be open: its receipts finish first.
_GRACE = 600.0


@dataclass(frozen=True, slots=True)
class Row:
    """A row of the configuration, and what it is called in findings."""

    integration: Integration
    cashier: Cashier

    @property
    def name(self) -> str:
        return f"{self.integration.id}/{self.cashier.id}"

    @property
    def sign_in(self) -> tuple[object, ...]:
        """Rows with the same of this are one cashier at Checkbox."""
        cashier = self.cashier
        return (
            self.integration.checkbox_url,
            cashier.login,
            cashier.pin_code,
            cashier.login or cashier.license_key,
        )


def check_cashier(row: Row, client: CheckboxClient, clock: Callable[[], float]) -> Iterator[Finding]:
    """All that can be found out about one row, with one sign-in that is ended again."""
    register, findings = _register(row, client)
    yield from findings
    try:
        with signed_in(client, row.integration, row.cashier) as token:
            yield ok(_SIGN_IN, row.name, "signs in")
            yield from _signed_in(row, client, token, register, clock())
    except Rejected as refusal:
        words = refusal.detail.get("message") or refusal.detail.get("reason") or "refused"
        advice = "put the right login and password, or PIN and licence key, where the configuration points"
        yield wrong(_SIGN_IN, row.name, str(words), advice)
    except (Unavailable, Refusal) as fault:
        yield wrong(_SIGN_IN, row.name, _reason(fault), "try again when Checkbox answers")


def _signed_in(
    row: Row, client: CheckboxClient, token: str, register: RegisterInfo | None, now: float
) -> Iterator[Finding]:
    url = row.integration.checkbox_url
    me = client.cashier_me(url, token)
    yield from _person(row, me, register, now)
    yield from _signature(row, client, token)
    shift = client.current_shift(url, token, private=secrets_of(row.cashier))
    yield from _shift(row, shift, register, now)
    yield from check_tax_rates(row.integration, client.taxes(url, token))


def _register(row: Row, client: CheckboxClient) -> tuple[RegisterInfo | None, list[Finding]]:
    key = row.cashier.license_key
    if key is None:
        return None, []
    try:
        register = client.register_info(row.integration.checkbox_url, key)
    except Rejected:
        return None, [wrong(_REGISTER, row.name, "licence key refused", "put the register's own licence key")]
    except (Unavailable, Refusal) as fault:
        return None, [wrong(_REGISTER, row.name, _reason(fault), "try again when Checkbox answers")]
    return register, list(_state(row, register))


def _state(row: Row, register: RegisterInfo) -> Iterator[Finding]:
    name = f"{register.fiscal_number or register.id}{' (test)' if register.is_test else ''}"
    if register.emergency:
        yield wrong(_REGISTER, row.name, f"{name} is blocked", "ask Checkbox why the register was blocked")
    elif register.is_offline:
        advice = "see whether the tax service answers: receipts have offline numbers until then, 36 h at most"
        yield warning(_REGISTER, row.name, f"{name} is offline", advice)
    else:
        yield ok(_REGISTER, row.name, name)


def _person(row: Row, me: CashierInfo, register: RegisterInfo | None, now: float) -> Iterator[Finding]:
    if me.blocked:
        yield wrong(_SIGN_IN, row.name, "is blocked", "have the cashier unblocked in Checkbox")
    if register is not None and register.is_test != me.is_test:
        kinds = [("live", "test")[bool(is_test)] for is_test in (me.is_test, register.is_test)]
        advice = "give the row a cashier and a register of the same kind"
        yield wrong(_REGISTER, row.name, f"a {kinds[0]} cashier at a {kinds[1]} register", advice)
    elif me.is_test:
        advice = "use live cashiers and registers where real goods are sold"
        yield warning(_REGISTER, row.name, "a test cashier: receipts do not count", advice)
    renew_key = "have the cashier's key renewed and put into Checkbox"
    yield from _ends(_KEY, row.name, "key", me.certificate_end, now, renew_key)
    organization = me.organization or row.integration.name
    extend = "have Checkbox's subscription extended"
    yield from _ends("subscription", organization, "subscription", me.subscription_end, now, extend)


def _ends(
    check: str, subject: str, what: str, end: float | None, now: float, advice: str
) -> Iterator[Finding]:
    if end is None:
        return
    day = datetime.fromtimestamp(end, UTC).date()
    if end <= now:
        yield wrong(check, subject, f"the {what} ended on {day}", advice)
    elif end - now < _SOON:
        yield warning(check, subject, f"the {what} ends on {day}", advice)
    else:
        yield ok(check, subject, f"until {day}")


def _signature(row: Row, client: CheckboxClient, token: str) -> Iterator[Finding]:
    if client.check_signature(row.integration.checkbox_url, token).can_open_shift:
        return
    advice = "see in Checkbox why the key cannot sign: expired, not uploaded, or its service is not running"
    yield wrong(_KEY, row.name, "the key cannot sign, so no shift can be opened", advice)


def _shift(row: Row, shift: Shift | None, register: RegisterInfo | None, now: float) -> Iterator[Finding]:
    is_open = shift is not None and shift.status not in ("CLOSED", "CLOSING")
    if shift is None or not is_open:
        yield _no_shift(row, register)
        return
    hours = age(shift, now) / 3600
    seen = f"{shift.status}, {hours:.1f} h old, register {shift.register_number or '?'}"
    limit = _limit(row.integration)
    if age(shift, now) >= limit:
        advice = (
            "have the shift closed and a new one opened: Checkbox takes no more receipts in it"
            if limit == DAY
            else "see whether a worker runs: it should have closed the shift by now"
        )
        yield wrong(_SHIFT, row.name, seen, advice)
    elif row.integration.shifts is ShiftPolicy.MANUAL and age(shift, now) >= DAY - _LATE:
        yield warning(_SHIFT, row.name, seen, "have it closed and a new one opened before it is 24 h old")
    elif register is not None and shift.register_id not in (None, register.id):
        advice = "see which register is meant: license_key is of another one than the open shift"
        yield warning(_SHIFT, row.name, seen, advice)
    else:
        yield ok(_SHIFT, row.name, seen)


def _limit(integration: Integration) -> float:
    """Seconds after which an open shift of this integration is wrong."""
    if integration.shifts is ShiftPolicy.MANUAL:
        return DAY
    return min(integration.rollover_after.total_seconds() + _GRACE, DAY)


def _no_shift(row: Row, register: RegisterInfo | None) -> Finding:
    if row.integration.shifts is ShiftPolicy.MANUAL:
        return wrong(_SHIFT, row.name, "none is open", "have the cashier open a shift in Checkbox")
    if register is not None and register.has_shift:
        advice = "have that shift closed, or give the row a register of its own"
        return wrong(_SHIFT, row.name, "another cashier's shift is open on the register", advice)
    return ok(_SHIFT, row.name, "none is open; the next order opens one")


def _reason(fault: Exception) -> str:
    detail = fault.detail if isinstance(fault, Unavailable) else {}
    return f"not known: {detail.get('reason') or type(fault).__name__}"
