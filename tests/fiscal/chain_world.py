"""The world of interleaved deliveries, with Checkbox's prepayment chains."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from uuid import UUID

from tests.builders import issued
from tests.fiscal.interleaving import LAG, World
from worker.fiscal.outcomes import Code, IssuedReceipt, Rejected, Relation
from worker.fiscal.receipt import Receipt


@dataclass
class Kept:
    """A chain: what its goods come to, its payments, and each return with the payment that it undoes."""

    total: int
    payments: list[str] = field(default_factory=list)
    returns: list[tuple[str, str]] = field(default_factory=list)


class ChainWorld(World):
    """Reads lag, posts are lost and land late; a return has no id of the client's."""

    def __init__(self, seed: int, faults: bool = True, errors: float = 0.15) -> None:
        super().__init__(seed, faults, errors, prepayments=True)
        self.chains: dict[str, Kept] = {}
        #: Whether Checkbox counts the money of a refused payment.
        self.counts_refused = self.random.random() < 0.5
        self.shows_whole = self.random.random() < 0.5

    def chain(self, relation_id: str, secrets: Iterable[str] = ()) -> Relation | None:
        self.step()
        kept = self.chains.get(relation_id)
        if kept is None:
            return None
        # One read shows one moment, which may be past.
        moment = self.now - (self.random.uniform(0, LAG) if self.happens(0.4) else 0.0)
        payments = [one for one in kept.payments if self.ledger[one].at <= moment]
        if not payments:
            return None
        returns = [pair for pair in kept.returns if self.ledger[pair[1]].at <= moment]
        return Relation(
            id=relation_id,
            status=self._status(replace(kept, payments=payments, returns=returns)),
            total=kept.total,
            paid=self._paid(kept.total, payments),
            left=kept.total - self._paid(kept.total, payments),
            payments=tuple(payments),
            closing=None,
            returns=tuple(back for _, back in returns),
            returned_by=dict(returns),
            shown={one: self._seen(one) for one in payments} if self.shows_whole else {},
        )

    def open_chain(
        self, relation_id: str, receipt_id: UUID, receipt: Receipt, context: Mapping[str, str | int]
    ) -> IssuedReceipt:
        made = self._payment(relation_id, receipt_id, receipt, context)
        end = self.end()

        def land(at: float) -> None:
            if relation_id in self.chains:
                raise Rejected(Code.RECEIPT_REJECTED, {"status": 400})
            self.land(made, at, end)
            self.chains[relation_id] = Kept(receipt.total, [made.id])

        self.post(land)
        return self._seen(made.id)

    def pay_chain(self, relation_id: str, receipt_id: UUID, receipt: Receipt) -> IssuedReceipt:
        made = self._payment(relation_id, receipt_id, receipt, {})
        end = self.end()

        def land(at: float) -> None:
            kept = self.chains.get(relation_id)
            left = 0 if kept is None else kept.total - self._paid(kept.total, kept.payments)
            if kept is None or kept.returns or made.total > left:
                raise Rejected(Code.RECEIPT_REJECTED, {"status": 400})
            self.land(made, at, end)
            kept.payments.append(made.id)

        self.post(land)
        return self._seen(made.id)

    def return_chain(self, relation_id: str, receipt: Receipt) -> None:
        def land(at: float) -> None:
            kept = self.chains.get(relation_id)
            if kept is None or self._status(kept) in ("CANCELLED", "PARTIAL_CANCELLED"):
                raise Rejected(Code.RECEIPT_REJECTED, {"status": 400})
            for payment in self._to_return(kept):
                back = replace(
                    self.ledger[payment].receipt,
                    id=str(UUID(int=self.random.getrandbits(128))),
                    is_return=True,
                    related_receipt_id=payment,
                    context={},
                )
                self.land(back, at, self.end())
                kept.returns.append((payment, back.id))

        self.post(land)

    def _payment(
        self, relation_id: str, receipt_id: UUID, receipt: Receipt, context: Mapping[str, str | int]
    ) -> IssuedReceipt:
        money = sum(payment.value for payment in receipt.payments)
        return issued(
            receipt,
            id=str(receipt_id),
            context=dict(context),
            relation_id=relation_id,
            total=money,
            lines=(),
        )

    def _seen(self, receipt_id: str) -> IssuedReceipt:
        return self.ledger[receipt_id].seen(self.now)

    def _paid(self, total: int, payments: list[str]) -> int:
        counted = [one for one in map(self._seen, payments) if self.counts_refused or not one.is_refused]
        return min(total, sum(one.total for one in counted))

    def _to_return(self, kept: Kept) -> list[str]:
        returned = {payment for payment, back in kept.returns if not self._seen(back).is_refused}
        return [one for one in kept.payments if not self._seen(one).is_refused and one not in returned]

    def _status(self, kept: Kept) -> str:
        if kept.returns and not self._to_return(kept):
            return "CANCELLED"
        return "FULL_PAID" if self._paid(kept.total, kept.payments) == kept.total else "PARTIAL_PAID"

    def stand(self, relation_id: str, total: int, *payments: tuple[IssuedReceipt, str, float]) -> None:
        """A chain of these receipts, each with its end, made so many seconds ago."""
        for receipt, end, age in payments:
            self.add(replace(receipt, relation_id=relation_id), end, age)
        self.chains[relation_id] = Kept(total, [receipt.id for receipt, _, _ in payments])

    # What there is in the end.

    def numbered(self) -> list[IssuedReceipt]:
        return [one for one in map(self._seen, self.ledger) if one.is_numbered]
