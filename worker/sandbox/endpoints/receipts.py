"""Receipts: create, find, print."""

from __future__ import annotations

import json
from collections.abc import Iterable

from worker.sandbox import sales
from worker.sandbox.bodies import printed
from worker.sandbox.bodies.party_body import branch_id
from worker.sandbox.bodies.receipt_body import receipt_bodies, receipt_body
from worker.sandbox.bodies.short_receipt_body import short_receipt_bodies
from worker.sandbox.endpoints.query import flag, ids, moment, number, one, page
from worker.sandbox.exchange import Call
from worker.sandbox.ledger import Receipt
from worker.sandbox.refusals import Refusal, receipt_not_found, wrong_register_type
from worker.sandbox.replies import Reply, answer
from worker.sandbox.shifts import current_shift


def sell(call: Call) -> Reply:
    return Reply(sales.sell(call.state, call.cashier, call.body, call.raw), 201)


def sell_offline(call: Call) -> Reply:
    return Reply(sales.sell_offline(call.state, call.cashier, call.body, call.raw), 201)


def add_external(call: Call) -> Reply:
    return Reply(sales.add_external(call.state, call.cashier, call.body, call.raw), 201)


def service_currency(_: Call) -> Reply:
    """Only for registers of exchange offices, which the sandbox lacks."""
    raise wrong_register_type()


def validate(call: Call) -> Reply:
    sales.validate(call.state, call.cashier, call.body)
    return answer({"validated": True})


def bulk_sell(call: Call) -> Reply:
    """ASSUMED: the values of ``status``; each receipt is accepted or refused independently."""
    results = []
    for body in call.body["receipts"]:
        request = json.dumps(body, ensure_ascii=False).encode()
        try:
            sales.sell(call.state, call.cashier, body, request)
            results.append({"id": body.get("id"), "status": "CREATED", "message": None})
        except Refusal as refusal:
            results.append({"id": body.get("id"), "status": "ERROR", "message": str(refusal)})
    return answer({"results": results})


def service(call: Call) -> Reply:
    return Reply(sales.service(call.state, call.cashier, call.body, call.raw), 201)


def receipt_get(call: Call) -> Reply:
    """By id or by fiscal code; a receipt of another organization is not found."""
    receipt = _receipt(call)
    now = call.state.clock.now()
    is_foreign = receipt.shift.register.organization is not call.cashier.organization
    if is_foreign or _is_hidden(call, "GET /receipts/{receipt_id}", receipt, now):
        raise receipt_not_found()
    if receipt.shown_at is None and receipt.transaction.is_over(now):
        receipt.shown_at = now
    return Reply(receipt_body(call.state, receipt, now))


def receipt_list(call: Call) -> Reply:
    """Receipts of the register with the cashier's shift, or of the organization if there is none."""
    now = call.state.clock.now()
    shift = current_shift(call.cashier, now)
    receipts = shift.register.receipts if shift else call.cashier.organization.receipts
    fiscal_code, serial = one(call, "fiscal_code"), one(call, "serial")
    found = [
        receipt
        for receipt in receipts
        if (fiscal_code is None or receipt.fiscal_code(now) == fiscal_code)
        and (serial is None or str(receipt.serial) == serial)
    ]
    return _receipt_page(call, found)


def receipt_search(call: Call) -> Reply:
    """``from_date`` is inclusive, ``to_date`` exclusive; short form and page size depend on the options."""
    now = call.state.clock.now()
    own = flag(call, "self_receipts", default=True)
    shifts, registers = ids(call, "shift_id"), ids(call, "cash_register_id")
    fiscal_code, barcode = one(call, "fiscal_code"), one(call, "barcode")
    stock_code, branches = one(call, "stock_code"), ids(call, "branch_id")
    start, end = moment(call, "from_date"), moment(call, "to_date")
    found = [
        receipt
        for receipt in _candidates(call, shifts)
        if (not own or receipt.shift.cashier is call.cashier)
        and (registers is None or receipt.shift.register.id in registers)
        and (fiscal_code is None or receipt.fiscal_code(now) == fiscal_code)
        and (start is None or receipt.created_at >= start)
        and (end is None or receipt.created_at < end)
        and (barcode is None or barcode.encode() in receipt.fixed)
        and (stock_code is None or f'"stock_code":"{stock_code}"'.encode() in receipt.fixed)
        and (branches is None or _branch_id(receipt) in branches)
        and not _is_hidden(call, "GET /receipts/search", receipt, now)
    ]
    return _receipt_page(call, found, short=call.state.options.search_form == "short")


def receipt_html(call: Call) -> Reply:
    page = printed.html(call.state, _receipt(call))
    return Reply(page.encode(), media_type="text/html; charset=utf-8")


def receipt_text(call: Call) -> Reply:
    width = number(call, "width", 42, low=10, high=250)
    text = printed.text(call.state, _receipt(call), width)
    return Reply(text.encode(), media_type="text/plain; charset=utf-8")


def receipt_pdf(call: Call) -> Reply:
    return Reply(printed.pdf(_receipt(call)), media_type="application/pdf")


def receipt_png(call: Call) -> Reply:
    return Reply(printed.png(_receipt(call).id), media_type="image/png")


def receipt_xml(call: Call) -> Reply:
    return Reply(printed.xml(call.state, _receipt(call)).encode(), media_type="application/xml")


def receipt_delivery(call: Call) -> Reply:
    """Nothing is actually sent."""
    _receipt(call).delivered_at = call.state.clock.now()
    return answer({"ok": True})


def _receipt(call: Call) -> Receipt:
    key = call.path["receipt_id"]
    receipt = call.state.receipts.get(key.lower())
    if receipt is not None:
        return receipt
    by_code = call.state.fiscal_codes.get(key)
    if by_code is None or by_code.fiscal_code(call.state.clock.now()) is None:
        raise receipt_not_found()
    return by_code


def _candidates(call: Call, shifts: list[str] | None) -> Iterable[Receipt]:
    """Receipts of the given shifts, or of the organization."""
    organization = call.cashier.organization
    if shifts is None:
        return organization.receipts
    named = (call.state.shifts.get(shift_id) for shift_id in shifts)
    return [
        receipt
        for shift in named
        if shift is not None and shift.register.organization is organization
        for receipt in shift.receipts
    ]


def _branch_id(receipt: Receipt) -> str:
    register = receipt.shift.register
    return branch_id(register.organization, register.branch)


def _is_hidden(call: Call, endpoint: str, receipt: Receipt, now: float) -> bool:
    faults = call.state.faults
    age = now - receipt.created_at
    return bool(faults) and faults.hides(endpoint, call.cashier.login, receipt.id, age)


def _receipt_page(call: Call, found: list[Receipt], *, short: bool = False) -> Reply:
    state = call.state
    now = state.clock.now()
    chosen, limit, offset = page(call, found, 100)
    in_form = short_receipt_bodies if short else receipt_bodies
    bodies = b",".join(in_form(state, chosen, now))
    meta = json.dumps({"limit": limit, "offset": offset}).encode()
    return Reply(b'{"meta":' + meta + b',"results":[' + bodies + b"]}")
