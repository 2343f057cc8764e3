"""One shift at Checkbox against the journal, and what is published of it."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeVar
from uuid import UUID

from sqlalchemy import Engine

from worker.checkbox.books import receipts_of_shift
from worker.checkbox.receipt_answers import SearchResult
from worker.checkbox.searching import Pages, search_returns
from worker.checkbox.shift_answers import ShiftRecord
from worker.checkbox.shift_finder import Access, FoundShift, NotAsked, Register, Row
from worker.checkbox.signed_in import secrets_of
from worker.fiscal.outcomes import IssuedReceipt
from worker.journal.finding import JournalUnreadable, looking
from worker.journal.reconciliation.books import Books, issued_at
from worker.journal.reconciliation.comparing import Comparison
from worker.journal.reconciliation.difference import Difference, Kind
from worker.journal.reconciliation.kept import Kept
from worker.journal.shift_data import shift_data

T = TypeVar("T")
#: Passes of a search for what was given back of one sale.
_PASSES = 50


@dataclass(frozen=True, slots=True)
class ShiftReport:
    """What came of one shift, for one integration; ``shift`` is None where none could be asked for."""

    integration: str
    cashier: str | None
    register: Register | None
    shift: ShiftRecord | None
    differences: tuple[Difference, ...]
    #: Whether all receipts were old enough to be compared.
    is_settled: bool = True

    @property
    def ok(self) -> bool:
        return not any(one.is_one for one in self.differences)

    def data(self) -> dict[str, Any]:
        """The members of the notice ``shift.reconciled``."""
        return {
            **shift_data(self.integration, self.cashier, self.register, self.shift),
            "ok": self.ok,
            "differences": [one.line() for one in self.differences],
        }


def reconcile_shift(engine: Engine, access: Access, found: FoundShift, now: float) -> list[ShiftReport]:
    """A report for each integration whose shift it is.

    A difference stands with the integration of its order, and with all where that is none of them.
    """
    differences, is_settled = _differences(engine, access, found, now)
    told_for = found.told_for
    integrations = {integration for integration, _ in told_for}
    return [
        ShiftReport(
            integration,
            cashier,
            found.register,
            found.record,
            tuple(
                one
                for one in differences
                if one.integration in (None, integration) or one.integration not in integrations
            ),
            is_settled,
        )
        for integration, cashier in told_for
    ]


def _differences(
    engine: Engine, access: Access, found: FoundShift, now: float
) -> tuple[list[Difference], bool]:
    desk = _Desk(access, found)
    books = Books(found.record, sorted(found.rows), desk.receipts, desk.look_up, desk.returned)
    try:
        with looking(engine) as connection:
            comparison = Comparison(Kept(connection), books, now)
            return comparison.differences(), comparison.is_settled
    except JournalUnreadable as error:
        return [Difference(Kind.NOT_COMPARED, reason=str(error))], True


class _Desk:
    """Reads the shift's receipts as whichever of its rows can sign in: each sees his whole organization's."""

    def __init__(self, access: Access, found: FoundShift) -> None:
        self._access = access
        self._client = access.client
        self._found = found

    def receipts(self) -> list[SearchResult]:
        shift = self._found.record.id
        return self._as_any(lambda _, url, token: receipts_of_shift(self._client, url, token, shift))

    def look_up(self, receipt_id: str) -> IssuedReceipt | None:
        return self._as_any(lambda row, url, token: self._read(row, url, token, UUID(receipt_id)))

    def returned(self, sale: IssuedReceipt, until: float) -> int:
        back = self._as_any(lambda row, url, token: self._returns(row, url, token, sale))
        return sum(one.total for one in back if one.is_numbered and issued_at(one) <= until)

    def _read(self, row: Row, url: str, token: str, receipt_id: UUID) -> IssuedReceipt | None:
        private = secrets_of(self._access.of(row)[1])
        return self._client.receipt(url, token, receipt_id, private=private)

    def _returns(self, row: Row, url: str, token: str, sale: IssuedReceipt) -> Collection[IssuedReceipt]:
        since = sale.created_at or sale.fiscal_date

        def page(offset: int, limit: int) -> list[SearchResult]:
            return self._client.search_receipts(url, token, from_date=since, limit=limit, offset=offset)

        pages, offset = Pages(page), 0
        back: dict[str, IssuedReceipt] = {}
        for _ in range(_PASSES):
            for step in search_returns(pages, lambda one: self._read(row, url, token, one), sale, offset):
                back |= {one.id: one for one in step.found}
                if step.next_offset is None:
                    return back.values()
                offset = step.next_offset
        raise NotAsked("Checkbox has too many receipts since the sale")

    def _as_any(self, read: Callable[[Row, str, str], T]) -> T:
        refusal = NotAsked("nobody can sign in")
        for row in sorted(self._found.openers) + sorted(self._found.sharing - self._found.openers):
            try:
                return self._access.as_row(row, partial(read, row))
            except NotAsked as reason:
                refusal = reason
        raise refusal
