"""The return of a whole chain: Checkbox makes one return for each of its receipts, under ids of its own.

No id of ours is in it, so that only the chain shows what came of a post, and a post whose end is
unknown is never repeated while its returns may still appear.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial

from worker.fiscal.chain import CANCELLED, Chain, ChainReason, chain_id, chain_number, mismatch
from worker.fiscal.chains import Chains
from worker.fiscal.issuing import LONGEST_LOOK, LOOK_AFTER, SETTLED_AFTER, Issuing
from worker.fiscal.outcomes import Code, Fiscalized, Postponed, Rejected, Unavailable, Verdict
from worker.fiscal.plan import Plan
from worker.fiscal.ports import Refusal
from worker.fiscal.reasons import Wait
from worker.fiscal.receipt import Receipt
from worker.fiscal.waiting import awaiting


class ChainReturn:
    """One pass over a request to return a chain. Every pass reads anew all that it acts on."""

    def __init__(self, issuing: Issuing, planned: Callable[[], Plan]) -> None:
        """``planned`` raises ``Rejected`` where message and configuration allow no return."""
        self._pass = issuing
        self._planned = planned
        self._began = issuing.dependencies.monotonic()
        self._looked_at = issuing.dependencies.clock()
        return_of = issuing.request.return_of
        assert return_of is not None  # the message was validated
        assert return_of.order_uuid is not None
        self._order = return_of.order_uuid
        self._named = return_of.relation_id or issuing.state.returned_chain
        self._chains = Chains(issuing, self._order)
        #: The order has had several chains, and none is named.
        self._has_several = False

    def run(self) -> Fiscalized:
        """Raises a ``Verdict`` when the pass does not end in numbered returns of all payments."""
        chain = self._named_chain()
        if chain is not None and chain.returns:
            done = self._made(chain)
            if done is not None:
                return done
        state = self._pass.state
        if state.posted_at is None:
            self._pass.receipt_made = False
        elif state.returned_chain is not None:
            raise self._pass.number_awaited()  # Checkbox took it, and does not show it yet
        try:
            self._give_back(chain)
        except Rejected as refusal:
            return self._made_meanwhile(chain, refusal)
        self._pass.has_posted = True
        self._pass.receipt_made = True
        raise self._pass.number_awaited()

    def _made_meanwhile(self, chain: Chain | None, refusal: Rejected) -> Fiscalized:
        """The returns that somebody else had made; raises the refusal where there are none."""
        if refusal.code is Code.RECEIPT_REJECTED and chain is not None:
            now = self._chains.with_id(chain.relation.id)
            done = self._made(now) if now is not None and len(now.returns) > len(chain.returns) else None
            if done is not None:
                return done
        raise self._pass.final(refusal, self._looked_at) from None

    def _named_chain(self) -> Chain | None:
        """The chain that the document names; without a name the only one that the order has had."""
        if self._named is not None:
            is_known = chain_number(self._order, self._named) is not None
            return self._chains.with_id(self._named.strip().lower()) if is_known else None
        chain = self._chains.with_id(chain_id(self._order, 0))
        self._has_several = chain is not None and self._chains.relation(chain_id(self._order, 1)) is not None
        return None if self._has_several else chain

    def _made(self, chain: Chain) -> Fiscalized | None:
        """The outcome of returns that exist; None where they were refused and may be posted again."""
        self._pass.receipt_made = True
        if chain.is_returned:
            return self._done(chain)
        if any(not (one.is_numbered or one.is_refused) for one in chain.returns):
            raise self._pass.number_awaited()
        state = self._pass.state
        is_ours = state.returned_chain == chain.relation.id
        is_whole = all(chain.returns_of(payment) for payment in chain.living)
        asked_at = state.posted_at if state.unknown_since is None else state.unknown_since
        may_appear = is_ours and self._pass.since(asked_at) < SETTLED_AFTER
        if not is_whole or (may_appear and len(chain.returns) <= state.returns_before):
            raise Postponed(LONGEST_LOOK, Wait.RETURNS_NOT_SHOWN_YET)
        if is_ours or state.unknown_since is not None or chain.relation.status in CANCELLED:
            raise self._pass.final(_thrown_out(chain), self._looked_at)
        return None

    def _done(self, chain: Chain) -> Fiscalized:
        state, shared = self._pass.state, self._pass.dependencies
        is_own = state.returned_chain == chain.relation.id or state.unknown_since is not None
        if not is_own:
            shared.duplicate_prevented()
        shared.returned_chains.add(chain.relation.id)
        self._pass.state = replace(state, unknown_since=None)
        returns = (chain.numbered_return(payment) for payment in chain.living)
        return Fiscalized(
            None,
            already=not is_own,
            checkbox_url=self._pass.integration.checkbox_url,
            returns=tuple(one for one in returns if one is not None),
            relation=chain.relation,
        )

    def _give_back(self, chain: Chain | None) -> None:
        """Post the return. Raises a ``Verdict`` where there is nothing to return, or not yet."""
        receipt = self._planned().receipt
        if self._pass.request.order.archived:
            raise Rejected(Code.ORDER_ARCHIVED)
        self._pass.prepare()
        if self._has_several:
            raise mismatch(ChainReason.WHICH_CHAIN)
        if chain is None or not chain.living:
            nothing = mismatch(ChainReason.NO_CHAIN, chain.relation if chain else None)
            raise awaiting(self._pass, Wait.CHAIN_OF_RETURN, nothing)
        if not all(payment.is_numbered for payment in chain.living):
            raise Postponed(
                LOOK_AFTER, Wait.CHAIN_OF_RETURN
            )  # it may be refused, and the money given for nothing
        if chain.relation.status in CANCELLED:
            raise Postponed(LONGEST_LOOK, Wait.RETURNS_NOT_SHOWN_YET)
        may_have_posted_at = self._pass.state.may_have_posted_at
        left = SETTLED_AFTER - self._pass.since(may_have_posted_at)
        if may_have_posted_at is not None and left > 0:
            raise Postponed(min(left, LONGEST_LOOK), Wait.RETURNS_MAY_APPEAR)
        self._pass.send(partial(self._ask, chain, receipt), read_at=self._began)

    def _ask(self, chain: Chain, receipt: Receipt) -> None:
        relation_id, before = chain.relation.id, self._pass.state
        self._pass.state = replace(before, returned_chain=relation_id, returns_before=len(chain.returns))
        try:
            self._pass.session.return_chain(relation_id, receipt)
        except (Verdict, Refusal) as fault:
            if not (isinstance(fault, Unavailable) and fault.may_have_sold):
                self._pass.state = before
            raise


def _thrown_out(chain: Chain) -> Rejected:
    receipts = [{"id": one.id, "status": one.status, "reason": one.error} for one in chain.returns]
    words = next((one.error for one in chain.returns if one.error), None)
    return Rejected(Code.RECEIPT_REJECTED, {"receipts": receipts, "words": words})
