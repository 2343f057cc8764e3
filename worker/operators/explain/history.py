"""What happened to an order, in the order of time, from everybody who knows something of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from worker.operators.explain.sources import Explanation


def history(known: Explanation) -> list[Mapping[str, Any]]:
    """Entries ``{time, what, …}``."""
    entries = [*(known.found.history if known.found else ()), *_beside(known)]
    return sorted(entries, key=lambda entry: str(entry["time"]))


def _beside(known: Explanation) -> Iterator[Mapping[str, Any]]:
    for letter in known.letters:
        line = letter.line()
        members = {name: line[name] for name in ("code", "request", "attempts", "replays")}
        yield {"time": line["failedAt"], "what": "dead_letter", **members}
    for row in known.waiting:
        members = {name: row[name] for name in ("reason", "request", "attempts", "queue", "due")}
        yield {"time": row["firstSeen"], "what": "waiting", **members}
    for found in known.receipts:
        receipt = found.receipt
        yield {
            "time": receipt.fiscal_date or receipt.created_at or "",
            "what": "receipt",
            "operation": found.operation.value,
            "id": receipt.id,
            "status": receipt.status,
            "fiscalCode": receipt.fiscal_code,
            **({"relationId": found.relation.id} if found.relation else {}),
        }
