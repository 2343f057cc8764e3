"""Searches among the receipts at Checkbox, page by page.

A page that is shorter than asked for is not the last one: Checkbox may cut pages. Only an empty page is the
end. A search that was not finished is "don't know": it says where to go on, and never "none".
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from datetime import datetime
from uuid import UUID

from worker.checkbox.client import PAGE_LIMIT
from worker.checkbox.receipt_answers import SearchResult
from worker.fiscal.outcomes import IssuedReceipt, Unavailable
from worker.fiscal.ports import ReturnsPage
from worker.fiscal.reasons import Reason
from worker.fiscal.shifts import STUCK_AFTER
from worker.telemetry.logs import logger

_log = logger(__name__)
#: Most pages, and most receipts read by id, of one pass of a search.
_PAGES = 10
_READS = 20
#: Seconds for which Checkbox is not asked again whether an unfinished receipt has come to its end.
_UNFINISHED = 1.0

#: Offset and limit to results, oldest first.
Page = Callable[[int, int], list[SearchResult]]
LookUp = Callable[[UUID], IssuedReceipt | None]


class Pages:
    """Asks for smaller pages where the receipts are so long that the answer is over the limit."""

    def __init__(self, page: Page) -> None:
        self._page = page
        self._limit = PAGE_LIMIT

    def at(self, offset: int) -> list[SearchResult]:
        while True:
            try:
                return self._page(offset, self._limit)
            except Unavailable as fault:
                if fault.detail.get("reason") != Reason.OVERSIZED or self._limit == 1:
                    raise
            self._limit = max(1, self._limit // 10)


def search_returns(pages: Pages, look_up: LookUp, sale: IssuedReceipt, offset: int) -> Iterator[ReturnsPage]:
    """One pass from ``offset`` on; what the search shows in short form is read by id.

    Each step says where to go on, so that a fault loses nothing that was read before it.
    """
    reads = 0
    for _ in range(_PAGES):
        page = pages.at(offset)
        if not page:
            yield ReturnsPage((), None)
            return
        for result in page:
            receipt = result.receipt
            if result.may_be_return and not result.is_whole:
                if reads == _READS:
                    return
                reads += 1
                receipt = _whole(look_up, receipt.id)
            offset += 1
            if result.may_be_return:
                is_of_sale = receipt.is_return and receipt.related_receipt_id == sale.id
                yield ReturnsPage((receipt,) if is_of_sale else (), offset)
        yield ReturnsPage((), offset)


def _whole(look_up: LookUp, receipt_id: str) -> IssuedReceipt:
    """Raises ``Unavailable`` where the list shows a receipt that the look-up does not."""
    try:
        receipt = look_up(UUID(receipt_id))
    except ValueError:
        receipt = None
    if receipt is None:
        raise Unavailable({"reason": "listed_and_not_found", "receiptId": receipt_id})
    return receipt


class UnfinishedReceipts:
    """Those of a shift that have no number yet.

    The list of a shift grows at its end only, so that each page is read once; receipts that were unfinished
    are read again by id.
    """

    def __init__(self, shift_id: str, pages: Pages, look_up: LookUp) -> None:
        self.shift_id = shift_id
        self._pages = pages
        self._look_up = look_up
        self._offset = 0
        #: When they were made, by id; one without a time counts as made when it was first seen.
        self._made_at: dict[str, float] = {}
        self._reported: set[str] = set()
        self._all_seen = False
        self._believed: tuple[float, float] | None = None

    @property
    def oldest(self) -> float:
        """When the oldest that is known was made, in seconds since the epoch; NaN where there is none."""
        return min(self._made_at.values(), default=math.nan)

    @property
    def count(self) -> int | None:
        """How many there were at the last look; None while not all receipts of the shift were seen."""
        return len(self._made_at) if self._all_seen else None

    def youngest(self, now: float, monotonic: float) -> float | None:
        """When the youngest was made; ``now`` while not all were seen, None where all have ended."""
        if self._believed is not None and monotonic - self._believed[0] < _UNFINISHED:
            return self._believed[1]
        self._look_again()
        self._all_seen = self._go_on(now)
        self._tell_stuck(now)
        youngest = max(self._made_at.values(), default=None) if self._all_seen else now
        self._believed = None if youngest is None else (monotonic, youngest)
        return youngest

    def _look_again(self) -> None:
        for receipt_id in list(self._made_at)[:_READS]:
            if not _whole(self._look_up, receipt_id).is_under_way:
                del self._made_at[receipt_id]

    def _go_on(self, now: float) -> bool:
        for _ in range(_PAGES):
            page = self._pages.at(self._offset)
            if not page:
                return True
            for result in page:
                if result.receipt.is_under_way:
                    self._made_at[result.receipt.id] = self._when_made(result, now)
            self._offset += len(page)
        return False

    def _when_made(self, result: SearchResult, now: float) -> float:
        receipt = result.receipt if result.is_whole else _whole(self._look_up, result.receipt.id)
        return datetime.fromisoformat(receipt.created_at).timestamp() if receipt.created_at else now

    def _tell_stuck(self, now: float) -> None:
        for receipt_id, made_at in self._made_at.items():
            if now - made_at >= STUCK_AFTER and receipt_id not in self._reported:
                self._reported.add(receipt_id)
                _log.warning("receipt_stuck", receipt_id=receipt_id, shift=self.shift_id)
