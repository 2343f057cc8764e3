"""A sale: exactly one receipt for an order, until it is returned in full and asked for anew.

An order's sales are attempts 0, 1, …; each has an id of its own. The next one is taken only past a receipt
that was seen refused, or seen returned in full by a request that says ``sellAgain``.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from uuid import UUID

from worker.fiscal.issuing import LOOK_AFTER, Issuing
from worker.fiscal.outcomes import Code, Fiscalized, IssuedReceipt, Postponed, Rejected
from worker.fiscal.plan import Plan
from worker.fiscal.ports import ReceiptExists
from worker.fiscal.reasons import Wait
from worker.fiscal.receipt import sale_receipt_id
from worker.fiscal.returns import is_full
from worker.fiscal.returns_made import returns_at_till, returns_of_ours
from worker.fiscal.tax_verdict import check_taxes


@dataclass(frozen=True, slots=True)
class _Free:
    """The first id of the order that Checkbox does not know, and what lies before it."""

    receipt_id: UUID
    #: This request's own receipt was refused.
    refusal: Rejected | None = None
    #: The last sale was returned in full.
    is_returned: bool = False


class Sale:
    """One pass over a request to sell."""

    def __init__(self, issuing: Issuing, planned: Callable[[], Plan]) -> None:
        """``planned`` raises ``Rejected`` where there can be no receipt: told only where none exists."""
        self._pass = issuing
        self._planned = planned
        self._order = issuing.request.order

    def run(self) -> Fiscalized:
        """Raises a ``Verdict`` when the pass does not end in a numbered receipt."""
        awaited = self._pass.awaited()
        if awaited is not None:
            return awaited
        walked = self._walk() if self._is_looked_up_first() else None
        if isinstance(walked, Fiscalized):
            return walked
        free = walked or _Free(sale_receipt_id(self._order.uuid, 0))
        try:
            return self._sell(free)
        except ReceiptExists:
            return self._after_race()
        except Rejected as refusal:
            found = self._walk() if walked is None else walked
            if isinstance(found, Fiscalized):
                return found
            raise self._pass.final(refusal) from None

    def _is_looked_up_first(self) -> bool:
        return self._pass.state.look_up_first or self._order.archived

    def _walk(self) -> Fiscalized | _Free:
        """The order's receipt, or the first free id; raises ``Postponed`` while that is open."""
        attempt, refusal, is_returned = 0, None, False
        while True:
            receipt_id = sale_receipt_id(self._order.uuid, attempt)
            issued = self._pass.look_up(receipt_id)
            if issued is None:
                self._pass.receipt_made = False
                return _Free(receipt_id, refusal, is_returned)
            if issued.is_refused:
                refusal, is_returned = self._pass.own_refusal(issued) or refusal, False
            elif self._is_returned(issued):
                is_returned = True
            else:
                return self._pass.settle(issued, self._pass.is_own(issued))
            attempt += 1

    def _is_returned(self, sale: IssuedReceipt) -> bool:
        """Whether it was returned in full; a request is always answered with the receipt that it made."""
        if not sale.is_numbered or self._pass.is_own(sale):
            return False
        ours = returns_of_ours(self._pass, sale)
        returned = [one for one in ours if one.is_numbered]
        if self._pass.request.sell_again and not is_full(sale, returned):
            till = returns_at_till(self._pass, sale, ours)
            returned += [one for one in till if one.is_numbered]
            ours += till
        if is_full(sale, returned):
            return True
        if is_full(sale, [one for one in ours if not one.is_refused]):
            raise Postponed(LOOK_AFTER, Wait.RETURN_OF_SALE)
        return False

    def _sell(self, free: _Free) -> Fiscalized:
        receipt = self._planned().receipt
        if self._order.archived:
            raise Rejected(Code.ORDER_ARCHIVED)
        if free.refusal is not None:
            raise free.refusal
        if free.is_returned and not self._pass.request.sell_again:
            raise Rejected(Code.RECEIPT_RETURNED)
        self._pass.check_free(free.receipt_id)
        check_taxes(self._pass.session, self._pass.integration.tax_rates, self._order)
        self._pass.prepare()
        archive = self._pass.dependencies.archive
        if archive is not None and archive.is_archived(self._order.uuid):
            raise Rejected(Code.ORDER_ARCHIVED)
        return self._pass.post(free.receipt_id, receipt)

    def _after_race(self) -> Fiscalized:
        """Checkbox has the id already: somebody, perhaps this very request, was faster."""
        found = self._walk()
        if isinstance(found, Fiscalized):
            return found
        self._pass.check_free(found.receipt_id)
        raise self._pass.when_permitted(Wait.NEXT_RECEIPT)
