"""Orders of one docNumber, where nothing tells which is meant."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from uuid import UUID

from worker.fiscal.typed_names import is_named
from worker.journal.found_order import FoundOrder
from worker.operators.explain.history import history
from worker.operators.explain.sources import Explanation

#: As many as the journal lists.
_MOST = 20


def several(known: Explanation, heard: Sequence[FoundOrder]) -> list[FoundOrder]:
    """The orders that the journal has ``heard`` of, and those that letters and workers name beside them.

    The latest first; empty where there is one at most.
    """
    orders = [letter.order for letter in known.letters] + [row["order"] for row in known.waiting]
    named = dict.fromkeys(uuid for order in orders if (uuid := _uuid(order)) is not None)
    of_journal = [_told(known, one) for one in heard]
    others = [_found(known, uuid) for uuid in named if uuid not in {one.order for one in heard}]
    if len(others) + len(of_journal) < 2:
        return []
    # The journal's may be there in dozens, by the beginning of their docNumbers: they push out no other.
    return _latest_first([*_latest_first(others), *_latest_first(of_journal)][:_MOST])


def _latest_first(found: Sequence[FoundOrder]) -> list[FoundOrder]:
    return sorted(found, key=lambda one: one.heard_at, reverse=True)


def is_another(known: Explanation) -> bool:
    """Whether the journal's one order is not meant: its docNumber only begins with the text.

    So it is where messages that name no order bear the text as a whole, and none names that order.
    """
    if known.found is None or not known.is_by_number or known.found.is_numbered(known.order, whole=True):
        return False
    names = [(one.order, one.doc_number, one.request) for one in known.letters]
    names += [(row["order"], row["docNumber"], row["request"]) for row in known.waiting]
    is_nameless = all(order is None for order, _, _ in names)
    return is_nameless and any(is_named(known.order, *each) for each in names)


def _told(known: Explanation, heard: FoundOrder) -> FoundOrder:
    """With what letters and workers add."""
    return replace(heard, history=history(_part(known, heard.order, heard))) if heard.order else heard


def _part(known: Explanation, order: UUID, heard: FoundOrder | None = None) -> Explanation:
    """What is known of one of them."""
    letters = [letter for letter in known.letters if _uuid(letter.order) == order]
    waiting = [row for row in known.waiting if _uuid(row["order"]) == order]
    return Explanation(str(order), letters=letters, waiting=waiting, found=heard)


def _found(known: Explanation, order: UUID) -> FoundOrder:
    part = _part(known, order)
    lines = [*(letter.line() for letter in part.letters), *part.waiting]
    latest = max(lines, key=lambda line: _milliseconds(line["firstSeen"]))
    return FoundOrder(
        order=order,
        doc_number=latest["docNumber"],
        integration=latest["integration"],
        cashier=latest["cashier"],
        heard_at=_milliseconds(latest["firstSeen"]),
        history=history(part),
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
