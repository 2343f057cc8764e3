"""What the journal knows of a shift and of its receipts."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from uuid import UUID

from sqlalchemy import ColumnElement, Connection, and_, func, or_, select

from worker.fiscal.chain import chain_id, payment_receipt_id
from worker.fiscal.integrations import CashRounding
from worker.fiscal.money import cash_to_pay
from worker.fiscal.order import Operation, PaymentForm
from worker.fiscal.receipt import return_receipt_id, sale_receipt_id
from worker.journal.tables import RECEIPTS, REQUESTS

#: Receipts that a shift may have which Checkbox did not name in the answer: so much earlier or later.
_SLACK_MS = 60_000
#: An order that waits is asked for up to so long before its shift.
_ASKED_BEFORE_MS = 3 * 86_400_000
#: Attempts of an order, and returns of a sale, whose ids are looked for.
_ATTEMPTS = 5
_PLACES = 10
#: Returns that one sale may have.
_MOST_RETURNS = 100
#: Values of one query.
_CHUNK = 500

RETURNS = ("RETURN", "PREPAYMENT_RETURN")


@dataclass(frozen=True, slots=True)
class KeptReceipt:
    """A receipt that a succeeded event named. Money in kopiykas, time in seconds since the epoch."""

    id: str
    order: UUID
    doc_number: str | None
    integration: str | None
    operation: str | None
    relation: str | None
    shift: str | None
    fiscal_at: float
    offline: bool
    #: What was published, and what its request asked for (None where the request was not heard).
    published: int
    asked: int | None
    payment: UUID | None
    #: The request's payments; Σ is what an advance or a further payment has to come to.
    paid: int
    is_cash: bool
    #: Of a chain's return: what the receipt came to that it returns; None where that is unknown.
    returned: int | None = None

    @property
    def is_return(self) -> bool:
        return self.operation in RETURNS

    @property
    def is_of_chain(self) -> bool:
        return self.relation is not None

    @property
    def total(self) -> int:
        """What it has to come to."""
        if self.is_of_chain and self.is_return:
            return self.published if self.returned is None else self.returned
        if self.asked is None:
            return self.published
        return self.paid if self.is_of_chain else self.asked

    def fits(self, total: int) -> bool:
        """A payment in cash that closes a chain may be what was left, before it was rounded."""
        return total == self.total or (total == self.published and self._was_rounded)

    @property
    def _was_rounded(self) -> bool:
        """Whether what was paid may be what was published, rounded; an advance closes nothing."""
        may_close = self.is_of_chain and self.is_cash and self.operation == Operation.AFTERPAYMENT.value
        return may_close and self.paid in (cash_to_pay(self.published, one) for one in CashRounding)


@dataclass(frozen=True, slots=True)
class KeptRequest:
    """A request of an order."""

    order: UUID
    doc_number: str | None
    integration: str | None
    #: The payment that a receipt's id derives from.
    payment: UUID | None = None


class Kept:
    """Questions to the journal. For one connection."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def of_shift(
        self, shift: str, opened_at: float, closed_at: float, rows: Iterable[tuple[str, str]]
    ) -> list[KeptReceipt]:
        """The receipts published of the shift, or of its rows in its time where no shift was named."""
        c = RECEIPTS.c
        in_time = and_(
            c.shift.is_(None),
            c.fiscal_at >= int(opened_at * 1000) - _SLACK_MS,
            c.fiscal_at <= int(closed_at * 1000) + _SLACK_MS,
            or_(*(and_(c.integration == one, c.cashier == cashier) for one, cashier in rows)),
        )
        return list(self._receipts(or_(c.shift == shift, in_time)))

    def by_id(self, ids: Iterable[str]) -> dict[str, KeptReceipt]:
        """Those of these receipts that an event named, of whatever shift."""
        found: dict[str, KeptReceipt] = {}
        for part in _parts([UUID(one) for one in ids if _is_uuid(one)]):
            found |= {one.id: one for one in self._receipts(RECEIPTS.c.id.in_(part))}
        return found

    def of_orders(self, orders: Iterable[UUID]) -> list[KeptReceipt]:
        """All receipts that these orders ever had."""
        return [one for part in _parts(list(orders)) for one in self._receipts(RECEIPTS.c.subject.in_(part))]

    def sold_again(self, orders: Sequence[UUID]) -> list[UUID]:
        """Those of these orders that have more than one receipt which is no return."""
        found: list[UUID] = []
        for part in _parts(list(orders)):
            sales = and_(RECEIPTS.c.subject.in_(part), RECEIPTS.c.operation.not_in(RETURNS))
            query = select(RECEIPTS.c.subject).where(sales).group_by(RECEIPTS.c.subject)
            found += self._connection.execute(query.having(func.count() > 1)).scalars()
        return found

    def returns_of(self, sale: str) -> list[KeptReceipt]:
        """The returns of a sale: their ids derive from its own."""
        return list(
            self.by_id(str(return_receipt_id(sale, place)) for place in range(_MOST_RETURNS)).values()
        )

    def returns_of_chains(self, order: UUID) -> list[KeptReceipt]:
        """The receipts of documents that return a chain of this order."""
        named = REQUESTS.c.return_of_order == order
        documents = list(self._connection.execute(select(REQUESTS.c.subject).where(named)).scalars())
        return [one for one in self.of_orders(documents) if one.is_return and one.is_of_chain]

    def request(self, key: UUID) -> KeptRequest | None:
        return self._request(REQUESTS.c.key == key)

    def order(self, order: UUID) -> KeptRequest | None:
        return self._request(REQUESTS.c.subject == order)

    def of_relation(self, relation: str, near: float) -> KeptRequest | None:
        """The order of a prepayment chain, from a receipt that was published around this time."""
        if not _may_be_derived(relation):
            return None
        c = RECEIPTS.c
        near_by = and_(c.relation == relation, c.fiscal_at >= int(near * 1000) - 366 * 86_400_000)
        query = select(c.subject, c.doc_number, c.integration).where(near_by).limit(1)
        row = self._connection.execute(query).first()
        return None if row is None else KeptRequest(*row)

    def derived(
        self, wanted: set[str], opened_at: float, closed_at: float, integrations: Iterable[str]
    ) -> dict[str, KeptRequest]:
        """Those of these ids, of receipts or chains, that derive from an order of around the shift."""
        wanted = {one for one in wanted if _may_be_derived(one)}
        if not wanted:
            return {}
        c = REQUESTS.c
        around = and_(
            c.heard_at >= int(opened_at * 1000) - _ASKED_BEFORE_MS,
            c.heard_at <= int(closed_at * 1000) + _SLACK_MS,
            c.integration.in_(list(integrations)),
            c.order_uuid.is_not(None),
        )
        query = select(c.order_uuid, c.doc_number, c.integration, c.payment_uuid).where(around).distinct()
        found: dict[str, KeptRequest] = {}
        for order, doc_number, integration, payment in self._connection.execute(query):
            owner = KeptRequest(order, doc_number, integration)
            found |= dict.fromkeys(wanted & set(_ids_of(order)), owner)
            if payment is not None:
                chains = {chain_id(order, number) for number in range(_ATTEMPTS)}
                ids = {str(payment_receipt_id(order, payment, attempt)) for attempt in range(_ATTEMPTS)}
                found |= dict.fromkeys(wanted & chains, owner)
                found |= dict.fromkeys(wanted & ids, replace(owner, payment=payment))
        return found

    def _request(self, condition: ColumnElement[bool]) -> KeptRequest | None:
        c = REQUESTS.c
        query = select(c.subject, c.doc_number, c.integration).where(condition).limit(1)
        row = self._connection.execute(query).first()
        return None if row is None else KeptRequest(*row)

    def _receipts(self, condition: ColumnElement[bool]) -> Iterator[KeptReceipt]:
        c, asked = RECEIPTS.c, REQUESTS.c
        query = (
            select(
                c.id, c.subject, c.doc_number, c.integration, c.operation, c.relation, c.shift, c.fiscal_at,
                c.offline, c.total, asked.total, asked.payment_uuid, asked.payments,
            )
            .select_from(RECEIPTS.outerjoin(REQUESTS, asked.key == c.request))
            .where(condition)
        )  # fmt: skip
        for receipt_id, *row, published_payments in map(list, self._connection.execute(query)):
            row[6] /= 1000
            payments = json.loads(published_payments or "[]")
            paid = sum(amount for *_, amount in payments)
            is_cash = all(form == PaymentForm.CASH.value for form, *_ in payments)
            yield KeptReceipt(*(str(receipt_id), *row, paid, is_cash))


def _ids_of(order: UUID) -> Iterator[str]:
    """Of its sales and their returns."""
    for attempt in range(_ATTEMPTS):
        sale = str(sale_receipt_id(order, attempt))
        yield sale
        yield from (str(return_receipt_id(sale, place)) for place in range(_PLACES))


def _parts(values: list[UUID]) -> Iterator[list[UUID]]:
    yield from (values[start : start + _CHUNK] for start in range(0, len(values), _CHUNK))


def _is_uuid(text: str) -> bool:
    try:
        UUID(text)
    except ValueError:
        return False
    return True


def _may_be_derived(text: str) -> bool:
    """Checkbox's own ids are random: the requests of a shift need not be gone through for them."""
    return _is_uuid(text) and UUID(text).version == 5
