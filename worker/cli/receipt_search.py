"""The receipts that an order may have at Checkbox: their ids are derived from the order."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import count
from uuid import UUID

from worker.checkbox.client import CheckboxClient
from worker.cli.signed_in import secrets_of
from worker.fiscal.integrations import Cashier, Integration
from worker.fiscal.order import Operation
from worker.fiscal.outcomes import IssuedReceipt
from worker.fiscal.receipt import receipt_id


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
    operations: Iterable[Operation] = tuple(Operation),
) -> Iterator[FoundReceipt]:
    """Those in ERROR, then the one that counts. Raises what a call raises."""
    private = secrets_of(cashier)
    for operation in operations:
        for attempt in count():
            derived = receipt_id(order, operation, attempt)
            receipt = client.receipt(integration.checkbox_url, token, derived, private=private)
            if receipt is not None:
                yield FoundReceipt(operation, receipt)
            if receipt is None or receipt.status != "ERROR":
                break
