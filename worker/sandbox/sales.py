"""Making receipts: sales, returns, money put into the till and taken out."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any
from uuid import uuid4

from worker.sandbox.arithmetic import Totals, total_up
from worker.sandbox.bodies.receipt_body import compact, fixed_members, fixed_members_of_service, receipt_body
from worker.sandbox.booking import book
from worker.sandbox.clock import iso, parse_iso
from worker.sandbox.ledger import Cashier, Receipt, Register, Shift, Sums
from worker.sandbox.offline import take_code
from worker.sandbox.refusals import (
    fiscal_date_before_shift,
    offline_code_used,
    previous_receipt_differs,
    receipt_exists,
    shift_not_opened,
    shift_open_over_24h,
    should_be_offline,
    till_short,
    total_sum_disabled,
)
from worker.sandbox.shifts import current_shift
from worker.sandbox.state import State

#: An evenly paced client is not over the rate because one of its requests came a moment early.
_JITTER = 0.05


def sell(state: State, cashier: Cashier, body: Mapping[str, Any], request: bytes) -> bytes:
    """A sale or a return: the 201 body. Raises ``Refusal``, and then nothing was made and the id stays free.

    The order of the checks is known only as far as a duplicate id is refused in all states of the first
    receipt and whatever the payload.
    """
    shift = ready_shift(state, cashier, body)
    totals = _checked_totals(state, shift, body)
    return issue(state, of_goods(state, shift, body, request, totals), totals)


def sell_offline(state: State, cashier: Cashier, body: Mapping[str, Any], request: bytes) -> bytes:
    """A receipt with a number from the register's stock and a time of the client. Raises ``Refusal``."""
    shift = ready_shift(state, cashier, body)
    register = shift.register
    if not register.stay_offline:
        raise should_be_offline()
    fiscal_date = parse_iso(body["fiscal_date"])
    if fiscal_date <= shift.opened_at:
        raise fiscal_date_before_shift(iso(shift.opened_at))
    if body["fiscal_code"] in register.used_codes:
        raise offline_code_used(body["fiscal_code"])
    totals = _checked_totals(state, shift, body)
    receipt = of_goods(state, shift, body, request, totals)
    _make_offline(state, receipt, body["fiscal_code"], done_at=math.inf)
    receipt.fiscal_date = receipt.transaction.original_datetime = fiscal_date
    return issue(state, receipt, totals)


def validate(state: State, cashier: Cashier, body: Mapping[str, Any]) -> None:
    """All the checks of a sale, and nothing is stored. Raises ``Refusal``."""
    _checked_totals(state, ready_shift(state, cashier, body), body)


def service(state: State, cashier: Cashier, body: Mapping[str, Any], request: bytes) -> bytes:
    """Money into the till (above 0) or out of it: the 201 body. Raises ``Refusal``."""
    shift = ready_shift(state, cashier, body)
    value = body["payment"]["value"]
    if shift.register.till + value < 0:
        raise till_short()
    sums = Sums(total=abs(value), round_sum=0, cash=abs(value), card=0)
    fixed = fixed_members_of_service(body, abs(value))
    kind = "SERVICE_IN" if value >= 0 else "SERVICE_OUT"
    endpoint = "POST /receipts/service"
    return issue(state, _new_receipt(state, shift, body, request, kind, sums, fixed, endpoint), None)


def ready_shift(state: State, cashier: Cashier, body: Mapping[str, Any]) -> Shift:
    """The cashier's open shift. Raises ``Refusal``, also where the body's id is known."""
    now = state.clock.now()
    receipt_id = (body.get("id") or "").lower()
    if state.options.duplicate_before_shift:
        _check_new(state, receipt_id)
    shift = current_shift(cashier, now)
    if shift is None or shift.status(now) != "OPENED":
        raise shift_not_opened()
    _check_new(state, receipt_id)
    if shift.is_older_than_a_day(now):
        raise shift_open_over_24h(state.options)
    previous = body.get("previous_receipt_id")
    stored = shift.register.receipts
    if previous is not None and (not stored or stored[-1].id != previous.lower()):
        raise previous_receipt_differs()
    return shift


def _check_new(state: State, receipt_id: str) -> None:
    if receipt_id in state.receipts:
        state.duplicates_refused += 1
        raise receipt_exists()


def _checked_totals(state: State, shift: Shift, body: Mapping[str, Any]) -> Totals:
    if any(item.get("total_sum") is not None for item in body["goods"]):
        raise total_sum_disabled()
    totals = total_up(body, shift.register.organization, state.options)
    if totals.is_return and totals.cash > shift.register.till:
        raise till_short()
    return totals


