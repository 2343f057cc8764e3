"""The bodies of answers: shifts, reports, taxes and transactions."""

from __future__ import annotations

import math
from fractions import Fraction
from typing import Any

from worker.sandbox.bodies.party_body import cashier, register_in_shift
from worker.sandbox.clock import iso, iso_kyiv
from worker.sandbox.entities import Tax
from worker.sandbox.ledger import Organization, Report, Shift, Transaction

Body = dict[str, Any]
#: When the organizations set up their taxes.
TAXES_SINCE = 1_643_367_377.0


def plain(number: Fraction | int | None) -> int | float | None:
    """A JSON number: whole where it is whole."""
    if number is None or isinstance(number, int):
        return number
    return number.numerator if number.denominator == 1 else float(number)


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


def shift(item: Shift, now: float, *, with_cashier: bool = True) -> Body:
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
                "sales": turnover.sales,
                "returns": turnover.returns,
                "sales_turnover": turnover.sales_turnover,
                "returns_turnover": turnover.returns_turnover,
            }
            for turnover in item.turnovers.values()
        ],
        "fiscal_api_type": None,
        "evpez_shift_id": None,
        "emergency_close": True if _was_forced(item, status) else None,
        "emergency_close_details": None,
        "cash_register": register_in_shift(item.register),
    }
    if with_cashier:
        body["cashier"] = cashier(item.cashier)
    return body


def report(item: Report, now: float) -> Body:
    closing = item.shift.closing if item.is_z_report else None
    return {**item.figures, "fiscal_code": closing.fiscal_code if closing and closing.is_over(now) else None}


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
