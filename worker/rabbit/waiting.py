"""What a process holds of an order until it is due, for a person who asks."""

from __future__ import annotations

import time
from typing import Any

from worker.fiscal.trail import Trail
from worker.rabbit.broker import FiscalBroker
from worker.rabbit.dead_letters import rfc3339
from worker.rabbit.delivery import UNTOLD, Delivery
from worker.rabbit.json_body import BODY_LIMIT, NotJsonError, parse
from worker.rabbit.message import Known, tell

_UNTOLD = "the order is done; its event is refused by a queue, and published again"


def waiting_for(broker: FiscalBroker, order: str) -> list[dict[str, Any]]:
    """The messages of the order, by its uuid or docNumber. Nothing personal is in it.

    An event that waits in the outbox names its order as the request does.
    """
    found = []
    for message in broker.waiting:
        delivery = message.delivery
        known = _known(delivery.body)
        if known.doc_number == order or str(known.order).lower() == order.lower():
            found.append(_row(delivery, known))
    return found


def _known(body: bytes) -> Known:
    try:
        return tell(parse(body).value) if len(body) <= BODY_LIMIT else Known()
    except NotJsonError:
        return Known()


def _row(delivery: Delivery, known: Known) -> dict[str, Any]:
    now = time.time()
    trail = delivery.trail(now)
    return {
        "queue": delivery.queue,
        "reason": _reason(trail) if UNTOLD not in delivery.headers else _UNTOLD,
        "order": str(known.order) if known.order else None,
        "docNumber": known.doc_number,
        "integration": known.integration,
        "cashier": known.cashier,
        "operation": known.operation,
        "request": known.request_id,
        "attempts": trail.attempts,
        "replays": trail.replays,
        "firstSeen": rfc3339(trail.first_seen),
        "due": rfc3339(now + delivery.wait(now)),
    }


def _reason(trail: Trail) -> str:
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
