"""Bodies of X and Z reports: a shift's figures by means of payment and by tax."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

from worker.sandbox.arithmetic import half_up
from worker.sandbox.clock import iso
from worker.sandbox.entities import PaymentTurnover, Turnover, plain
from worker.sandbox.ledger import TAXES_SINCE, Report

Body = dict[str, Any]


def report(item: Report, now: float) -> Body:
    """A Z report gets its number and date when the tax service accepts it."""
    closing = item.shift.closing if item.is_z_report else None
    is_numbered = closing is not None and closing.is_over(now)
    return {
        **item.figures,
        "fiscal_code": closing.fiscal_code if closing and is_numbered else None,
        "fiscal_date": iso(closing.done_at) if closing and is_numbered else None,
    }


def figures(item: Report, now: float) -> Body:
    """Members that do not change after creation."""
    shift = item.shift
    balance = shift.balance
    types = [receipt.type for receipt in shift.receipts if receipt.is_booked]
    return {
        "id": item.id,
        "shift_id": shift.id,
        "last_receipt_id": shift.receipts[-1].id if shift.receipts else None,
        "serial": item.serial,
        "is_z_report": item.is_z_report,
        "payments": [_payment(row) for row in shift.payments.values() if row.is_used],
        "taxes": [_tax(turnover, shift.created_at) for turnover in shift.turnovers.values()],
        "sell_receipts_count": types.count("SELL"),
        "return_receipts_count": types.count("RETURN"),
        "cash_withdrawal_receipts_count": 0,
        "currency_exchange_count": 0,
        "transfers_count": types.count("SERVICE_IN") + types.count("SERVICE_OUT"),
        "transfers_sum": balance.service_in - balance.service_out,
        "balance": balance.balance,
        "initial": balance.initial,
        "sales_round_up": balance.sales_round_up,
        "sales_round_down": balance.sales_round_down,
        "returns_round_up": balance.returns_round_up,
        "returns_round_down": balance.returns_round_down,
        "created_at": iso(now),
        "updated_at": iso(now) if item.is_z_report else None,
        "discounts_sum": balance.discounts,
        "extra_charge_sum": balance.extra_charges,
        "transaction_fail": False,
        "rates": None,
        "fiscal_api_type": None,
    }


def _payment(row: PaymentTurnover) -> Body:
    return {
        "id": row.id,
        "code": row.code,
        "type": row.type,
        "provider_type": row.provider_type,
        "label": row.label,
        "sell_sum": row.sales,
        "return_sum": row.returns,
        "service_in": row.service_in,
        "service_out": row.service_out,
        "cash_withdrawal": 0,
        "cash_withdrawal_commission": 0,
    }


def _tax(turnover: Turnover, created_at: float) -> Body:
    """Sums in kopiykas; ``decimal_`` members are exact."""
    tax = turnover.tax
    return {
        "id": str(uuid4()),
        "code": tax.code,
        "label": tax.label,
        "symbol": tax.symbol,
        "rate": float(tax.rate),
        "extra_rate": plain(tax.extra_rate),
        "sell_sum": half_up(turnover.sales),
        "return_sum": half_up(turnover.returns),
        "sales_turnover": half_up(turnover.sales_turnover),
        "returns_turnover": half_up(turnover.returns_turnover),
        "decimal_sell_sum": plain(turnover.sales),
        "decimal_return_sum": plain(turnover.returns),
        "decimal_sales_turnover": plain(turnover.sales_turnover),
        "decimal_returns_turnover": plain(turnover.returns_turnover),
        "included": True,
        "type": "INCLUDED",
        "no_vat": tax.no_vat,
        "setup_date": iso(TAXES_SINCE),
        "created_at": iso(created_at),
    }
