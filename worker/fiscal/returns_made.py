"""The returns that a sale has: ours are found by their ids, those of people at the till by the search."""

from __future__ import annotations

from typing import Protocol
from uuid import UUID

from worker.fiscal.attempt_state import AttemptState, Search
from worker.fiscal.context import document_of
from worker.fiscal.outcomes import IssuedReceipt, Postponed, Unavailable
from worker.fiscal.ports import CashierSession
from worker.fiscal.reasons import Wait
from worker.fiscal.receipt import return_receipt_id

_LOOK_AFTER = 1.0
#: Places beyond the ones that were read in which a return of ours is looked for among the search's hits.
_AHEAD = 100


class Reader(Protocol):
    """A pass, as far as it reads."""

    state: AttemptState

    @property
    def session(self) -> CashierSession: ...

    def look_up(self, receipt_id: UUID) -> IssuedReceipt | None: ...


def returns_of_ours(reader: Reader, sale: IssuedReceipt) -> list[IssuedReceipt]:
    """The receipts in the sale's places, refused ones too, up to the first place that is free."""
    made: list[IssuedReceipt] = []
    while (issued := reader.look_up(return_receipt_id(sale.id, len(made)))) is not None:
        made.append(_with_total(issued))
    return made


def returns_at_till(reader: Reader, sale: IssuedReceipt, ours: list[IssuedReceipt]) -> list[IssuedReceipt]:
    """The sale's returns that people or other programs made.

    Raises ``Postponed`` until all receipts since the sale were seen, and where one of ours lies beyond the
    places that were read. ``ours`` were read before.
    """
    found = set(_search_to_end(reader, sale)) - {one.id for one in ours}
    ahead = {str(return_receipt_id(sale.id, place)) for place in range(len(ours), len(ours) + _AHEAD)}
    if found & ahead:
        raise Postponed(_LOOK_AFTER, Wait.RETURN_NOT_SHOWN_YET)
    made = [_read(reader, receipt_id) for receipt_id in sorted(found)]
    if any(document_of(one) for one in made):
        raise Postponed(_LOOK_AFTER, Wait.RETURN_NOT_SHOWN_YET)
    return made


def _search_to_end(reader: Reader, sale: IssuedReceipt) -> tuple[str, ...]:
    """Go on where the last pass ended; what it saw is kept, since the list only grows at its end."""
    search = reader.state.search_for(sale.id)
    for page in reader.session.search_returns(sale, search.offset):
        seen = tuple(one.id for one in page.found if one.id not in search.found)
        offset = search.offset if page.next_offset is None else page.next_offset
        search = Search(sale.id, offset, (*search.found, *seen))
        reader.state = reader.state.with_search(search)
        if page.next_offset is None:
            return search.found
    raise Postponed(0.0, Wait.RETURNS_SEARCHED)


def _read(reader: Reader, receipt_id: str) -> IssuedReceipt:
    issued = reader.look_up(UUID(receipt_id))
    if issued is None:
        raise Unavailable({"reason": "a return that the search shows cannot be read"})
    return _with_total(issued)


def _with_total(issued: IssuedReceipt) -> IssuedReceipt:
    """What is not shown is not nothing: raises ``Unavailable``."""
    if issued.total <= 0 and not issued.is_refused:
        raise Unavailable({"reason": "the total of a return is not shown", "receiptId": issued.id})
    return issued
