"""Counting receipts in the balance of their shift, in its taxes, and in the till."""

from __future__ import annotations

from worker.sandbox.arithmetic import Totals
from worker.sandbox.ledger import Receipt, Shift


def book(receipt: Receipt, totals: Totals | None, *, sign: int = 1) -> None:
    """Count the receipt in its shift and in the till; with sign -1, take it out again."""
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
    if totals is not None:
        _book_totals(shift, receipt, totals, sign)


def _book_totals(shift: Shift, receipt: Receipt, totals: Totals, sign: int) -> None:
    balance = shift.balance
    balance.discounts += sign * int(totals.discounts_sum)
    balance.extra_charges += sign * int(totals.extra_charge_sum)
    balance.round_up += sign * max(receipt.sums.round_sum, 0)
    balance.round_down += sign * max(-receipt.sums.round_sum, 0)
    for tax_sum in totals.taxes:
        turnover = shift.turnovers.get(tax_sum.tax.code)
        if turnover is None:
            continue
        if receipt.type == "RETURN":
            turnover.returns += sign * int(tax_sum.value)
            turnover.returns_turnover += sign * int(tax_sum.turnover)
        else:
            turnover.sales += sign * int(tax_sum.value)
            turnover.sales_turnover += sign * int(tax_sum.turnover)
