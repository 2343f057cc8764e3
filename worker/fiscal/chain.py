"""A prepayment chain: its ids, what Checkbox shows of it, and whether a payment fits it. Pure.

An order has at most one chain that stands. Its id is derived from the order and the number of its chains that
were returned or hold nothing but refused receipts: Checkbox takes a chain's id once, and a returned chain
does not free it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID, uuid5

from worker.fiscal.context import content_of
from worker.fiscal.integrations import CashRounding
from worker.fiscal.money import hryvnias
from worker.fiscal.order import Operation, Payment, Request
from worker.fiscal.outcomes import Code, IssuedReceipt, Rejected, Relation
from worker.fiscal.payments import AmountDue

_CHAIN_NAMESPACE = UUID("c1d6c3f2-4a0f-5e0b-8a63-7d3b9f1e2a54")
_PAYMENT_NAMESPACE = UUID("2f0a7b1c-93d4-5c1e-b7a8-5e6d4c3b2a19")
#: Chains of one order among which a ``relationId`` is recognized.
_CHAINS = 1000
#: Refused receipts of one payment among which one is recognized; the first may be in earlier chains.
_ATTEMPTS = 1000
#: Checkbox's words for a chain that was returned, or whose return it could not finish.
CANCELLED = frozenset({"CANCELLED", "PARTIAL_CANCELLED"})


def chain_id(order: UUID, number: int) -> str:
    """The id (``custom_relation_id``) of an order's chain, counted from 0."""
    return str(uuid5(_CHAIN_NAMESPACE, f"{str(order).lower()}/{number}"))


def chain_number(order: UUID, named: str) -> int | None:
    """Which of the order's chains this is the id of; None where it is none of them."""
    named = named.strip().lower()
    return next((number for number in range(_CHAINS) if chain_id(order, number) == named), None)


def payment_receipt_id(order: UUID, payment: UUID, attempt: int) -> UUID:
    """The id of a payment's receipt, whatever the operation: a payment is one receipt."""
    return uuid5(_PAYMENT_NAMESPACE, f"{str(order).lower()}/{str(payment).lower()}/{attempt}")


class ChainReason(StrEnum):
    """Why the money does not fit; the values are part of the contract with Bimp."""

    NOT_ENABLED = "not_enabled"
    WHICH_CHAIN = "which_chain"
    ORDER_SOLD = "order_sold"
    CHAIN_STANDS = "chain_stands"
    NO_CHAIN = "no_chain"
    TOTAL_DIFFERS = "total_differs"
    LINES_DIFFER = "lines_differ"
    CHAIN_PAID = "chain_paid"
    NOT_THE_REST = "sum_is_not_the_rest"
    NOT_LESS = "sum_is_not_less"


@dataclass(frozen=True, slots=True)
class Chain:
    """A relation, and what has become of its receipts."""

    relation: Relation
    payments: tuple[IssuedReceipt, ...]
    returns: tuple[IssuedReceipt, ...]

    @property
    def living(self) -> list[IssuedReceipt]:
        """The payments that were not refused."""
        return [payment for payment in self.payments if not payment.is_refused]

    @property
    def is_returned(self) -> bool:
        """Whether each payment that was not refused has a return with a number."""
        return bool(self.living) and all(self.numbered_return(payment) for payment in self.living)

    @property
    def may_be_returned(self) -> bool:
        """Whether it is returned once the returns under way have their numbers."""
        return all(any(not one.is_refused for one in self.returns_of(payment)) for payment in self.living)

    @property
    def stands(self) -> bool:
        return bool(self.living) and not self.is_returned

    def returns_of(self, payment: IssuedReceipt) -> list[IssuedReceipt]:
        named = self.relation.returned_by.get(payment.id)
        return [one for one in self.returns if payment.id == one.related_receipt_id or one.id == named]

    def numbered_return(self, payment: IssuedReceipt) -> IssuedReceipt | None:
        return next((one for one in self.returns_of(payment) if one.is_numbered), None)

    def has_attempt_of(self, request: Request) -> bool:
        """Whether a receipt of this very payment was refused in this chain."""
        assert request.payment_uuid is not None
        ids = {payment.id for payment in self.payments if payment.is_refused}
        order, payment = request.order.uuid, request.payment_uuid
        attempts = range(_ATTEMPTS if ids else 0)
        return any(str(payment_receipt_id(order, payment, attempt)) in ids for attempt in attempts)


def mismatch(
    reason: ChainReason, relation: Relation | None = None, receipt_made: bool | None = False
) -> Rejected:
    """The verdict. ``receipt_made`` is true where the order is known to have receipts."""
    sums = {
        "total": hryvnias(relation.total) if relation else None,
        "paid": hryvnias(relation.paid) if relation else None,
        "left": hryvnias(relation.left) if relation else None,
    }
    detail = {"reason": reason.value, **sums, "status": relation.status if relation else None}
    return Rejected(Code.PREPAYMENT_MISMATCH, detail, receipt_made=receipt_made)


def refusal(request: Request, chain: Chain, rounding: CashRounding) -> Rejected | None:
    """Why the payment does not fit the chain that stands; None where it fits. The first that applies."""
    relation = chain.relation
    if request.operation is Operation.PREPAYMENT and not chain.has_attempt_of(request):
        return mismatch(ChainReason.CHAIN_STANDS, relation)
    if relation.total != request.order.total:
        return mismatch(ChainReason.TOTAL_DIFFERS, relation)
    opened_with = chain.payments[0].context.get("content")
    if opened_with is not None and opened_with != content_of(request.order):
        return mismatch(ChainReason.LINES_DIFFER, relation)
    if relation.left <= 0:
        return mismatch(ChainReason.CHAIN_PAID, relation, receipt_made=True)
    return _sum_refusal(request, relation, rounding)


def _sum_refusal(request: Request, relation: Relation, rounding: CashRounding) -> Rejected | None:
    if request.operation is Operation.PREPAYMENT:  # again, in the chain where its receipt was refused
        fits, reason = request.paid <= relation.left, ChainReason.NOT_LESS
    elif request.closes:
        fits, reason = is_rest(request.payments, relation.left, rounding), ChainReason.NOT_THE_REST
    else:
        fits, reason = request.paid < relation.left, ChainReason.NOT_LESS
    return None if fits else mismatch(reason, relation)


def is_rest(payments: Sequence[Payment], left: int, rounding: CashRounding) -> bool:
    """Whether the money is what is left, or in cash alone that sum rounded."""
    return AmountDue.of(left, payments, rounding, gives_change=False).adds_up


def is_whole(request: Request, rounding: CashRounding) -> bool:
    """Whether a prepayment pays the whole order: then it is the order's sale."""
    return is_rest(request.payments, request.order.total, rounding)


def may_fit_later(request: Request, verdict: Rejected, chain: Chain | None) -> bool:
    """Whether waiting may help: the chain, or other payments of it, may be on their way."""
    reason = verdict.detail["reason"]
    if reason == ChainReason.NO_CHAIN:
        return request.operation is not Operation.PREPAYMENT
    return reason == ChainReason.NOT_THE_REST and chain is not None and request.paid < chain.relation.left


def sum_difference(
    request: Request, issued: IssuedReceipt, relation: Relation, rounding: CashRounding
) -> dict[str, str] | None:
    """None where the receipt has the payment's sum; the form of payment does not count."""
    is_same = request.paid == issued.total
    if is_same or (issued.id == relation.closing and is_rest(request.payments, issued.total, rounding)):
        return None
    return {"expected": hryvnias(request.paid), "found": hryvnias(issued.total)}
