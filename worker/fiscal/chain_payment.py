"""A payment of a chain: an advance, which opens it, or further money, the last of which closes it.

Its receipt's id is derived from the order, the payment and the attempt. Goods are fixed by the first receipt,
and Checkbox judges the later ones by their sum alone, so that the chain is read before each post.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from typing import Any, TypeVar
from uuid import UUID

from worker.fiscal.attempts import Attempts, Free
from worker.fiscal.chain import (
    Chain,
    ChainReason,
    may_fit_later,
    mismatch,
    payment_receipt_id,
    refusal,
    sum_difference,
)
from worker.fiscal.chains import Chains
from worker.fiscal.context import context_of, is_made_by
from worker.fiscal.issuing import LOOK_AFTER, Issuing
from worker.fiscal.order import Operation
from worker.fiscal.outcomes import Code, Fiscalized, IssuedReceipt, Postponed, Rejected, Relation, Unavailable
from worker.fiscal.payments import AmountDue, adjusted
from worker.fiscal.plan import Plan
from worker.fiscal.ports import ReceiptExists
from worker.fiscal.reasons import Wait
from worker.fiscal.receipt import Receipt
from worker.fiscal.sale import is_sold
from worker.fiscal.tax_verdict import check_taxes
from worker.fiscal.waiting import awaiting

T = TypeVar("T")


class ChainPayment(Attempts):
    """One pass over a prepayment of less than the order, or a further payment."""

    def __init__(self, issuing: Issuing, planned: Callable[[], Plan]) -> None:
        """``planned`` raises ``Rejected`` where there can be no receipt: published only where none exists."""
        super().__init__(issuing, planned)
        self._request = issuing.request
        self._rounding = issuing.integration.cash_rounding
        self._chains = Chains(issuing, self._order.uuid)

    def _receipt_id(self, attempt: int) -> UUID:
        assert self._request.payment_uuid is not None  # the message was validated
        return payment_receipt_id(self._order.uuid, self._request.payment_uuid, attempt)

    def _counts_no_more(self, issued: IssuedReceipt) -> bool:
        """A payment whose chain was returned is never made anew: there are new payments for a new chain."""
        return False

    def _found(self, issued: IssuedReceipt) -> Fiscalized:
        if not issued.is_numbered:
            return super()._found(issued)
        if is_made_by(issued, self._request):
            return self._completed(super()._found(issued))
        is_own = self._pass.is_own(issued)
        chain = self._read(issued, is_own, self._chains.of_payment)
        differs = partial(self._difference, chain.relation)
        if differs(issued) is None:  # another sum is told whatever became of the chain
            self._refuse_returned(chain, issued, is_own)
        done = self._pass.settle(issued, False, differs)
        return replace(done, already=not is_own, relation=chain.relation)

    def _refuse_returned(self, chain: Chain, issued: IssuedReceipt, own: bool) -> None:
        """Raise where the payment's chain was returned, or may be soon."""
        if chain.is_returned:
            self._pass.receipt_made = False
            raise Rejected(Code.ORDER_ARCHIVED if self._order.archived else Code.RECEIPT_RETURNED)
        if chain.may_be_returned:
            self._note_seen(issued, own)
            raise Postponed(LOOK_AFTER, Wait.RETURN_OF_CHAIN)

    def _completed(self, done: Fiscalized) -> Fiscalized:
        assert done.receipt is not None
        return replace(done, relation=self._read(done.receipt, True, self._chains.relation_of))

    def _read(self, issued: IssuedReceipt, own: bool, read: Callable[[IssuedReceipt], T]) -> T:
        """What the chain of a receipt is."""
        try:
            return read(issued)
        except (Postponed, Unavailable):
            self._note_seen(issued, own)
            raise

    def _note_seen(self, issued: IssuedReceipt, own: bool) -> None:
        """A later pass that does not see the receipt must not take it for missing."""
        now = self._pass.dependencies.clock()
        state = replace(self._pass.state, look_up_first=True)
        if own:
            self._pass.state = replace(state, posted_id=issued.id, posted_at=now)
        else:
            self._pass.state = replace(state, hidden_id=issued.id, hidden_since=now)

    def _difference(self, relation: Relation, issued: IssuedReceipt) -> Mapping[str, Any] | None:
        return sum_difference(self._request, issued, relation, self._rounding)

    def _make(self, free: Free) -> Fiscalized:
        self._pass.check_free(free.receipt_id)
        receipt = self._planned().receipt
        if self._order.archived:
            raise Rejected(Code.ORDER_ARCHIVED)
        if free.refusal is not None:
            raise free.refusal
        check_taxes(self._pass.session, self._pass.integration.tax_rates, self._order)
        self._pass.prepare()
        fitting = partial(self._fitting, free.receipt_id)
        (chain, relation_id), read_at = self._read_and_ask_archive(fitting)
        ask = self._ask(chain, relation_id, free.receipt_id, receipt)
        try:
            return self._pass.post(free.receipt_id, ask, read_at)
        except Rejected as refused:
            if refused.code is Code.RECEIPT_REJECTED and "receiptId" not in refused.detail:
                # Nothing was made of it: the chain may be another one now, or the id an older receipt's.
                fitting()
                if self._pass.look_up(free.receipt_id) is not None:
                    self._pass.note_hidden(free.receipt_id)
                    raise ReceiptExists from None
            raise

    def _fitting(self, receipt_id: UUID) -> tuple[Chain | None, str]:
        """The chain that the payment fits, or None and the id of the one that it opens.

        Raises a ``Verdict`` where it fits none, ``ReceiptExists`` where it is in the chain already.
        """
        chain, relation_id = self._chains.standing()
        if chain is not None and str(receipt_id) in chain.relation.payments:
            self._pass.note_hidden(receipt_id)
            raise ReceiptExists
        verdict = self._unfit() if chain is None else refusal(self._request, chain, self._rounding)
        if verdict is None:
            return chain, relation_id
        if may_fit_later(self._request, verdict, chain):
            raise awaiting(self._pass, Wait.CHAIN_OF_PAYMENT, verdict)
        raise verdict

    def _unfit(self) -> Rejected | None:
        """Why the payment does not fit where no chain stands."""
        if is_sold(self._pass, self._order.uuid):
            return mismatch(ChainReason.ORDER_SOLD, receipt_made=True)
        if self._request.operation is Operation.AFTERPAYMENT:
            return mismatch(ChainReason.NO_CHAIN)
        return mismatch(ChainReason.NOT_LESS) if self._request.paid >= self._order.total else None

    def _ask(
        self, chain: Chain | None, relation_id: str, receipt_id: UUID, receipt: Receipt
    ) -> Callable[[], IssuedReceipt]:
        session = self._pass.session
        if chain is None:
            context = context_of(self._request, self._pass.state)
            return partial(session.open_chain, relation_id, receipt_id, receipt, context)
        left = chain.relation.left
        due = AmountDue.of(left, self._request.payments, self._rounding, gives_change=False)
        if self._request.closes and due.adds_up:
            payments = adjusted(receipt.payments, due)
            receipt = replace(receipt, payments=payments, rounding=due.rounding, total=left)
        return partial(session.pay_chain, relation_id, receipt_id, receipt)
