"""A return: one document is one receipt at most, and all returns of a sale give back no more than the sale.

A return takes the next free place of its sale, and the place is its id: of two that race Checkbox takes one,
and the other sees whose the place is, adds it up, and takes the next or is refused. Processes share no state
of their own for this: Checkbox is the arbiter. docs/decisions has the protocol and the reason of each rule.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from uuid import UUID

from worker.fiscal.chain import ChainReason, mismatch
from worker.fiscal.chains import Chains
from worker.fiscal.comparison import difference
from worker.fiscal.context import document_of
from worker.fiscal.issuing import LONGEST_LOOK, LOOK_AFTER, SETTLED_AFTER, Issuing
from worker.fiscal.outcomes import Code, Fiscalized, IssuedReceipt, Postponed, Rejected
from worker.fiscal.plan import Plan
from worker.fiscal.planner import plan
from worker.fiscal.ports import ReceiptExists
from worker.fiscal.reasons import Wait
from worker.fiscal.receipt import return_receipt_id, sale_receipt_id
from worker.fiscal.returns import excess, is_full, tax_codes
from worker.fiscal.returns_made import returns_at_till, returns_of_ours
from worker.fiscal.waiting import awaiting


class GoodsReturn:
    """One pass over a request to return. Every pass reads anew all that it acts on."""

    def __init__(self, issuing: Issuing, planned: Callable[[], Plan]) -> None:
        """``planned`` raises ``Rejected`` where the document does not add up; tax codes are the sale's."""
        self._pass = issuing
        self._planned = planned
        self._order = issuing.request.order
        self._began = issuing.dependencies.monotonic()
        self._looked_at = issuing.dependencies.clock()
        #: This request's own receipt was refused.
        self._refusal: Rejected | None = None

    def run(self) -> Fiscalized:
        """Raises a ``Verdict`` when the pass does not end in a numbered receipt."""
        awaited = self._pass.awaited()
        if awaited is not None:
            return awaited
        sales = self._sales()
        target = next((sale for sale in reversed(sales) if not sale.is_refused), None)
        places = {sale.id: returns_of_ours(self._pass, sale) for sale in self._target_last(sales, target)}
        made = self._made(places)
        if made is not None:
            return made
        self._pass.receipt_made = False
        try:
            return self._give_back(sales, target, places)
        except ReceiptExists:
            raise self._pass.when_permitted(Wait.PLACE_TAKEN) from None
        except Rejected as refusal:
            raise self._pass.final(refusal, self._looked_at) from None

    def _sales(self) -> list[IssuedReceipt]:
        """The sales that the return may be of: its order's, or the one receipt that it names."""
        return_of = self._pass.request.return_of
        assert return_of is not None  # the message was validated
        if return_of.receipt_id is not None:
            sale = self._pass.look_up(return_of.receipt_id)
            return [] if sale is None else [sale]
        assert return_of.order_uuid is not None
        sales: list[IssuedReceipt] = []
        while sale := self._pass.look_up(sale_receipt_id(return_of.order_uuid, len(sales))):
            sales.append(sale)
        return sales

    @staticmethod
    def _target_last(sales: Sequence[IssuedReceipt], target: IssuedReceipt | None) -> list[IssuedReceipt]:
        """What lands at the target while the others are read is seen."""
        return [sale for sale in sales if sale is not target] + ([] if target is None else [target])

    def _made(self, places: dict[str, list[IssuedReceipt]]) -> Fiscalized | None:
        """The receipt of this document, in whichever place of whichever sale."""
        for issued in (one for made in places.values() for one in made):
            document = document_of(issued)
            if issued.is_refused:
                if document in (None, str(self._order.uuid)):
                    self._refusal = self._pass.own_refusal(issued) or self._refusal
            elif document == str(self._order.uuid):
                return self._pass.settle(issued, self._pass.is_own(issued))
            elif document is None and difference(self._order, issued) is None:
                self._refuse_nameless(issued)
        return None

    def _refuse_nameless(self, issued: IssuedReceipt) -> None:
        """It may be this document's: nothing is posted, and a person compares."""
        if not issued.is_numbered:
            raise Postponed(LOOK_AFTER, Wait.RETURN_OF_SALE)
        self._pass.receipt_made = None
        reason = "a return of the same content exists, and Checkbox does not show whose it is"
        raise Rejected(Code.RECEIPT_MISMATCH, {"reason": reason, "receiptId": issued.id})

    def _give_back(
        self,
        sales: Sequence[IssuedReceipt],
        target: IssuedReceipt | None,
        places: dict[str, list[IssuedReceipt]],
    ) -> Fiscalized:
        self._planned()
        if self._order.archived:
            raise Rejected(Code.ORDER_ARCHIVED)
        if self._refusal is not None:
            raise self._refusal
        ours = places[target.id] if target else []
        if target is not None:
            self._pass.check_free(return_receipt_id(target.id, len(ours)))
        self._pass.prepare()
        self._no_chain(target)
        target = self._numbered(target)
        self._fit(target, [*ours, *returns_at_till(self._pass, target, ours)])
        self._await_copies(sales, target, places)
        receipt = plan(
            self._pass.request, self._pass.integration, self._pass.state.first_seen, self._codes_of(target)
        ).receipt
        related = replace(
            receipt, related_receipt_id=UUID(target.id), related_receipt_created_at=target.created_at
        )
        place = return_receipt_id(target.id, len(ours))
        return self._pass.sell(place, related, read_at=self._began)

    def _no_chain(self, target: IssuedReceipt | None) -> None:
        """Raise where the return names a receipt of a chain, or an order whose chain stands."""
        is_read = self._pass.integration.prepayments
        return_of = self._pass.request.return_of
        assert return_of is not None
        if target is not None and target.relation_id is not None:
            chains = Chains(self._pass, self._order.uuid)
            raise mismatch(ChainReason.CHAIN_STANDS, chains.relation(target.relation_id) if is_read else None)
        if is_read and return_of.order_uuid is not None:
            chain, _ = Chains(self._pass, return_of.order_uuid).standing()
            if chain is not None:
                raise mismatch(ChainReason.CHAIN_STANDS, chain.relation)

    def _codes_of(self, sale: IssuedReceipt) -> partial[tuple[int, ...] | None]:
        return partial(tax_codes, sale=sale, table=self._pass.integration.tax_rates)

    def _numbered(self, target: IssuedReceipt | None) -> IssuedReceipt:
        """The sale with its number: one without may be refused yet, and the money given for nothing."""
        if target is not None and target.is_return:
            raise self._without_sale("the receipt that the return names is a return itself")
        if target is not None and target.is_numbered:
            return target
        if target is not None:
            raise Postponed(LOOK_AFTER, Wait.SALE_OF_RETURN)
        raise awaiting(self._pass, Wait.SALE_OF_RETURN, self._without_sale("the sale has no receipt"))

    def _without_sale(self, reason: str) -> Rejected:
        return_of = self._pass.request.return_of
        assert return_of is not None
        order, receipt = return_of.order_uuid, return_of.receipt_id
        named = {"orderUuid": str(order) if order else None, "receiptId": str(receipt) if receipt else None}
        return Rejected(Code.RETURN_WITHOUT_SALE, {"reason": reason, "returnOf": named})

    def _fit(self, target: IssuedReceipt, earlier: Sequence[IssuedReceipt]) -> None:
        """Raise where more would be given back than was sold."""
        taken = [one for one in earlier if not one.is_refused]
        too_much = excess(self._order, target, taken)
        if too_much is None:
            return
        if excess(self._order, target, [one for one in taken if one.is_numbered]) is None:
            raise Postponed(LOOK_AFTER, Wait.RETURN_OF_SALE)  # one without a number may still be refused
        raise Rejected(Code.RETURN_WITHOUT_SALE, too_much)

    def _await_copies(
        self,
        sales: Sequence[IssuedReceipt],
        target: IssuedReceipt,
        places: dict[str, list[IssuedReceipt]],
    ) -> None:
        """A copy of this document that knew of fewer sales may still land at an earlier one."""
        state = self._pass.state
        if state.sales_seen != len(sales):
            now = self._pass.dependencies.clock()
            self._pass.state = state = replace(state, sales_seen=len(sales), sales_seen_at=now)
        earlier = (sale for sale in sales if sale is not target)
        if all(is_full(sale, (one for one in places[sale.id] if one.is_numbered)) for sale in earlier):
            return
        left = SETTLED_AFTER - self._pass.since(state.sales_seen_at)
        if left > 0:
            raise Postponed(min(left, LONGEST_LOOK), Wait.COPY_OF_RETURN)
