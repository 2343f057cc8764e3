"""An order that the journal found."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from worker.fiscal.typed_names import as_typed

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

    @property
    def own(self) -> list[Entry]:
        """What happened to itself, without what happened to the documents that return it."""
        order = str(self.order) if self.order else None
        return [entry for entry in self.history if entry.get("order") == order]

    def is_numbered(self, text: str, *, whole: bool = False) -> bool:
        """Whether a docNumber of its is, or begins with, this text: another order may bear that as well."""
        typed = as_typed(text)
        numbers = {as_typed(self.doc_number), *(as_typed(entry.get("docNumber")) for entry in self.own)}
        if whole:
            return typed in numbers
        return bool(typed) and any(number.startswith(typed) for number in numbers)

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
