"""The receipts that an order may have at Checkbox: their ids are derived from the order."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import count
from uuid import UUID

from worker.checkbox.client import CheckboxClient
from worker.checkbox.signed_in import secrets_of
from worker.fiscal.chain import chain_id
from worker.fiscal.context import document_of
from worker.fiscal.integrations import Cashier, Integration
from worker.fiscal.order import Operation
from worker.fiscal.outcomes import IssuedReceipt, Relation
from worker.fiscal.receipt import return_receipt_id, sale_receipt_id

_FISCAL_CODE = re.compile(r"[A-Za-z0-9_-]{11}")


@dataclass(frozen=True, slots=True)
class FoundReceipt:
    """A receipt, and what it is to the order."""

    operation: Operation
    receipt: IssuedReceipt
    #: The prepayment chain that it belongs to.
    relation: Relation | None = None


def receipts_of(
    client: CheckboxClient,
    token: str,
    integration: Integration,
    cashier: Cashier,
    order: UUID,
) -> Iterator[FoundReceipt]:
    """The order's sales with their returns, then its prepayments. Raises what a call raises."""
    private = secrets_of(cashier)

    def look_up(receipt_id: UUID) -> IssuedReceipt | None:
        return client.receipt(integration.checkbox_url, token, receipt_id, private=private)

    yield from _sales(look_up, order)
    for number in count() if integration.prepayments else ():
        url, chain = integration.checkbox_url, chain_id(order, number)
        relation = client.chains.read(url, token, chain, private=private)
        if relation is None:
            return
        yield from _of_chain(look_up, relation)


_LookUp = Callable[[UUID], IssuedReceipt | None]


def _of_chain(look_up: _LookUp, relation: Relation) -> Iterator[FoundReceipt]:
    """Payments as they were made, then the returns of the chain."""
    first = relation.payments[0]
    for named in (*relation.payments, *relation.returns):
        issued = look_up(UUID(named))
        if issued is not None:
            payment = Operation.PREPAYMENT if named == first else Operation.AFTERPAYMENT
            is_return = named in relation.returns
            yield FoundReceipt(Operation.PREPAYMENT_RETURN if is_return else payment, issued, relation)


def _sales(look_up: _LookUp, order: UUID) -> Iterator[FoundReceipt]:
    for attempt in count():
        sale = look_up(sale_receipt_id(order, attempt))
        if sale is None:
            return
        yield FoundReceipt(Operation.SELL, sale)
        for place in count():
            back = look_up(return_receipt_id(sale.id, place))
            if back is None:
                break
            yield FoundReceipt(Operation.RETURN, back)


def by_receipt_id(
    client: CheckboxClient, token: str, integration: Integration, cashier: Cashier, receipt_id: UUID
) -> list[FoundReceipt]:
    """The receipt of this id and, where it says whose it is, all of its order. Raises what a call raises."""
    url, private = integration.checkbox_url, secrets_of(cashier)
    receipt = client.receipt(url, token, receipt_id, private=private)
    if receipt is None:
        return []
    found = FoundReceipt(Operation.RETURN if receipt.is_return else Operation.SELL, receipt)
    order = document_of(receipt)
    if receipt.relation_id is not None:  # of a chain its first receipt alone says whose it is
        relation = client.chains.read(url, token, receipt.relation_id, private=private)
        first = client.receipt(url, token, UUID(relation.payments[0]), private=private) if relation else None
        order = document_of(first) if first else None
    try:
        of_order = list(receipts_of(client, token, integration, cashier, UUID(order))) if order else []
    except ValueError:  # somebody else's context
        of_order = []
    return of_order if any(one.receipt.id == receipt.id for one in of_order) else [found]


def as_fiscal_code(text: str) -> str | None:
    """What may be a fiscal number; its letters' case counts at Checkbox."""
    code = "".join(text.split())
    return code if _FISCAL_CODE.fullmatch(code) else None


def by_fiscal_code(
    client: CheckboxClient, token: str, integration: Integration, cashier: Cashier, fiscal_code: str
) -> list[FoundReceipt]:
    """As ``by_receipt_id``, for the receipt of this number. Raises what a call raises."""
    found = client.search_receipts(
        integration.checkbox_url, token, fiscal_code=fiscal_code, private=secrets_of(cashier)
    )
    if not found:
        return []
    # The short form of the search does not say whose it is.
    return by_receipt_id(client, token, integration, cashier, UUID(found[0].receipt.id))
