"""Orders that were sold twice: declared income, which only a return undoes."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
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
            untold[owner.order].append(
                _Sale(key, issued_at(receipt), receipt.total, receipt.relation_id, owner.payment)
            )
    found: list[Difference] = []
    for order in {*kept.sold_again(orders), *untold}:
        receipts = kept.of_orders([order])
        sales = [*map(_published, (one for one in receipts if not one.is_return)), *untold[order]]
        for sale in _repeated(kept, books, order, sorted(sales, key=lambda one: one.at)):
            if sale.id in issued:
                found.append(_difference(order, sale, known.get(sale.id), owners.get(sale.id)))
    return found


def _published(one: KeptReceipt) -> _Sale:
    return _Sale(one.id, one.fiscal_at, one.total, one.relation, one.payment)


def _repeated(kept: Kept, books: Books, order: UUID, sales: list[_Sale]) -> Iterator[_Sale]:
    """Sales in the order of time: those before which another one stood."""
    standing: list[_Sale] = []
    for sale in sales:
        if not any(_is_beside(sale, one) for one in standing):
            standing.append(sale)
            continue
        standing = _not_returned(kept, books, order, standing, sale.at)
        if any(_is_beside(sale, one) for one in standing):
            yield sale
        standing.append(sale)


def _is_beside(sale: _Sale, other: _Sale) -> bool:
    """Whether both may not stand: the payments of one chain may."""
    if sale.relation is None or other.relation is None:
        return True
    return sale.payment is not None and sale.payment == other.payment


def _not_returned(kept: Kept, books: Books, order: UUID, sales: list[_Sale], until: float) -> list[_Sale]:
    """Those that were not returned in full before the time."""

    def returned(receipts: Iterable[KeptReceipt]) -> int:
        return sum(one.total for one in receipts if one.fiscal_at <= until)

    def is_returned(sale: _Sale) -> bool:
        if sale.relation is None:
            return returned(kept.returns_of(sale.id)) >= sale.total or _is_given_back(books, sale, until)
        back = [one for one in kept.returns_of_chains(order) if one.relation == sale.relation]
        return returned(back) >= sum(one.total for one in sales if one.relation == sale.relation)

    return [sale for sale in sales if not is_returned(sale)]


def _is_given_back(books: Books, sale: _Sale, until: float) -> bool:
    """By Checkbox, which knows what people gave back at the till too."""
    receipt = books.look_up(sale.id)
    return receipt is None or not receipt.is_numbered or books.returned(receipt, until) >= sale.total


def _difference(
    order: UUID, sale: _Sale, published: KeptReceipt | None, owner: KeptRequest | None
) -> Difference:
    named = published or owner
    assert named is not None
    return Difference(
        Kind.ORDER_DOUBLED,
        order=order,
        doc_number=named.doc_number,
        receipt_id=sale.id,
        ours=sale.total if published else None,
        checkbox=sale.total,
        integration=named.integration,
    )
