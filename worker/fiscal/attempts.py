"""One receipt at most, whoever asks and however often.

Its attempts 0, 1, … have ids of their own. The next one is taken only past a receipt that was seen refused,
or that counts no more.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar
from uuid import UUID

from worker.fiscal.issuing import ACT_WITHIN, Issuing
from worker.fiscal.outcomes import Code, Fiscalized, IssuedReceipt, Rejected
from worker.fiscal.plan import Plan
from worker.fiscal.ports import ReceiptExists
from worker.fiscal.reasons import Wait

T = TypeVar("T")

#: Seconds that are kept for the post, of those for which one may act on what was read.
_FOR_POST = 1.0


@dataclass(frozen=True, slots=True)
class Free:
    """The first id that Checkbox does not know, and what lies before it."""

    receipt_id: UUID
    #: This request's own receipt was refused.
    refusal: Rejected | None = None
    #: The last receipt was returned in full.
    is_returned: bool = False


class Attempts(ABC):
    """One pass over a request whose receipt has an id derived from the request and the attempt."""

    def __init__(self, issuing: Issuing, planned: Callable[[], Plan]) -> None:
        """``planned`` raises ``Rejected`` where there can be no receipt: published only where none exists."""
        self._pass = issuing
        self._planned = planned
        self._order = issuing.request.order
        #: Not after the first look-up.
        self._looked_at = issuing.dependencies.clock()

    def run(self) -> Fiscalized:
        """Raises a ``Verdict`` when the pass does not end in a numbered receipt."""
        awaited = self._pass.awaited()
        if awaited is not None:
            return self._completed(awaited)
        walked = self._walk() if self._is_looked_up_first() else None
        if isinstance(walked, Fiscalized):
            return walked
        free = walked or Free(self._receipt_id(0))
        try:
            return self._completed(self._make(free))
        except ReceiptExists:
            return self._after_race()
        except Rejected as refusal:
            found = self._walk() if walked is None else walked
            if isinstance(found, Fiscalized):
                return found
            earlier = self._refusal_after(found) if walked is None else None
            raise self._pass.final(earlier or refusal, self._looked_at) from None

    @abstractmethod
    def _receipt_id(self, attempt: int) -> UUID: ...

    @abstractmethod
    def _counts_no_more(self, issued: IssuedReceipt) -> bool:
        """Whether the receipt was returned, and another one may be made."""

    def _refusal_after(self, free: Free) -> Rejected | None:
        """Why the receipts before ``free`` leave no room for another one."""
        return free.refusal

    @abstractmethod
    def _make(self, free: Free) -> Fiscalized:
        """Have the receipt made; raises ``ReceiptExists`` where somebody was faster."""

    def _found(self, issued: IssuedReceipt) -> Fiscalized:
        """The outcome of a receipt that exists."""
        return self._pass.settle(issued, self._pass.is_own(issued))

    def _completed(self, done: Fiscalized) -> Fiscalized:
        """The outcome of a receipt that this request had made, with all that the event reports."""
        return done

    def _ask_archive(self) -> None:
        """Raise where Bimp says, right before the post, that the order is archived."""
        archive = self._pass.dependencies.archive
        if archive is not None and archive.is_archived(self._order.uuid):
            raise Rejected(Code.ORDER_ARCHIVED)

    def _read_and_ask_archive(self, read: Callable[[], T]) -> tuple[T, float]:
        """What is read before the post, and since when that holds (monotonic seconds).

        Bimp is asked after it, so that a verdict of the reading comes first. Bimp may take longer than one
        may act on what was read: then it is read again.
        """
        monotonic = self._pass.dependencies.monotonic
        read_at = monotonic()
        seen = read()
        if self._pass.dependencies.archive is not None:
            self._ask_archive()
            if monotonic() > read_at + ACT_WITHIN - _FOR_POST:
                read_at = monotonic()
                seen = read()
        return seen, read_at

    def _is_looked_up_first(self) -> bool:
        return self._pass.state.look_up_first or self._order.archived

    def _walk(self) -> Fiscalized | Free:
        """The receipt, or the first free id; raises ``Postponed`` while that is open."""
        attempt, refusal, is_returned = 0, None, False
        while True:
            receipt_id = self._receipt_id(attempt)
            issued = self._pass.look_up(receipt_id)
            if issued is None:
                self._pass.receipt_made = False
                return Free(receipt_id, refusal, is_returned)
            if issued.is_refused:
                refusal, is_returned = self._pass.own_refusal(issued) or refusal, False
            elif self._counts_no_more(issued):
                is_returned = True
            else:
                return self._found(issued)
            attempt += 1

    def _after_race(self) -> Fiscalized:
        """Checkbox has the id already: somebody, perhaps this very request, was faster."""
        found = self._walk()
        if isinstance(found, Fiscalized):
            return found
        self._pass.check_free(found.receipt_id)
        raise self._pass.when_permitted(Wait.NEXT_RECEIPT)
