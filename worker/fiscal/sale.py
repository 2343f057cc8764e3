"""A sale: exactly one receipt for an order, until it is returned in full and asked for anew."""

from __future__ import annotations

from uuid import UUID

from worker.fiscal.attempts import Attempts, Free
from worker.fiscal.chain import ChainReason, mismatch
from worker.fiscal.chains import Chains
from worker.fiscal.issuing import LOOK_AFTER, Issuing
from worker.fiscal.outcomes import Code, Fiscalized, IssuedReceipt, Postponed, Rejected
from worker.fiscal.reasons import Wait
from worker.fiscal.receipt import sale_receipt_id
from worker.fiscal.returns import is_full
from worker.fiscal.returns_made import returns_at_till, returns_of_ours
from worker.fiscal.tax_verdict import check_taxes


class Sale(Attempts):
    """One pass over a request to sell."""

    def _receipt_id(self, attempt: int) -> UUID:
        return sale_receipt_id(self._order.uuid, attempt)

    def _counts_no_more(self, issued: IssuedReceipt) -> bool:
        """A request is always answered with the receipt that it made."""
        if not issued.is_numbered or self._pass.is_own(issued):
            return False
        return is_returned(self._pass, issued, with_till=self._pass.request.sell_again)

    def _refusal_after(self, free: Free) -> Rejected | None:
        is_final = free.is_returned and not self._pass.request.sell_again
        return super()._refusal_after(free) or (Rejected(Code.RECEIPT_RETURNED) if is_final else None)

    def _make(self, free: Free) -> Fiscalized:
        receipt = self._planned().receipt
        if self._order.archived:
            raise Rejected(Code.ORDER_ARCHIVED)
        refusal = self._refusal_after(free)
        if refusal is not None:
            raise refusal
        self._pass.check_free(free.receipt_id)
        check_taxes(self._pass.session, self._pass.integration.tax_rates, self._order)
        self._pass.prepare()
        if not self._pass.integration.prepayments:
            self._ask_archive()
            return self._pass.sell(free.receipt_id, receipt)
        _, read_at = self._read_and_ask_archive(self._refuse_beside_chain)
        return self._pass.sell(free.receipt_id, receipt, read_at)

    def _refuse_beside_chain(self) -> None:
        """Raise where a chain of the order stands."""
        chain, _ = Chains(self._pass, self._order.uuid).standing()
        if chain is not None:
            raise mismatch(ChainReason.CHAIN_STANDS, chain.relation, receipt_made=True)


def is_returned(reader: Issuing, sale: IssuedReceipt, with_till: bool) -> bool:
    """Whether a numbered sale was returned in full; ``with_till`` counts what people returned as well.

    Raises ``Postponed`` while that is open.
    """
    ours = returns_of_ours(reader, sale)
    returned = [one for one in ours if one.is_numbered]
    if with_till and not is_full(sale, returned):
        till = returns_at_till(reader, sale, ours)
        returned += [one for one in till if one.is_numbered]
        ours += till
    if is_full(sale, returned):
        return True
    if is_full(sale, [one for one in ours if not one.is_refused]):
        raise Postponed(LOOK_AFTER, Wait.RETURN_OF_SALE)
    return False


def is_sold(reader: Issuing, order: UUID) -> bool:
    """Whether the order has a plain sale that was not returned in full.

    Raises ``Postponed`` while that is open.
    """
    attempt = 0
    while (sale := reader.look_up(sale_receipt_id(order, attempt))) is not None:
        if not sale.is_refused:
            if not sale.is_numbered:
                raise Postponed(LOOK_AFTER, Wait.SALE_OF_ORDER)  # it may be refused yet
            if not is_returned(reader, sale, with_till=True):
                return True
        attempt += 1
    return False
