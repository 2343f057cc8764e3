"""Documents on their way to the tax service."""

from __future__ import annotations

import math
from dataclasses import dataclass

#: Where in its processing a document is signed, and where the tax service has received it.
_SIGNED, _DELIVERED = 0.4, 0.7


@dataclass(slots=True, eq=False)
class Transaction:
    """A document on its way to the tax service."""

    id: str
    type: str
    serial: int
    created_at: float
    #: When the tax service answers; infinite while that is not known.
    done_at: float
    previous_hash: str
    #: The tax service's words when it refuses.
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
