"""Orders of one docNumber, where no journal tells which is meant."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from worker.journal.found_order import FoundOrder
from worker.operators.explain.history import history
from worker.operators.explain.sources import Explanation

#: As many as the journal lists.
_MOST = 20


def several(known: Explanation) -> list[FoundOrder]:
    """The orders that letters and workers name, the latest first; empty where they name one at most."""
    orders = [letter.order for letter in known.letters] + [row["order"] for row in known.waiting]
    named = {order: uuid for order in orders if (uuid := _uuid(order)) is not None}
    if len(named) < 2:
        return []
    found = [_found(known, order, uuid) for order, uuid in named.items()]
    return sorted(found, key=lambda one: one.heard_at, reverse=True)[:_MOST]


def _found(known: Explanation, order: str, uuid: UUID) -> FoundOrder:
    letters = [letter for letter in known.letters if letter.order == order]
    waiting = [row for row in known.waiting if row["order"] == order]
    lines = [*(letter.line() for letter in letters), *waiting]
    latest = max(lines, key=lambda line: _milliseconds(line["firstSeen"]))
    return FoundOrder(
        order=uuid,
        doc_number=latest["docNumber"],
        integration=latest["integration"],
        cashier=latest["cashier"],
        heard_at=_milliseconds(latest["firstSeen"]),
        history=history(Explanation(order, letters=letters, waiting=waiting)),
    )


def _uuid(order: str | None) -> UUID | None:
    """None where a letter from elsewhere has another word there."""
    try:
        return UUID(order or "")
    except ValueError:
        return None


def _milliseconds(instant: str | None) -> int:
    """Since the epoch; 0 where a letter from elsewhere says nothing that is a time."""
    try:
        return round(datetime.fromisoformat(instant or "").timestamp() * 1000)
    except ValueError:
        return 0
