"""Orders that were sold twice: declared income, which only a return undoes."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from uuid import UUID

from worker.fiscal.outcomes import IssuedReceipt
from worker.journal.reconciliation.books import Books, issued_at
from worker.journal.reconciliation.difference import Difference, Kind
from worker.journal.reconciliation.kept import Kept, KeptReceipt, KeptRequest


@dataclass(frozen=True, slots=True)
class _Sale:
    id: str
    at: float
    total: int
    relation: str | None = None
    payment: UUID | None = None


def doubles(
    kept: Kept,
    books: Books,
    known: Mapping[str, KeptReceipt],
    issued: Mapping[str, IssuedReceipt],
    owners: Mapping[str, KeptRequest],
) -> list[Difference]:
    """Each receipt of this shift that sells what an earlier receipt has sold."""
    orders = list({one.order for key, one in known.items() if key in issued and not one.is_return})
    untold: defaultdict[UUID, list[_Sale]] = defaultdict(list)
    for key, owner in owners.items():
        if not issued[key].is_return:
            receipt = issued[key]
            untold[owner.order].append(_Sale(key, issued_at(receipt), receipt.total, receipt.relation_id))
    found: list[Difference] = []
    for order in {*kept.sold_again(orders), *untold}:
        receipts = kept.of_orders([order])
        sales = [*map(_told, (one for one in receipts if not one.is_return)), *untold[order]]
        for sale in _repeated(kept, books, order, sorted(sales, key=lambda one: one.at)):
            if sale.id in issued:
                found.append(_difference(order, sale, known.get(sale.id), owners.get(sale.id)))
    return found


def _told(one: KeptReceipt) -> _Sale:
    return _Sale(one.id, one.fiscal_at, one.total, one.relation, one.payment)


def _repeated(kept: Kept, books: Books, order: UUID, sales: list[_Sale]) -> Iterator[_Sale]:
    """Sales in the order of time: those before which another one stood."""
    standing: list[_Sale] = []
    for sale in sales:
        standing = [one for one in standing if not _is_returned(kept, books, order, one, sale.at)]
        if any(_is_beside(sale, one) for one in standing):
            yield sale
        standing.append(sale)


def _is_beside(sale: _Sale, other: _Sale) -> bool:
    """Whether both may not stand: the payments of one chain may."""
    if sale.relation is None or other.relation is None:
        return True
    return sale.payment is not None and sale.payment == other.payment


def _is_returned(kept: Kept, books: Books, order: UUID, sale: _Sale, until: float) -> bool:
    """In full, before the time; by the journal or else by Checkbox, which knows what people gave back too."""
    back = [one for one in kept.returns_of(order, [sale.id]) if one.fiscal_at <= until]
    if sale.relation is not None:
        return any(one.relation == sale.relation for one in back)
    if sum(one.total for one in back if sale.at <= one.fiscal_at) >= sale.total:
        return True
    receipt = books.look_up(sale.id)
    return receipt is None or not receipt.is_numbered or books.returned(receipt) >= sale.total


def _difference(order: UUID, sale: _Sale, told: KeptReceipt | None, owner: KeptRequest | None) -> Difference:
    named = told or owner
    assert named is not None
    return Difference(
        Kind.ORDER_DOUBLED,
        order=order,
        doc_number=named.doc_number,
        receipt_id=sale.id,
        ours=sale.total if told else None,
        checkbox=sale.total,
        integration=named.integration,
    )
