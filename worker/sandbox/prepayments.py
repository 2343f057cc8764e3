"""Prepayments: an advance, further money, and the return of all of it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from worker.sandbox.arithmetic import cash_rounding, goods_total, paid, total_up
from worker.sandbox.chain import Chain
from worker.sandbox.issuing import issue
from worker.sandbox.ledger import Cashier, Receipt, Shift
from worker.sandbox.refusals import (
    Refusal,
    advance_not_less,
    chain_closed,
    more_than_left,
    not_found,
    payment_repeated,
    relation_exists,
    till_short,
)
from worker.sandbox.sales import of_goods, ready_shift
from worker.sandbox.state import State

_OPEN, _PAY = "POST /prepayment-receipts", "POST /prepayment-receipts/{relation_id}"
_RETURN = "POST /prepayment-receipts/{relation_id}/return"


def open_chain(state: State, cashier: Cashier, body: Mapping[str, Any], request: bytes) -> bytes:
    """The first advance: the 201 body. Raises ``Refusal``, and then nothing was made."""
    shift = _ready(state, cashier, body)
    organization = shift.register.organization
    number = len(state.chains) + 1
    relation_id = body.get("custom_relation_id") or f"{number:010}"
    if (organization.id, relation_id) in state.chains:
        raise relation_exists(state.options)
    total = goods_total(body, organization, state.options)
    advance = sum(paid(body.get("payments")))
    if advance >= total:
        raise advance_not_less()
    chain = Chain(relation_id, dict(body), total, state.clock.now())
    answer = _take(state, shift, chain, body, request, advance, _OPEN)
    state.chains[organization.id, relation_id] = chain
    return answer


def pay(state: State, cashier: Cashier, relation_id: str, body: Mapping[str, Any], request: bytes) -> bytes:
    """Further money. Whether it closes the chain is decided by the sum alone. Raises ``Refusal``."""
    shift = _ready(state, cashier, body)
    chain = chain_of(state, cashier, relation_id)
    now, options = state.clock.now(), state.options
    left = chain.left(now, options)
    if left == 0 or chain.returns:
        raise chain_closed()
    cash, card = paid(body.get("payments"))
    # ASSUMED A12: rounded cash closes the chain, and its receipt comes to what was left.
    due = left + (cash_rounding(body, left - card) if cash else 0)
    closes = cash + card in (left, due)
    if not closes and cash + card > left:
        raise more_than_left()
    return _take(state, shift, chain, body, request, left if closes else cash + card, _PAY)


def give_back(
    state: State, cashier: Cashier, relation_id: str, body: Mapping[str, Any], request: bytes
) -> bytes:
    """The whole chain, one return for each receipt: the 201 body, an array. Raises ``Refusal``."""
    shift = _ready(state, cashier, {})
    chain = chain_of(state, cashier, relation_id)
    now = state.clock.now()
    payments = chain.not_given_back(now)
    if chain.status(now, state.options) in ("CANCELLED", "PARTIAL_CANCELLED") or not payments:
        raise chain_closed()
    cash = sum(payment.sums.cash for payment in payments)
    if cash > shift.register.till and not body.get("skip_total_cash_validation"):
        raise till_short()
    made = []
    for number, payment in enumerate(payments):
        if number and shift.register.accepted:  # ASSUMED A12: all of them are one receipt of the rate
            shift.register.accepted.pop()
        made.append(_return_of(state, shift, chain, payment, request))
    return b"[" + b",".join(made) + b"]"


def chain_of(state: State, cashier: Cashier, relation_id: str) -> Chain:
    """Raises ``Refusal``. ASSUMED A12: the answer to an unknown relation."""
    chain = state.chains.get((cashier.organization.id, relation_id))
    if chain is None:
        raise not_found("Передплату")
    return chain


def _ready(state: State, cashier: Cashier, body: Mapping[str, Any]) -> Shift:
    try:
        return ready_shift(state, cashier, body)
    except Refusal as refusal:
        if (
            refusal.body.get("code") == "receipt.already_exists"
            and state.options.repeated_payment == "refused"
        ):
            raise payment_repeated() from None
        raise


def _take(
    state: State,
    shift: Shift,
    chain: Chain,
    body: Mapping[str, Any],
    request: bytes,
    money: int,
    endpoint: str,
) -> bytes:
    closes = money == chain.left(state.clock.now(), state.options)
    made_of = {
        **{name: body.get(name) for name in ("id", "payments", "delivery", "header", "footer", "context")},
        **_lines(state, chain, money, closes),
        "rounding_mode": body.get("rounding_mode") if closes else None,
        "pre_payment_relation_id": chain.relation_id,
    }
    totals = total_up(made_of, shift.register.organization, state.options)
    receipt = of_goods(state, shift, made_of, request, totals, endpoint=endpoint)
    receipt.made_of = made_of
    chain.payments.append(receipt)
    chain.closing = receipt if closes else chain.closing
    return issue(state, receipt, totals)


def _lines(state: State, chain: Chain, money: int, closes: bool) -> Mapping[str, Any]:
    """One made-up line with the money; ASSUMED A12: the last receipt may show all goods less the advances."""
    if closes and state.options.closing_lines == "goods":
        advances = {"type": "PRE_PAYMENT", "mode": "VALUE", "value": chain.total - money}
        discounts = [*(chain.opened_with.get("discounts") or []), advances]
        return {"goods": chain.opened_with["goods"], "discounts": discounts}
    what = "Післяплата" if closes else "Передплата"
    good = {"code": "1", "name": f"{what} за замовленням №{chain.relation_id}", "price": money}
    return {"goods": [{"good": good, "quantity": 1000}]}


def _return_of(state: State, shift: Shift, chain: Chain, payment: Receipt, request: bytes) -> bytes:
    made_of = json.loads(json.dumps(payment.made_of))
    for line in made_of["goods"]:
        line["is_return"] = True
    made_of |= {"id": None, "context": None, "related_receipt_id": payment.id}
    totals = total_up(made_of, shift.register.organization, state.options)
    receipt = of_goods(state, shift, made_of, request, totals, endpoint=_RETURN)
    receipt.made_of = made_of
    chain.returns.append((payment, receipt))
    return issue(state, receipt, totals)
