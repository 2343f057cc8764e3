"""Issuing a receipt: numbering it, storing it, and deciding how the tax service will answer."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any
from uuid import uuid4

from worker.sandbox.arithmetic import Totals
from worker.sandbox.bodies.receipt_body import compact, receipt_body
from worker.sandbox.booking import book
from worker.sandbox.clock import iso
from worker.sandbox.entities import Sums
from worker.sandbox.ledger import Receipt, Register, Shift
from worker.sandbox.offline import codes, fall_silent, take_code
from worker.sandbox.state import State

#: Tolerance, so that an evenly paced client does not exceed the rate by jitter.
_JITTER = 0.05
SELL, SERVICE = "POST /receipts/sell", "POST /receipts/service"


def new_receipt(
    state: State,
    shift: Shift,
    body: Mapping[str, Any],
    request: bytes,
    kind: str,
    sums: Sums,
    fixed: Mapping[str, Any],
    endpoint: str,
) -> Receipt:
    """``endpoint`` is where it was asked for, as faults name it."""
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
    transaction.fiscal_code = state.new_fiscal_code(receipt.id, register)
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
            "is_test": register.is_test,
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
    """Apply the faults configured for this receipt, and the register's offline mode."""
    now = receipt.created_at
    register = receipt.shift.register
    transaction = receipt.transaction
    for fault in state.faults.draw("receipt", endpoint, receipt.shift.cashier.login, receipt.id):
        match fault.kind:
            case "created_for":
                transaction.done_at = now + fault.seconds
            case "error_receipt":
                transaction.error = fault.words
            case "offline" | "upload_refused" if codes(state, register):
                transaction.error = fault.words if fault.kind == "upload_refused" else None
                fall_silent(register, now, now + fault.seconds)
            case "no_context":
                receipt.hide_context = True
            case "old_names":
                receipt.old_names = True
    if register.stay_offline:
        make_offline(state, receipt, take_code(state, register), done_at=math.inf)
    elif now < register.silent_until:
        make_offline(state, receipt, take_code(state, register), done_at=register.silent_until)


def make_offline(state: State, receipt: Receipt, fiscal_code: str, *, done_at: float) -> None:
    """Assign the code at once; the document is uploaded when the tax service is back."""
    transaction = receipt.transaction
    state.fiscal_codes.pop(transaction.fiscal_code or "", None)
    state.fiscal_codes[fiscal_code] = receipt
    receipt.shift.register.used_codes.add(fiscal_code)
    transaction.fiscal_code = transaction.offline_id = fiscal_code
    transaction.original_datetime = receipt.created_at
    transaction.done_at = done_at
    receipt.is_offline = True
    if math.isinf(done_at) and state.options.offline_done == "at_once":
        receipt.settled_at = receipt.created_at + state.options.done_after
    receipt.control_number = f"{receipt.serial % 10_000:04}"


def issue(state: State, receipt: Receipt, totals: Totals | None) -> bytes:
    """Build the 201 body, whose balance does not include the receipt yet (seen in 2020), then book it.

    ASSUMED: an offline receipt that the tax service refuses later stays in the sums of its shift.
    """
    moment = math.nextafter(receipt.created_at, 0.0)
    answer = receipt_body(state, receipt, moment)
    if receipt.is_booked:
        book(receipt, totals)
    return answer


def _done_at(state: State, register: Register, now: float) -> float:
    """When the tax service answers. Above the rate the register's processing pauses."""
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
