"""What differs between the journal and Checkbox's books."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any
from uuid import UUID

from worker.fiscal.money import hryvnias


class Kind(StrEnum):
    """The names are part of the contract. A receipt stands in one kind only, the first that fits."""

    ORDER_DOUBLED = "order_doubled"
    RECEIPT_MISSING = "receipt_missing"
    SUM_DIFFERS = "sum_differs"
    RECEIPT_UNTOLD = "receipt_untold"
    FOREIGN_RECEIPT = "foreign_receipt"
    SHIFT_DIFFERS = "shift_differs"
    REQUEST_UNANSWERED = "request_unanswered"
    NOT_COMPARED = "not_compared"


@dataclass(frozen=True, slots=True)
class Difference:
    """One of them; sums in kopiykas, by the journal and by Checkbox."""

    kind: Kind
    order: UUID | None = None
    doc_number: str | None = None
    receipt_id: str | None = None
    ours: int | None = None
    checkbox: int | None = None
    reason: str | None = None
    #: Whose order it is, where the journal knows: a register may serve several integrations.
    integration: str | None = None

    @property
    def is_one(self) -> bool:
        """A receipt of somebody else at the register is reported, and is no difference by itself."""
        return self.kind is not Kind.FOREIGN_RECEIPT

    def line(self) -> dict[str, Any]:
        """As it is printed and published; the sums are left out where there can be none."""
        line: dict[str, Any] = {"kind": self.kind.value}
        if self.order is not None:
            line["orderUuid"] = str(self.order)
        if self.doc_number is not None:
            line["docNumber"] = self.doc_number
        if self.receipt_id is not None:
            line["receiptId"] = self.receipt_id
        if self.kind is not Kind.NOT_COMPARED:
            line["ours"] = None if self.ours is None else hryvnias(self.ours)
            line["checkbox"] = None if self.checkbox is None else hryvnias(self.checkbox)
        if self.reason is not None:
            line["reason"] = self.reason
        return line
