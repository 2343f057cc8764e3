"""Checkbox's books: shifts with their Z-reports, and the receipts of a shift. All pages of them, or none.

A page that is shorter than asked for is not the last one; only an empty page is the end.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from pydantic import SecretStr

from worker.checkbox.client import CheckboxClient
from worker.checkbox.receipt_answers import SearchResult
from worker.checkbox.searching import Pages
from worker.checkbox.shift_answers import ShiftPage, ShiftRecord
from worker.fiscal.outcomes import Unavailable

#: Most shifts that a page of a register's list may have.
_SHIFTS = 50
_MOST_PAGES = 2000


@dataclass(frozen=True, slots=True)
class Period:
    """Shifts that were opened in this time; seconds since the epoch."""

    since: float
    until: float

    def page(self, offset: int) -> dict[str, str]:
        since, until = (datetime.fromtimestamp(at, UTC).isoformat() for at in (self.since, self.until))
        return {"from_date": since, "to_date": until, "limit": str(_SHIFTS), "offset": str(offset)}


def shifts_of_register(
    client: CheckboxClient, url: str, license_key: SecretStr, period: Period
) -> list[ShiftRecord]:
    """Every cashier's; no sign-in is needed. Raises what a call raises."""
    return _all(lambda offset: client.shifts(url, period.page(offset), license_key=license_key))


def shifts_of_cashier(client: CheckboxClient, url: str, token: str, period: Period) -> list[ShiftRecord]:
    """Those of the cashier who signed in. Raises what a call raises."""
    return _all(lambda offset: client.shifts(url, period.page(offset), token=token))


def receipts_of_shift(client: CheckboxClient, url: str, token: str, shift_id: str) -> list[SearchResult]:
    """Whoever made them, oldest first. Raises what a call raises."""

    def page(offset: int, limit: int) -> list[SearchResult]:
        return client.search_receipts(url, token, shift_id=shift_id, limit=limit, offset=offset)

    pages, offset = Pages(page), 0
    found: dict[str, SearchResult] = {}
    for _ in range(_MOST_PAGES):
        results = pages.at(offset)
        if not results:
            return list(found.values())
        found |= {result.receipt.id: result for result in results}
        offset += len(results)
    raise Unavailable({"reason": "too_many_receipts"})


def _all(page: Callable[[int], ShiftPage]) -> list[ShiftRecord]:
    found: dict[str, ShiftRecord] = {}
    offset = 0
    for _ in range(_MOST_PAGES):
        one = page(offset)
        if not one.count:
            return list(found.values())
        found |= {shift.id: shift for shift in one.shifts}
        offset += one.count
    raise Unavailable({"reason": "too_many_shifts"})
