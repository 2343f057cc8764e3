"""A docNumber names one order, or none: orders of different companies may have the same number."""

from __future__ import annotations

from dataclasses import replace
from uuid import UUID

from worker.operators.dead_letters.access import DeadLetters, Stopping
from worker.operators.dead_letters.filter import Filter


class SeveralOrders(Exception):
    """A docNumber fits letters of several orders; says which."""


def one_order(letters: DeadLetters, wanted: Filter, stopping: Stopping) -> Filter:
    """The filter with the order's uuid for its docNumber. Raises ``SeveralOrders``."""
    if wanted.order is None or _is_uuid(wanted.order):
        return wanted
    found: dict[str | None, str] = {}
    with letters.looked_through(wanted, stopping) as look:
        for letter in look.letters():
            where = f"{letter.integration or '?'}/{letter.cashier or '?'}"
            words = f"{letter.order or 'without a uuid'}  {where}  request {letter.request or '?'}"
            found.setdefault(letter.order, words)
    if len(found) > 1:
        lines = "".join(f"\n  {words}" for words in found.values())
        raise SeveralOrders(
            f"{wanted.order} is the number of {len(found)} orders; name one by uuid, or by --request:{lines}"
        )
    order = next(iter(found), None)
    return replace(wanted, order=order) if order else wanted


def _is_uuid(text: str) -> bool:
    try:
        return bool(UUID(text))
    except ValueError:
        return False
