"""What goes to the tax service: transactions, the receipts in them, and reports of a shift.

Plain objects like those of ``entities``. Times are seconds since the epoch, money is kopiykas.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from worker.sandbox.entities import Shift

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
    shift: Shift | None = None

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


@dataclass(frozen=True, slots=True)
class Sums:
    """Kopiykas of a receipt; what cash is given back as change is taken off ``cash``."""

    #: Before cash is rounded.
    total: int
    #: What rounding adds.
    round_sum: int
    cash: int
    card: int


@dataclass(slots=True, eq=False)
class Receipt:
    """A receipt. What never changes is kept as JSON text: a benchmark holds 100,000 of them."""

    id: str
    type: str
    serial: int
    shift: Shift
    transaction: Transaction
    created_at: float
    fiscal_date: float
    sums: Sums
    related_receipt_id: str | None
    context: dict[str, object] | None
    #: Members of the answer that never change, as JSON without its braces.
    fixed: bytes
    #: What the client sent.
    request: bytes
    control_number: str | None = None
    #: The number was given at once, before the tax service answered.
    is_offline: bool = False
    hide_context: bool = False
    old_names: bool = False
    #: When a look-up by id first found it ended.
    shown_at: float | None = None

    def status(self, now: float) -> str:
        return self.transaction.status(now) if self.transaction.is_over(now) else "CREATED"

    def fiscal_code(self, now: float) -> str | None:
        if self.is_offline:
            return self.transaction.fiscal_code
        if self.transaction.error is not None or not self.transaction.is_over(now):
            return None
        return self.transaction.fiscal_code


@dataclass(slots=True, eq=False)
class Report:
    """An X report, or the Z report of a closing shift. ``figures`` is the body without status fields."""

    id: str
    serial: int
    is_z_report: bool
    shift: Shift
    created_at: float
    figures: dict[str, object]
    fiscal_code: str | None = None
