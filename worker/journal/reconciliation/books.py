"""What Checkbox knows of one shift, as far as it could be asked."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from worker.checkbox.receipt_answers import SearchResult
from worker.checkbox.shift_answers import ShiftRecord
from worker.fiscal.outcomes import IssuedReceipt


@dataclass(frozen=True, slots=True)
class Books:
    """A shift, and ways to its receipts. Each raises ``NotAsked``."""

    shift: ShiftRecord
    #: Rows (integration, cashier) that may have opened it, or share its register.
    rows: Sequence[tuple[str, str]]
    receipts: Callable[[], Sequence[SearchResult]]
    #: By id; None where Checkbox is sure to have none.
    look_up: Callable[[str], IssuedReceipt | None]
    #: What was given back of a sale until a time (seconds since the epoch), at the till too; in kopiykas.
    returned: Callable[[IssuedReceipt, float], int]


def issued_at(receipt: IssuedReceipt) -> float:
    """When it was issued, in seconds since the epoch; 0 where Checkbox does not say."""
    issued = receipt.fiscal_date or receipt.created_at
    return datetime.fromisoformat(issued).timestamp() if issued else 0.0


def numbered(results: Mapping[str, SearchResult]) -> dict[str, IssuedReceipt]:
    """Sales and returns that have a fiscal number and were not refused."""
    return {
        key: one.receipt for key, one in results.items() if one.receipt.is_numbered and not one.is_service
    }
