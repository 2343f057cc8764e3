"""Documents on their way to the tax service."""

from __future__ import annotations

import math
from dataclasses import dataclass

TRANSACTION_STATUSES = (
    "CREATED",
    "PENDING",
    "SIGNED",
    "DELIVERED",
    "DONE",
    "ERROR",
    "CANCELLED",
    "OFFLINE",
)
TRANSACTION_TYPES = (
    "SHIFT_OPEN",
    "X_REPORT",
    "Z_REPORT",
    "PING",
    "RECEIPT",
    "LAST_RECEIPT",
    "GO_OFFLINE",
    "ASK_OFFLINE_CODES",
    "GO_ONLINE",
    "DEL_LAST_RECEIPT",
    "DEL_LAST_RECEIPT_ID",
    "STATUS_RRO",
    "INFO_RRO",
)
#: The share of the processing time after which a document is signed, and after which it is delivered.
_SIGNED, _DELIVERED = 0.4, 0.7


@dataclass(slots=True, eq=False)
class Transaction:
    """A document on its way to the tax service."""

    id: str
    type: str
    serial: int
    created_at: float
    #: When the tax service answers; infinite if unknown.
    done_at: float
    previous_hash: str
    #: The tax service's message if it refuses the document.
    error: str | None = None
    fiscal_code: str | None = None
    offline_id: str | None = None
    original_datetime: float | None = None
    cashier_id: str | None = None

    def is_over(self, now: float) -> bool:
        return now >= self.done_at

    def status(self, now: float) -> str:
        if self.is_over(now):
            return "DONE" if self.error is None else "ERROR"
        if now < self.signed_at:
            return "PENDING"
        return "SIGNED" if now < self.delivered_at else "DELIVERED"

    @property
    def signed_at(self) -> float:
        return self._moment(_SIGNED)

    @property
    def delivered_at(self) -> float:
        return self._moment(_DELIVERED)

    def _moment(self, share: float) -> float:
        if math.isinf(self.done_at):
            return self.done_at
        return self.created_at + share * (self.done_at - self.created_at)
