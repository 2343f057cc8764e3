"""A prepayment chain as Checkbox keeps it, and what it shows of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from worker.sandbox.ledger import Receipt
from worker.sandbox.options import Options


@dataclass(slots=True, eq=False)
class Chain:
    """Goods are fixed by the first receipt; every receipt counts from the moment it is accepted."""

    relation_id: str
    #: What the client sent to open it.
    opened_with: Mapping[str, Any]
    #: What the goods come to.
    total: int
    created_at: float
    payments: list[Receipt] = field(default_factory=list)
    closing: Receipt | None = None
    #: Each with the payment that it gives back.
    returns: list[tuple[Receipt, Receipt]] = field(default_factory=list)

    def counted(self, now: float, options: Options) -> list[Receipt]:
        """The payments whose money is in the chain."""
        taken = [payment for payment in self.payments if payment.status(now) != "ERROR"]
        is_one_refused = len(taken) < len(self.payments)
        return self.payments if is_one_refused and options.refused_payment == "counted" else taken

    def paid(self, now: float, options: Options) -> int:
        return sum(payment.sums.total for payment in self.counted(now, options))

    def left(self, now: float, options: Options) -> int:
        return self.total - self.paid(now, options)

    def not_given_back(self, now: float) -> list[Receipt]:
        """Payments without a return, or with refused ones alone."""
        given_back = {payment.id for payment, back in self.returns if back.status(now) != "ERROR"}
        return [
            payment
            for payment in self.payments
            if payment.status(now) != "ERROR" and payment.id not in given_back
        ]

    def status(self, now: float, options: Options) -> str:
        """ASSUMED A12: what a refused return does to the state."""
        if self.returns and not self.not_given_back(now):
            return "CANCELLED"
        if self.returns and options.refused_return != "unchanged":
            return options.refused_return
        return "FULL_PAID" if self.left(now, options) == 0 else "PARTIAL_PAID"
