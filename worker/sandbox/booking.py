"""Booking receipts into the shift's balance, payments and taxes, and into the till."""

from __future__ import annotations

import json
from uuid import uuid4

from worker.sandbox.arithmetic import Totals
from worker.sandbox.entities import Paid, PaymentTurnover
from worker.sandbox.ledger import Receipt, Shift
from worker.sandbox.payments import paid


def book(receipt: Receipt, totals: Totals | None, *, sign: int = 1) -> None:
    """Book the receipt; sign -1 reverses the booking."""
    shift = receipt.shift
    balance = shift.balance
    cash, card = sign * receipt.sums.cash, sign * receipt.sums.card
    if receipt.type == "SELL":
        balance.cash_sales += cash
        balance.card_sales += card
    elif receipt.type == "RETURN":
        balance.cash_returns += cash
        balance.card_returns += card
        cash = -cash
    elif receipt.type == "SERVICE_IN":
        balance.service_in += cash
    else:
        balance.service_out += cash
        cash = -cash
    shift.register.till += cash
    if totals is None:
        moved = paid(json.loads(receipt.request)["payment"], receipt.sums.cash)
        _book_payment(shift, receipt.type, moved, sign)
        return
    for payment in totals.payments:
        _book_payment(shift, receipt.type, payment, sign)
    _book_totals(shift, receipt, totals, sign)


def _book_payment(shift: Shift, kind: str, payment: Paid, sign: int) -> None:
    """One row for each label, as in the Z report."""
    row = shift.payments.get((payment.type, payment.label))
    if row is None:
        row = PaymentTurnover(
            id=str(uuid4()),
            type=payment.type,
            label=payment.label,
            code=payment.code,
            provider_type=payment.provider_type,
        )
        shift.payments[payment.type, payment.label] = row
    value = sign * payment.value
    match kind:
        case "SELL":
            row.sales += value
        case "RETURN":
            row.returns += value
        case "SERVICE_IN":
            row.service_in += value
        case _:
            row.service_out += value


def _book_totals(shift: Shift, receipt: Receipt, totals: Totals, sign: int) -> None:
    balance = shift.balance
    is_return = receipt.type == "RETURN"
    balance.discounts += sign * int(totals.discounts_sum)
    balance.extra_charges += sign * int(totals.extra_charge_sum)
    balance.book_rounding(receipt.sums.round_sum, sign=sign, is_return=is_return)
    for tax_sum in totals.taxes:
        turnover = shift.turnovers.get(tax_sum.tax.code)
        if turnover is None:
            continue
        value, base = sign * (tax_sum.value + tax_sum.extra_value), sign * tax_sum.turnover
        if is_return:
            turnover.returns += value
            turnover.returns_turnover += base
        else:
            turnover.sales += value
            turnover.sales_turnover += base
