"""Opening and closing shifts. A register and a cashier have at most one open shift."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import uuid4

from worker.sandbox.bodies.party_body import signature_status
from worker.sandbox.bodies.report_body import figures
from worker.sandbox.clock import is_today_in_kyiv, parse_iso
from worker.sandbox.entities import Balance, Turnover
from worker.sandbox.ledger import Cashier, Register, Report, Shift
from worker.sandbox.refusals import (
    another_client,
    another_outlet,
    auto_close_not_today,
    cashier_has_shift,
    key_expired,
    register_busy,
    shift_not_opened,
    should_be_offline,
    unfinished_receipts,
)
from worker.sandbox.state import State

#: ASSUMED: the reason for a refused opening if the cashier's key cannot sign.
_KEY_ABSENT = "Підпис касира недоступний"


def current_shift(holder: Cashier | Register, now: float) -> Shift | None:
    """The open shift; one that has closed meanwhile is released."""
    shift = holder.shift
    if shift is None or shift.status(now) != "CLOSED":
        return shift
    for owner in (shift.cashier, shift.register):
        if owner.shift is shift:
            owner.shift = None
    return None


def open_shift(
    state: State, cashier: Cashier, register: Register, body: Mapping[str, Any], client_name: str | None
) -> Shift:
    """Raises ``Refusal``. The shift opens, or is refused by the tax service, after ``open_after``."""
    now = state.clock.now()
    if register.organization is not cashier.organization or register.branch != cashier.branch:
        raise another_outlet()
    if cashier.signature.is_expired(now):
        raise key_expired()
    _check_free(state, cashier, register, now)
    if (body.get("fiscal_code") or body.get("fiscal_date")) and not register.stay_offline:
        raise should_be_offline()
    auto_close_at = None
    if body.get("auto_close_at"):
        auto_close_at = parse_iso(body["auto_close_at"])
        if not is_today_in_kyiv(auto_close_at, now) or auto_close_at <= now:
            raise auto_close_not_today()
    shift = _new_shift(state, cashier, register, opened_at=now + state.options.open_after, id_=body.get("id"))
    shift.auto_close_at = auto_close_at
    shift.client_name = client_name
    if not signature_status(cashier, now)["shift_open_possibility"]:
        shift.refusal = shift.initial.error = _KEY_ABSENT
    for fault in state.faults.draw("shift", "POST /shifts", cashier.login, None):
        shift.refusal = shift.initial.error = fault.words
    return shift


def open_by_hand(state: State, cashier: Cashier, opened_at: float | None = None) -> Shift:
    """As in Checkbox's own application, but open at once. Raises ``Refusal``.

    One that is older than a day is one that Checkbox has left open.
    """
    now = state.clock.now()
    _check_free(state, cashier, cashier.register, now)
    shift = _new_shift(state, cashier, cashier.register, opened_at=min(opened_at or now, now))
    shift.force_close = shift.force_close and not shift.is_older_than_a_day(now)
    return shift


def close_shift(state: State, cashier: Cashier, body: Mapping[str, Any], client_name: str | None) -> Shift:
    """The Z report exists at once; its number and CLOSED follow after ``close_after``. Raises ``Refusal``.

    ASSUMED A10: with unfinished receipts it waits for them, or refuses.
    """
    now = state.clock.now()
    shift = current_shift(cashier, now)
    if shift is None or shift.status(now) != "OPENED":
        raise shift_not_opened()
    is_own = shift.client_name == client_name or bool(body.get("skip_client_name_check"))
    if not is_own and state.options.client_name_check:
        raise another_client()
    unfinished = [receipt.ended_at for receipt in shift.receipts if receipt.ended_at > now]
    if unfinished and state.options.close_with_unfinished == "refuse":
        raise unfinished_receipts()
    _close(state, shift, closed_at=max([now, *unfinished]) + state.options.close_after)
    return shift


def close_by_hand(state: State, cashier: Cashier) -> Shift:
    """At once, even with unfinished receipts. Raises ``Refusal`` if no shift is open."""
    now = state.clock.now()
    shift = current_shift(cashier, now)
    if shift is None:
        raise shift_not_opened()
    _close(state, shift, closed_at=now)
    current_shift(cashier, now)
    return shift


def make_report(state: State, shift: Shift, *, is_z_report: bool, serial: int) -> Report:
    """A report with the current figures of the shift."""
    now = state.clock.now()
    report = Report(
        id=str(uuid4()),
        serial=serial,
        is_z_report=is_z_report,
        shift=shift,
        created_at=now,
        figures={},
    )
    report.figures = figures(report, now)
    state.reports[report.id] = report
    return report


def _check_free(state: State, cashier: Cashier, register: Register, now: float) -> None:
    if current_shift(cashier, now) is not None and state.options.own_shift == "named":
        raise cashier_has_shift(state.options)
    if current_shift(cashier, now) is not None or current_shift(register, now) is not None:
        raise register_busy(state.options)


def _new_shift(
    state: State, cashier: Cashier, register: Register, *, opened_at: float, id_: str | None = None
) -> Shift:
    now = state.clock.now()
    register.shift_serial += 1
    shift = Shift(
        id=(id_ or str(uuid4())).lower(),
        serial=register.shift_serial,
        register=register,
        cashier=cashier,
        created_at=min(now, opened_at),
        opened_at=opened_at,
        initial=state.new_transaction("SHIFT_OPEN", register, done_at=opened_at),
        balance=Balance(initial=register.till),
        turnovers={
            code: Turnover(id=str(uuid4()), tax=tax) for code, tax in register.organization.taxes.items()
        },
        force_close=state.options.force_close_at_24h,
        transactions=1,
    )
    shift.initial.cashier_id = cashier.id
    if state.options.serials == "shift":
        shift.initial.serial = 0
    state.shifts[shift.id] = shift
    register.shifts.append(shift)
    register.shift = cashier.shift = shift
    return shift


def _close(state: State, shift: Shift, *, closed_at: float) -> None:
    shift.closing_at = state.clock.now()
    shift.closed_at = closed_at
    shift.z_report = make_report(state, shift, is_z_report=True, serial=shift.serial)
    shift.closing = state.new_transaction("Z_REPORT", shift.register, done_at=closed_at, shift=shift)
    shift.closing.fiscal_code = state.new_code(
        shift.z_report.id, lambda _: False, is_test=shift.register.is_test
    )
