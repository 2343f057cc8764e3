"""An order that the journal found."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

Entry = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class FoundOrder:
    """As its latest request names it; None where it is unknown."""

    order: UUID | None
    doc_number: str | None
    integration: str | None
    cashier: str | None
    #: When the journal heard of it last; milliseconds since the epoch.
    heard_at: int
    history: Sequence[Entry]

    def line(self) -> dict[str, Any]:
        """As the commands print it."""
        return {
            "order": str(self.order) if self.order else None,
            "docNumber": self.doc_number,
            "integration": self.integration,
            "cashier": self.cashier,
            "time": shown_time(self.heard_at),
            "history": list(self.history),
        }


def shown_time(milliseconds: int) -> str:
    """RFC 3339, in UTC."""
    instant = datetime.fromtimestamp(milliseconds / 1000, UTC)
    return instant.isoformat(timespec="seconds").replace("+00:00", "Z")
