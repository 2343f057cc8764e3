"""The body of a receipt: members fixed at creation, and members that change with time."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from worker.sandbox.arithmetic import Discounted, Line, TaxSum, Totals, line_taxes, rounding
from worker.sandbox.bodies.shift_body import Body, shift, tax, transaction
from worker.sandbox.clock import KYIV, iso
from worker.sandbox.entities import plain
from worker.sandbox.ledger import Receipt
from worker.sandbox.options import Options
from worker.sandbox.payments import LABELS
from worker.sandbox.state import State

_CARD_MEMBERS = (
    "provider_type",
    "commission",
    "card_mask",
    "bank_name",
    "auth_code",
    "rrn",
    "payment_system",
    "owner_name",
    "terminal",
    "acquiring",
    "acquirer_and_seller",
    "receipt_no",
    "signature_required",
    "tapxphone_terminal",
    "transaction_id",
    "ereceipt_data",
)
_DISCOUNT_MEMBERS = ("name", "tax_code", "tax_codes", "privilege")
#: Members of the request that are echoed.
_ECHOED = (
    "order_id",
    "header",
    "footer",
    "barcode",
    "custom",
    "related_receipt_id",
    "related_receipt_created_at",
    "stock_code",
    "rounding_mode",
    "delivery",
)


def compact(body: Mapping[str, Any]) -> bytes:
    """JSON without braces, to be joined with other members."""
    return json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()[1:-1]


def receipt_body(state: State, receipt: Receipt, now: float) -> bytes:
    """The receipt as JSON."""
    return next(receipt_bodies(state, [receipt], now))


def receipt_bodies(state: State, receipts: Iterable[Receipt], now: float) -> Iterator[bytes]:
    """Each receipt as JSON; a shift that several of them share is written once."""
    shifts: dict[str, bytes] = {}
    for receipt in receipts:
        shift_id = receipt.shift.id
        if shift_id not in shifts:
            shifts[shift_id] = compact({"shift": {**shift(receipt.shift, now), "initial_transaction": None}})
        yield _receipt_body(state, receipt, now, shifts[shift_id])


def _receipt_body(state: State, receipt: Receipt, now: float, shift_member: bytes) -> bytes:
    fiscal_code = receipt.fiscal_code(now)
    status = receipt.status(now)
    changing = {
        "status": status,
        "fiscal_code": fiscal_code,
        "fiscal_date": iso(receipt.fiscal_date),
        "tax_url": _tax_url(state, receipt, fiscal_code) if fiscal_code else None,
        "delivered_at": iso(receipt.delivered_at) if receipt.delivered_at is not None else None,
        "updated_at": iso(receipt.created_at if status == "CREATED" else receipt.ended_at),
        "is_created_offline": receipt.is_offline,
        "control_number": receipt.control_number,
        "processed_counter": 0 if status == "CREATED" else 1,
        "context": None if receipt.hide_context else receipt.context,
        "transaction": transaction(receipt.transaction, now),
        "transaction_id": receipt.transaction.id,
    }
    body = b"{" + b",".join((receipt.fixed, compact(changing), shift_member)) + b"}"
    return _with_old_names(body) if receipt.old_names else body


def fixed_members(body: Mapping[str, Any], totals: Totals, options: Options) -> Body:
    to_kopiykas = rounding(options)
    with_rounding = totals.round_sum != 0 and options.total_sum_is_rounded
    return {
        "goods": [_line(line, options, totals.is_return) for line in totals.lines],
        "payments": [_payment(payment) for payment in body.get("payments") or ()],
        "total_sum": totals.total + (totals.round_sum if with_rounding else 0),
        "total_payment": totals.paid,
        "total_rest": totals.rest,
        "round_sum": totals.round_sum,
        "taxes": [_tax_sum(tax_sum, options, totals.is_return) for tax_sum in totals.taxes],
        "discounts": [_discount(item, to_kopiykas(item.sum), options) for item in totals.discounts],
        "technical_return": bool(body.get("technical_return")),
        **_common(body),
    }


def fixed_members_of_service(body: Mapping[str, Any], value: int) -> Body:
    """The answer shows the absolute value in both directions."""
    return {
        "goods": [],
        "payments": [_payment({**body["payment"], "value": value})],
        "total_sum": value,
        "total_payment": value,
        "total_rest": 0,
        "round_sum": 0,
        "taxes": [],
        "discounts": [],
        "technical_return": False,
        **_common(body),
    }


def _common(body: Mapping[str, Any]) -> Body:
    """``is_sent_dps`` stays false on test registers, even when the receipt is DONE (seen live)."""
    return {
        **{name: body.get(name) for name in _ECHOED},
        "is_sent_dps": False,
        "sent_dps_at": None,
        "fiscal_api_type": None,
        "currency_exchange": None,
        "service_currency_exchange": [],
        "pre_payment_relation_id": body.get("pre_payment_relation_id"),
    }


def _line(line: Line, options: Options, is_return: bool) -> Body:
    to_kopiykas = rounding(options)
    good = line.payload["good"]
    is_net = line.net != line.gross and options.line_sum == "after_discounts"
    return {
        "good": {
            "code": good["code"],
            "barcode": good.get("barcode"),
            "name": good["name"],
            "excise_barcodes": _excise_barcodes(good),
            "e_excise_barcodes": good.get("e_excise_barcodes"),
            "header": good.get("header"),
            "footer": good.get("footer"),
            "uktzed": good.get("uktzed"),
            "price": good["price"],
            "original_price": good.get("original_price"),
        },
        "good_id": line.payload.get("good_id"),
        "sum": to_kopiykas(line.net if is_net else line.gross),
        "quantity": line.payload["quantity"],
        "is_return": is_return,
        "taxes": [_tax_sum(tax_sum, options, is_return) for tax_sum in line_taxes(line)],
        "discounts": [_discount(discount, to_kopiykas(discount.sum), options) for discount in line.discounts],
    }


def _excise_barcodes(good: Mapping[str, Any]) -> list[str] | None:
    """The obsolete single code becomes a list of one."""
    listed: list[str] | None = good.get("excise_barcodes")
    if listed is None and good.get("excise_barcode"):
        return [good["excise_barcode"]]
    return listed


def _payment(payload: Mapping[str, Any]) -> Body:
    kind = payload.get("type", "CASH")
    body: Body = {
        "type": kind,
        "pawnshop_is_return": payload.get("pawnshop_is_return"),
        "operation_type": payload.get("operation_type"),
        "value": payload["value"],
        "label": payload.get("label") or LABELS[kind],
    }
    if kind != "CASH":
        body["code"] = payload.get("code", 1)
        body.update((name, payload.get(name)) for name in _CARD_MEMBERS)
    return body


def _tax_sum(tax_sum: TaxSum, options: Options, is_return: bool) -> Body:
    to_kopiykas = rounding(options)
    turnover = to_kopiykas(tax_sum.turnover)
    return {
        **tax(tax_sum.tax),
        "sales_turnover": 0 if is_return else turnover,
        "returns_turnover": turnover if is_return else 0,
        "value": to_kopiykas(tax_sum.value),
        "extra_value": to_kopiykas(tax_sum.extra_value),
        "value_decimal": plain(tax_sum.value),
        "extra_value_decimal": plain(tax_sum.extra_value),
    }


def _discount(discount: Discounted, kopiykas: int, options: Options) -> Body:
    """ASSUMED A7: the sum of a discount is negative."""
    shown = kopiykas if options.discount_sum == "negative" else abs(kopiykas)
    return {**dict.fromkeys(_DISCOUNT_MEMBERS), **discount.payload, "sum": shown}


def _tax_url(state: State, receipt: Receipt, fiscal_code: str) -> str:
    """The public check. The time is Kyiv's, ``mac`` is random, ``fn`` is absent for offline receipts."""
    local = datetime.fromtimestamp(receipt.fiscal_date, KYIV)
    query = {"id": fiscal_code, "date": local.strftime("%Y%m%d"), "time": local.strftime("%H:%M:%S")}
    if not receipt.is_offline:
        query["fn"] = receipt.shift.register.fiscal_number
    query["sm"] = f"{receipt.sums.total // 100}.{receipt.sums.total % 100:02}"
    query["mac"] = f"{state.random.getrandbits(256):064x}"
    return f"https://cabinet.tax.gov.ua/cashregs/check?{urlencode(query)}"


def _with_old_names(raw: bytes) -> bytes:
    """With the member names of 2020."""
    body = json.loads(raw)
    body["sum"] = body.pop("total_sum")
    body["rest"] = body.pop("total_rest")
    return json.dumps(body, ensure_ascii=False).encode()
