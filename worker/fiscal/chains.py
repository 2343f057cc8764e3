"""The chains of an order, as they are read at Checkbox: fail closed, what cannot be read is "don't know"."""

from __future__ import annotations

from uuid import UUID

from worker.fiscal.chain import Chain, chain_id
from worker.fiscal.issuing import LOOK_AFTER, Issuing
from worker.fiscal.outcomes import IssuedReceipt, Postponed, Relation
from worker.fiscal.privacy import private_values
from worker.fiscal.reasons import Wait


class Chains:
    """Reads them for one pass."""

    def __init__(self, issuing: Issuing, order: UUID) -> None:
        """``order`` is the chain's, and not a return's own document."""
        self._pass = issuing
        self._order = order

    def relation(self, relation_id: str) -> Relation | None:
        return self._pass.session.chain(relation_id, private_values(self._pass.request))

    def with_id(self, relation_id: str) -> Chain | None:
        """The chain; None where there is none yet."""
        relation = self.relation(relation_id)
        return None if relation is None else self._with_receipts(relation)

    def standing(self) -> tuple[Chain | None, str]:
        """The chain that stands, if one does; and the id of the next chain, or of that one."""
        known = self._pass.dependencies.returned_chains
        number = 0
        while True:
            relation_id = chain_id(self._order, number)
            if relation_id not in known:
                chain = self.with_id(relation_id)
                if chain is None or chain.stands:
                    return chain, relation_id
                if chain.is_returned:
                    known.add(relation_id)
            number += 1

    def of_payment(self, issued: IssuedReceipt) -> Chain:
        """The chain that a payment's receipt belongs to."""
        return self._with_receipts(self.relation_of(issued))

    def relation_of(self, issued: IssuedReceipt) -> Relation:
        """Raises ``Postponed`` while Checkbox does not show the payment in it."""
        if issued.relation_id is not None:
            relation = self.relation(issued.relation_id)
            if relation is not None and issued.id in relation.payments:
                return relation
            raise Postponed(LOOK_AFTER, Wait.CHAIN_NOT_SHOWN_YET)
        number = 0
        while (relation := self.relation(chain_id(self._order, number))) is not None:
            if issued.id in relation.payments:
                return relation
            number += 1
        raise Postponed(LOOK_AFTER, Wait.CHAIN_NOT_SHOWN_YET)

    def _with_receipts(self, relation: Relation) -> Chain:
        return Chain(
            relation,
            payments=tuple(relation.shown.get(one) or self._receipt(one) for one in relation.payments),
            returns=tuple(self._receipt(one) for one in relation.returns),
        )

    def _receipt(self, receipt_id: str) -> IssuedReceipt:
        issued = self._pass.look_up(UUID(receipt_id))
        if issued is None:
            raise Postponed(LOOK_AFTER, Wait.RECEIPT_NOT_SHOWN_YET)
        return issued
