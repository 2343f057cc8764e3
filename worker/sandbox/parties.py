"""Settings made in Checkbox's portal: organizations, registers and cashiers; and shifts opened by hand."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from fractions import Fraction
from typing import Any

from worker.sandbox.bodies.shift_body import shift
from worker.sandbox.clock import iso, parse_iso
from worker.sandbox.entities import OfflineSession, Tax, stable_id
from worker.sandbox.ledger import Cashier, Organization, Register
from worker.sandbox.offline import codes, fall_silent
from worker.sandbox.shifts import close_by_hand, open_by_hand
from worker.sandbox.state import State

_Json = Mapping[str, Any]


def put_cashier(state: State, body: _Json) -> Any:
    """Create a cashier, or change one; ``sign_out`` revokes the tokens.

    Settings: password, pin_code, branch, blocked (the reason), signature_type, signature_online,
    can_open_shift, certificate_end (RFC 3339).
    """
    login = str(body["login"])
    known = state.cashiers.get(login)
    title = known.organization.title if known else body.get("organization") or next(iter(state.organizations))
    organization = state.organizations[title]
    license_key = known.register.license_key if known else body.get("license_key") or f"test-{login}"
    cashier = state.add_cashier(
        login,
        state.add_register(license_key, organization),
        password=body.get("password"),
        pin_code=body.get("pin_code"),
    )
    _assign(cashier, body, {"branch": str, "blocked": _text})
    _set_signature(cashier, body)
    if body.get("sign_out"):
        for token in list(cashier.tokens):
            state.revoke(token)
    return {"id": cashier.id, "login": login, "license_key": license_key}


def set_organization(state: State, body: _Json) -> Any:
    """Change the organization with this title, or of this cashier.

    Settings: is_vat, subscription_end (a date), auto_close_shift_at; blocked, billing_status, date_to_block;
    taxes, a list that replaces the table: ``{code, label, symbol, rate, extra_rate, no_vat}``.
    """
    organization = _organization(state, body)
    _assign(organization, body, {"is_vat": _flag, "subscription_end": _text, "auto_close_shift_at": _text})
    billing = organization.billing
    if "blocked" in body:
        billing.is_blocked = bool(body["blocked"])
        billing.status = "BLOCKED" if billing.is_blocked else "ACTIVE"
        billing.status_changed_at = iso(state.clock.now())
    if "billing_status" in body:
        billing.status = str(body["billing_status"])
    _assign(billing, body, {"date_to_block": _text})
    if "taxes" in body:
        organization.taxes = {tax.code: tax for tax in map(_tax_of(organization), body["taxes"])}
    return {"id": organization.id, "title": organization.title, "taxes": sorted(organization.taxes)}


def set_register(state: State, body: _Json) -> Any:
    """Change the register with this licence key, or of this cashier.

    Settings: till (kopiykas), is_test, fiscal_number, branch; offline_codes: how many are left, and no new
    ones come; offline_for: the tax service has been silent for so many seconds, and stays so (0: it answers
    again); offline_before: seconds of an earlier session.
    """
    register = _register(state, body)
    _assign(register, body, {"is_test": bool, "fiscal_number": str, "branch": str})
    if "till" in body:
        change = int(body["till"]) - register.till
        register.till += change
        if register.shift is not None:
            register.shift.balance.initial += change
    if "offline_codes" in body:
        _leave_codes(state, register, int(body["offline_codes"]))
    _set_offline_time(state, register, body)
    return {"fiscal_number": register.fiscal_number, "till": register.till}


def set_shift(state: State, body: _Json) -> Any:
    """Open (``opened_at`` in the past makes it old) or close at once, as a person would."""
    cashier: Cashier = state.cashiers[body["cashier"]]
    action = body.get("action", "open")
    if action not in ("open", "close"):
        raise ValueError("the action is open or close")
    if action == "close":
        return shift(close_by_hand(state, cashier), state.clock.now())
    opened_at = body.get("opened_at")
    opened = open_by_hand(state, cashier, parse_iso(opened_at) if opened_at else None)
    return shift(opened, state.clock.now())


def _set_signature(cashier: Cashier, body: _Json) -> None:
    signature = cashier.signature
    if "signature_type" in body:
        signature.type = str(body["signature_type"])
    if "signature_online" in body:
        signature.is_online = bool(body["signature_online"])
    _assign(signature, body, {"can_open_shift": bool})
    if "certificate_end" in body:
        ends_at = body["certificate_end"]
        signature.ends_at = None if ends_at is None else parse_iso(ends_at)


def _set_offline_time(state: State, register: Register, body: _Json) -> None:
    now = state.clock.now()
    if "offline_before" in body:
        seconds = float(body["offline_before"])
        end = now - float(body.get("offline_for", 0)) - 1
        register.offline_sessions.append(OfflineSession(end - seconds, end))
    if "offline_for" in body:
        seconds = float(body["offline_for"])
        register.silent_until = 0.0
        if seconds:
            fall_silent(register, now - seconds, float("inf"))
        elif register.offline_sessions:
            register.offline_sessions[-1].end = min(register.offline_sessions[-1].end, now)


def _leave_codes(state: State, register: Register, count: int) -> None:
    codes(state, register)
    register.refills_codes = False
    while len(register.offline_codes) > count:
        register.offline_codes.pop()


def _organization(state: State, body: _Json) -> Organization:
    if "cashier" in body:
        return state.cashiers[body["cashier"]].organization
    return state.organizations[body["organization"]]


def _register(state: State, body: _Json) -> Register:
    if "cashier" in body:
        return state.cashiers[body["cashier"]].register
    return state.registers[body["license_key"]]


def _tax_of(organization: Organization) -> Callable[[_Json], Tax]:
    def tax(body: _Json) -> Tax:
        code = int(body["code"])
        extra_rate = body.get("extra_rate")
        return Tax(
            id=stable_id(organization.title, str(code)),
            code=code,
            label=str(body["label"]),
            symbol=str(body["symbol"]),
            rate=Fraction(str(body["rate"])),
            extra_rate=None if extra_rate is None else Fraction(str(extra_rate)),
            no_vat=bool(body.get("no_vat", False)),
        )

    return tax


def _assign(target: object, body: _Json, casts: Mapping[str, Callable[[Any], Any]]) -> None:
    """Change only the attributes named in the body."""
    for name, cast in casts.items():
        if name in body:
            setattr(target, name, cast(body[name]))


def _text(value: Any) -> str | None:
    return None if value is None else str(value)


def _flag(value: Any) -> bool | None:
    return None if value is None else bool(value)
