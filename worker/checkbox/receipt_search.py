"""The receipts that an order may have at Checkbox: their ids are derived from the order."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count
from uuid import UUID

from worker.checkbox.client import CheckboxClient
from worker.checkbox.signed_in import secrets_of
from worker.fiscal.context import document_of
from worker.fiscal.integrations import Cashier, Integration
from worker.fiscal.order import Operation
from worker.fiscal.outcomes import IssuedReceipt
from worker.fiscal.receipt import return_receipt_id, sale_receipt_id


@dataclass(frozen=True, slots=True)
class FoundReceipt:
    """A receipt, and what it is to the order."""

    operation: Operation
    receipt: IssuedReceipt


def receipts_of(
    client: CheckboxClient,
    token: str,
    integration: Integration,
    cashier: Cashier,
    order: UUID,
) -> Iterator[FoundReceipt]:
    """The order's sales, each with the returns that were made of it. Raises what a call raises."""
    private = secrets_of(cashier)

    def look_up(receipt_id: UUID) -> IssuedReceipt | None:
        return client.receipt(integration.checkbox_url, token, receipt_id, private=private)

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
    private = secrets_of(cashier)
    receipt = client.receipt(integration.checkbox_url, token, receipt_id, private=private)
    if receipt is None:
        return []
    found = FoundReceipt(Operation.RETURN if receipt.is_return else Operation.SELL, receipt)
    order = document_of(receipt)
    try:
        of_order = list(receipts_of(client, token, integration, cashier, UUID(order))) if order else []
    except ValueError:  # somebody else's context
        of_order = []
    return of_order if any(one.receipt.id == receipt.id for one in of_order) else [found]
