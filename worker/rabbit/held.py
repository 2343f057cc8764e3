"""What a process holds of an order until it is due, for a person who asks."""

from __future__ import annotations

import time
from typing import Any

from worker.fiscal.attempt_state import AttemptState
from worker.rabbit.broker import FiscalBroker
from worker.rabbit.dead_letter import rfc3339
from worker.rabbit.delivery import UNTOLD, Delivery
from worker.rabbit.held_messages import Unloaded, known_of
from worker.rabbit.message.reading import RequestIdentity

_UNTOLD = "the order is done; its event is refused by a queue, and published again"


def waiting_for(broker: FiscalBroker, order: str) -> list[dict[str, Any]]:
    """The messages of the order, by its uuid, docNumber or request id. Nothing personal is in it.

    Case and spaces do not count.

    An event that waits in the outbox names its order as the request does.
    """
    found = []
    for message in broker.waiting:
        known = message.known if isinstance(message, Unloaded) else known_of(message.body)
        if _plain(order) in map(_plain, (known.order, known.doc_number, known.request_id)):
            found.append(_row(message, known))
    return found


def _plain(told: object) -> str:
    return "".join(str(told).split()).casefold() if told is not None else ""


def _row(message: Delivery | Unloaded, known: RequestIdentity) -> dict[str, Any]:
    now = time.time()
    trail = message.trail(now)
    is_told = isinstance(message, Unloaded) or UNTOLD not in message.headers
    return {
        "queue": message.queue,
        "reason": _reason(trail) if is_told else _UNTOLD,
        "order": str(known.order) if known.order else None,
        "docNumber": known.doc_number,
        "integration": known.integration,
        "cashier": known.cashier,
        "operation": known.operation,
        "request": known.request_id,
        "attempts": trail.attempts,
        "replays": trail.replays,
        "firstSeen": rfc3339(trail.first_seen),
        "due": rfc3339(now + message.wait(now)),
    }


def _reason(trail: AttemptState) -> str:
    """As far as the trail tells; the most telling first."""
    if trail.unknown_since is not None:
        return f"Checkbox may have made the receipt; not answered since {rfc3339(trail.unknown_since)}"
    if trail.posted_at is not None:
        return f"the receipt was made at {rfc3339(trail.posted_at)}, its fiscal number is awaited"
    if trail.faults:
        return "a fault of Checkbox's or of the archive check's; tried again"
    if trail.sale_awaited_since is not None:
        return "the sale that it returns is awaited"
    return "the register's turn or its shift is awaited" if trail.has_turn else "its turn is awaited"
