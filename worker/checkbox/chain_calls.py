"""Checkbox's calls for prepayments. They need the bearer token alone, and an open shift as a sale does."""

from __future__ import annotations

from collections.abc import Mapping
from uuid import UUID

from worker.checkbox import wire
from worker.checkbox.calls import Call, Calls, Private
from worker.checkbox.endpoints import Endpoint
from worker.checkbox.failures import is_sure_no_chain
from worker.checkbox.receipt_answers import read_this
from worker.checkbox.relation_answers import read_relation, read_returned
from worker.fiscal.outcomes import IssuedReceipt, Relation
from worker.fiscal.receipt import Receipt


class ChainCalls:
    """Return, and raise, as the calls of ``CheckboxClient`` do."""

    def __init__(self, calls: Calls) -> None:
        self._calls = calls

    def read(self, url: str, token: str, relation_id: str, *, private: Private = ()) -> Relation | None:
        """The chain; None when Checkbox is sure to have none."""
        path = {"relation_id": relation_id}
        call = Call(endpoint=Endpoint.CHAIN, url=url, token=token, path=path, private=private)
        return self._calls.look_up(
            call, lambda document: read_relation(document, relation_id, call.secrets), is_sure_no_chain
        )

    def open(
        self,
        url: str,
        token: str,
        relation_id: str,
        receipt_id: UUID,
        receipt: Receipt,
        context: Mapping[str, str | int],
        *,
        private: Private = (),
    ) -> IssuedReceipt:
        """The advance that opens a chain. Raises as ``CheckboxClient.sell``."""
        call = Call(
            endpoint=Endpoint.PREPAYMENT,
            url=url,
            token=token,
            body=wire.prepayment_body(relation_id, receipt_id, receipt, context),
            private=(*private, *wire.private_values(receipt)),
        )
        return self._calls.issue(call, lambda document: read_this(receipt_id, document, call.secrets))

    def pay(
        self,
        url: str,
        token: str,
        relation_id: str,
        receipt_id: UUID,
        receipt: Receipt,
        *,
        private: Private = (),
    ) -> IssuedReceipt:
        """A further payment. Raises as ``CheckboxClient.sell``."""
        call = Call(
            endpoint=Endpoint.AFTERPAYMENT,
            url=url,
            token=token,
            path={"relation_id": relation_id},
            body=wire.afterpayment_body(receipt_id, receipt),
            private=(*private, *wire.private_values(receipt)),
        )
        return self._calls.issue(call, lambda document: read_this(receipt_id, document, call.secrets))

    def give_back(
        self, url: str, token: str, relation_id: str, receipt: Receipt, *, private: Private = ()
    ) -> None:
        """A return for each receipt of the chain. Raises as ``CheckboxClient.sell``."""
        call = Call(
            endpoint=Endpoint.CHAIN_RETURN,
            url=url,
            token=token,
            path={"relation_id": relation_id},
            body=wire.chain_return_body(receipt),
            private=(*private, *wire.private_values(receipt)),
        )
        self._calls.issue(call, read_returned)
