"""Bodies of shifts, taxes, transactions and pages."""

from __future__ import annotations

import base64
import math
from typing import Any

from worker.sandbox.arithmetic import half_up
from worker.sandbox.bodies.party_body import cashier, register_in_shift
from worker.sandbox.bodies.report_body import report
from worker.sandbox.clock import iso, iso_kyiv
from worker.sandbox.entities import Tax, plain
from worker.sandbox.ledger import TAXES_SINCE, Organization, Shift
from worker.sandbox.transactions import Transaction

Body = dict[str, Any]


def tax(item: Tax, created_at: float = TAXES_SINCE) -> Body:
    return {
        "id": item.id,
        "code": item.code,
        "label": item.label,
        "symbol": item.symbol,
        "rate": plain(item.rate),
        "extra_rate": plain(item.extra_rate),
        "included": True,
        "is_gambling": None,
        "created_at": iso(created_at),
        "updated_at": None,
        "no_vat": item.no_vat,
        "type": "INCLUDED",
    }


def tax_list(organization: Organization) -> list[Body]:
    return [
        {
            **tax(item),
            "is_default": False,
            "decimal_rate": plain(item.rate),
            "decimal_extra_rate": plain(item.extra_rate),
        }
        for item in organization.taxes.values()
    ]


def transaction(item: Transaction, now: float) -> Body:
    is_over = item.is_over(now)
    refused = is_over and item.error is not None
    return {
        "id": item.id,
        "type": item.type,
        "serial": item.serial,
        "status": item.status(now),
        "request_signed_at": iso(item.signed_at) if now >= item.signed_at else None,
        "request_received_at": iso(item.delivered_at) if now >= item.delivered_at else None,
        "response_status": ("ERROR" if refused else "OK") if is_over else None,
        "response_error_message": (item.error or "") if is_over else None,
        "response_id": item.fiscal_code if is_over and not refused else None,
        "offline_id": item.offline_id,
        "created_at": iso(item.created_at),
        "updated_at": iso(item.done_at if is_over else item.created_at),
        "original_datetime": iso(item.original_datetime) if item.original_datetime is not None else None,
        "previous_hash": item.previous_hash,
    }


def whole_transaction(item: Transaction, now: float) -> Body:
    """With placeholders for the document and its signature."""
    document = f'<RQ V="1"><DAT DI="{item.serial}"/></RQ>'.encode()
    is_signed = now >= item.signed_at
    return {
        **transaction(item, now),
        "request_data": base64.b64encode(document).decode(),
        "request_signature": base64.b64encode(item.id.encode()).decode() if is_signed else None,
        "response_id_signature": None,
        "response_data_signature": None,
        "response_data": None,
    }


def shift(item: Shift, now: float) -> Body:
    return {**listed_shift(item, now, with_register=True), "cashier": cashier(item.cashier)}


def shift_with_cashier(item: Shift, now: float) -> Body:
    return {**listed_shift(item, now, with_register=False), "cashier": cashier(item.cashier)}


def listed_shift(item: Shift, now: float, *, with_register: bool) -> Body:
    """As in lists: without the cashier, and by licence key without the register."""
    status = item.status(now)
    is_open = now >= item.opened_at and item.refusal is None
    balance = item.balance
    body: Body = {
        "id": item.id,
        "serial": item.serial,
        "status": status,
        "z_report": report(item.z_report, now) if item.z_report else None,
        "opened_at": iso(item.opened_at) if is_open else None,
        "closed_at": _closed_at(item, status),
        "initial_transaction": transaction(item.initial, now),
        "closing_transaction": transaction(item.closing, now) if item.closing else None,
        "created_at": iso(item.created_at),
        "updated_at": iso(item.opened_at) if is_open else None,
        "balance": {
            "initial": balance.initial,
            "balance": balance.balance,
            "cash_sales": balance.cash_sales,
            "card_sales": balance.card_sales,
            "discounts_sum": balance.discounts,
            "extra_charge_sum": balance.extra_charges,
            "cash_returns": balance.cash_returns,
            "card_returns": balance.card_returns,
            "service_in": balance.service_in,
            "service_out": balance.service_out,
            "updated_at": None,
        },
        "taxes": [
            {
                **tax(turnover.tax, item.created_at),
                "id": turnover.id,
                "sales": half_up(turnover.sales),
                "returns": half_up(turnover.returns),
                "sales_turnover": half_up(turnover.sales_turnover),
                "returns_turnover": half_up(turnover.returns_turnover),
            }
            for turnover in item.turnovers.values()
        ],
        "fiscal_api_type": None,
        "evpez_shift_id": None,
        "emergency_close": True if _was_forced(item, status) else None,
        "emergency_close_details": None,
    }
    if with_register:
        body["cash_register"] = register_in_shift(item.register)
    return body


def page(results: list[Any], limit: int, offset: int) -> Body:
    return {"meta": {"limit": limit, "offset": offset}, "results": results}


def _closed_at(item: Shift, status: str) -> str | None:
    if item.refusal is not None or status not in ("CLOSING", "CLOSED"):
        return None
    if math.isinf(item.closing_at):
        return iso_kyiv(item.ends_by_itself_at)
    return iso_kyiv(item.closing_at if status == "CLOSING" else item.closed_at)


def _was_forced(item: Shift, status: str) -> bool:
    return status == "CLOSED" and item.refusal is None and item.force_close and item.closing is None
