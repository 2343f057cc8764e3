"""Letters of prepayments that came too early: before their chain, or before other money of it."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import count
from uuid import UUID

from worker.checkbox.client import CheckboxClient
from worker.checkbox.signed_in import secrets_of
from worker.fiscal.chain import CANCELLED, ChainReason, chain_id, is_rest
from worker.fiscal.integrations import Cashier, Integration
from worker.fiscal.order import Payment
from worker.fiscal.outcomes import Code, Rejected
from worker.rabbit.dead_letter import DeadLetter
from worker.rabbit.message.reading import read


@dataclass(frozen=True, slots=True)
class NeededChain:
    """The chain of this order; with ``rest``, once these payments are what is left to pay."""

    order: UUID
    rest: tuple[Payment, ...] = ()


def needed_chain(letter: DeadLetter) -> NeededChain | None:
    """None where the letter did not come too early, or nothing says what it needs."""
    reason = (letter.line()["detail"] or {}).get("reason")
    if letter.code != Code.PREPAYMENT_MISMATCH or reason not in (
        ChainReason.NO_CHAIN,
        ChainReason.NOT_THE_REST,
    ):
        return None
    try:
        request = read(letter.delivery.body)
    except Rejected:
        return None
    order = request.return_of.order_uuid if request.return_of else request.order.uuid
    if order is None:
        return None
    return NeededChain(order, request.payments if reason == ChainReason.NOT_THE_REST else ())


def is_there(
    client: CheckboxClient, token: str, integration: Integration, cashier: Cashier, needed: NeededChain
) -> bool:
    """Whether a replay may go through now. Raises what a call raises."""
    url, private = integration.checkbox_url, secrets_of(cashier)
    for number in count():
        relation_id = chain_id(needed.order, number)
        relation = client.chains.read(url, token, relation_id, private=private)
        if relation is None:
            return False
        if relation.status not in CANCELLED:
            return not needed.rest or is_rest(needed.rest, relation.left, integration.cash_rounding)
    return False