def of_goods(
    state: State,
    shift: Shift,
    body: Mapping[str, Any],
    request: bytes,
    totals: Totals,
    endpoint: str = "POST /receipts/sell",
) -> Receipt:
    """A receipt of these lines and payments; ``endpoint`` is where it was asked for, as faults name it."""
    sums = Sums(total=totals.total, round_sum=totals.round_sum, cash=totals.cash, card=totals.card)
    kind = "RETURN" if totals.is_return else "SELL"
    fixed = fixed_members(body, totals, state.options)
    return _new_receipt(state, shift, body, request, kind, sums, fixed, endpoint)


def _new_receipt(
    state: State,
    shift: Shift,
    body: Mapping[str, Any],
    request: bytes,
    kind: str,
    sums: Sums,
    fixed: Mapping[str, Any],
    endpoint: str,
) -> Receipt:
    now = state.clock.now()
    register = shift.register
    register.receipt_serial += 1
    done_at = _done_at(state, register, now)
    transaction = state.new_transaction("RECEIPT", register, done_at=done_at, shift=shift)
    receipt = Receipt(
        id=(body.get("id") or str(uuid4())).lower(),
        type=kind,
        serial=register.receipt_serial,
        shift=shift,
        transaction=transaction,
        created_at=now,
        fiscal_date=now,
        sums=sums,
        related_receipt_id=body.get("related_receipt_id"),
        context=body.get("context"),
        fixed=b"",
        request=request,
    )
    transaction.fiscal_code = state.new_fiscal_code(receipt.id)
    receipt.fixed = compact(
        {
            "id": receipt.id,
            "serial": receipt.serial,
            "type": kind,
            **fixed,
            "created_at": iso(now),
            "shift_id": shift.id,
            "cashier_id": shift.cashier.id,
            "cash_register_id": register.id,
            "organization_id": register.organization.id,
            "transaction_id": transaction.id,
        }
    )
    _store(state, receipt)
    _strike(state, receipt, endpoint)
    return receipt


def _store(state: State, receipt: Receipt) -> None:
    register = receipt.shift.register
    state.receipts[receipt.id] = receipt
    if receipt.transaction.fiscal_code:
        state.fiscal_codes[receipt.transaction.fiscal_code] = receipt
    register.receipts.append(receipt)
    register.organization.receipts.append(receipt)
    receipt.shift.receipts.append(receipt)


def _strike(state: State, receipt: Receipt, endpoint: str) -> None:
    """The faults that are ordered for this receipt, and a register that is offline."""
    now = receipt.created_at
    register = receipt.shift.register
    transaction = receipt.transaction
    for fault in state.faults.draw("receipt", endpoint, receipt.shift.cashier.login, receipt.id):
        match fault.kind:
            case "created_for":
                transaction.done_at = now + fault.seconds
            case "error_receipt":
                transaction.error = fault.words
            case "offline":
                register.silent_until = max(register.silent_until, now + fault.seconds)
            case "no_context":
                receipt.hide_context = True
            case "old_names":
                receipt.old_names = True
    if register.stay_offline:
        _make_offline(state, receipt, take_code(state, register), done_at=math.inf)
    elif now < register.silent_until:
        _make_offline(state, receipt, take_code(state, register), done_at=register.silent_until)


def _make_offline(state: State, receipt: Receipt, fiscal_code: str, *, done_at: float) -> None:
    """The number is there at once; the tax service takes the document when it is back."""
    transaction = receipt.transaction
    state.fiscal_codes.pop(transaction.fiscal_code or "", None)
    state.fiscal_codes[fiscal_code] = receipt
    receipt.shift.register.used_codes.add(fiscal_code)
    transaction.fiscal_code = transaction.offline_id = fiscal_code
    transaction.original_datetime = receipt.created_at
    transaction.done_at = done_at
    receipt.is_offline = True
    receipt.control_number = f"{receipt.serial % 10_000:04}"


def issue(state: State, receipt: Receipt, totals: Totals | None) -> bytes:
    """The balance in a 201 body does not count the receipt yet (seen in 2020)."""
    moment = math.nextafter(receipt.created_at, 0.0)
    answer = receipt_body(state, receipt, moment)
    if receipt.transaction.error is None:
        book(receipt, totals)
    return answer


def _done_at(state: State, register: Register, now: float) -> float:
    """When the tax service answers: above the rate the register's processing pauses."""
    options = state.options
    if options.throttle:
        accepted = register.accepted
        while accepted and accepted[0] <= now - 1 + _JITTER:
            accepted.popleft()
        accepted.append(now)
        if len(accepted) > options.rate:
            register.paused_until = now + options.pause
            state.throttled[register.fiscal_number] += 1
    return max(now, register.paused_until) + options.done_after
