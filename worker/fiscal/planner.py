"""The receipt of an order: pure, and the same every time.

Verdicts that need only the message and the configuration fall here, in the contract's order:
CURRENCY_NOT_SUPPORTED, TOTALS_MISMATCH, TAX_RATE_NOT_MAPPED.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any

from worker.fiscal.buyer import checked_email, checked_phone
from worker.fiscal.card import masked
from worker.fiscal.integrations import CashRounding, Integration
from worker.fiscal.money import hryvnias, plain
from worker.fiscal.order import Buyer, Operation, Order, OrderLine, Request
from worker.fiscal.outcomes import Code, Rejected
from worker.fiscal.payment_means import day_of_the_list
from worker.fiscal.payments import AmountDue, adjusted, receipt_payment
from worker.fiscal.plan import Plan, PlanWarning
from worker.fiscal.receipt import Receipt, ReceiptLine, Recipient
from worker.fiscal.receipt_lines import costs_nothing_each, exact_cost, gift_note, receipt_line, strays
from worker.fiscal.tax_rates import TaxRates

TaxCodes = Callable[[OrderLine], tuple[int, ...] | None]

#: Entries of a list in a verdict's detail.
_SHOWN = 20
_CURRENCY = "UAH"
#: Any other text may be somebody's words, and is not repeated.
_CURRENCY_CODE = re.compile(r"[A-Za-z]{3}")


def plan(
    request: Request, integration: Integration, first_seen: float, tax_codes: TaxCodes | None = None
) -> Plan:
    """The receipt of a request; a return lacks what it takes from its sale. Raises ``Rejected``.

    ``first_seen``: when the worker first saw the request, in seconds since the epoch. ``tax_codes`` gives a
    line's codes, or None where there are none; left out, the integration's table does.
    """
    order = request.order
    check_currency(order)
    if request.operation is Operation.PREPAYMENT_RETURN:
        return _chain_return(request)
    gives_change = request.operation is Operation.SELL
    settlement = AmountDue.of(order.total, request.payments, integration.cash_rounding, gives_change)
    # A payment of a chain is part of what is due; only Checkbox knows what is left of it.
    is_part = request.operation.is_of_chain
    most = max(settlement.total, settlement.to_pay)
    _add_up(order, settlement, settlement.paid <= most if is_part else settlement.adds_up)
    lines = _lines(order, tax_codes or partial(_mapped, integration.tax_rates))
    day = day_of_the_list(request.time, first_seen)
    payments = [receipt_payment(payment, day) for payment in request.payments]
    printed = [payment for payment, _ in payments]
    delivery, warnings = _delivery(request.buyer)
    if not all(known for _, known in payments):
        warnings = (*warnings, PlanWarning.PAYMENT_LABEL_UNKNOWN)
    if any(payment.card and masked(payment.card) != payment.card for payment in request.payments):
        warnings = (*warnings, PlanWarning.CARD_NUMBER_WHOLE)
    receipt = Receipt(
        operation=request.operation,
        lines=lines,
        discount=order.discount,
        payments=tuple(printed) if is_part else adjusted(printed, settlement),
        rounding=CashRounding.NONE if is_part else settlement.rounding,
        total=order.total,
        footer=_footer(request),
        delivery=delivery,
        doc_number=order.doc_number,
    )
    return Plan(receipt, warnings)


def check_currency(order: Order) -> None:
    """Raises ``Rejected`` (CURRENCY_NOT_SUPPORTED)."""
    if order.currency != _CURRENCY:
        is_code = _CURRENCY_CODE.fullmatch(order.currency)
        raise Rejected(Code.CURRENCY_NOT_SUPPORTED, {"currency": order.currency if is_code else None})


def _chain_return(request: Request) -> Plan:
    """Checkbox makes the receipts from those that it returns."""
    delivery, warnings = _delivery(request.buyer)
    receipt = Receipt(
        operation=request.operation,
        lines=(),
        discount=0,
        payments=(),
        rounding=CashRounding.NONE,
        total=0,
        footer=None,
        delivery=delivery,
        doc_number=request.order.doc_number,
    )
    return Plan(receipt, warnings)


def _add_up(order: Order, settlement: AmountDue, is_enough: bool) -> None:
    amounts = sum(line.amount for line in order.lines)
    wrong = [
        _figures(index, line)
        for index, line in enumerate(order.lines)
        if strays(line) or costs_nothing_each(line)
    ]
    if not wrong and amounts - order.discount == order.total and is_enough:
        return
    detail: dict[str, Any] = {
        "amounts": hryvnias(amounts),
        "discount": hryvnias(order.discount),
        "total": hryvnias(order.total),
        "payments": hryvnias(settlement.paid),
    }
    if settlement.to_pay != order.total:
        detail["rounded"] = hryvnias(settlement.to_pay)
    if wrong:
        detail["lines"] = wrong[:_SHOWN]
    raise Rejected(Code.TOTALS_MISMATCH, detail)


def _figures(index: int, line: OrderLine) -> Mapping[str, str]:
    return {
        "path": f"/data/order/products/{index}",
        "code": line.code,
        "count": plain(line.count, 3),
        "cost": plain(line.cost, 4, 2),
        "countTimesCost": exact_cost(line),
        "discount": hryvnias(line.discount),
        "amount": hryvnias(line.amount),
    }


def _lines(order: Order, tax_codes: TaxCodes) -> tuple[ReceiptLine, ...]:
    codes = [tax_codes(line) for line in order.lines]
    unmapped = [
        {"path": f"/data/order/products/{index}", "code": line.code, "rate": _rate(line)}
        for index, (line, found) in enumerate(zip(order.lines, codes, strict=True))
        if found is None
    ]
    if unmapped:
        raise Rejected(Code.TAX_RATE_NOT_MAPPED, {"lines": unmapped[:_SHOWN]})
    pairs = zip(order.lines, codes, strict=True)
    return tuple(receipt_line(line, found or ()) for line, found in pairs if line.amount)


def _mapped(rates: TaxRates, line: OrderLine) -> tuple[int, ...] | None:
    if line.vat is None:
        return ()
    code = rates.code_for(line.vat)
    return None if code is None else (code,)


def _rate(line: OrderLine) -> str:
    if line.vat is None or line.vat.not_accountable:
        return "not_accountable"
    return plain(int(line.vat.percent_rate * 100), 2)


def _footer(request: Request) -> str:
    return "\n".join(_notes(request))


def _notes(request: Request) -> Iterator[str]:
    yield f"{'Повернення' if request.operation.is_return else 'Замовлення'} {request.order.doc_number}"
    for line in request.order.lines:
        if not line.amount:
            yield gift_note(line)


def _delivery(buyer: Buyer | None) -> tuple[Recipient | None, tuple[PlanWarning, ...]]:
    if buyer is None:
        return None, ()
    email = checked_email(buyer.email) if buyer.email else None
    phone = checked_phone(buyer.phone) if buyer.phone else None
    malformed = (
        (PlanWarning.BUYER_EMAIL_MALFORMED, buyer.email and not email),
        (PlanWarning.BUYER_PHONE_MALFORMED, buyer.phone and not phone),
    )
    warnings = tuple(warning for warning, is_malformed in malformed if is_malformed)
    return (Recipient(email, phone) if email or phone else None), warnings
