"""What a process holds of an order until it is due, for `explain`."""

from __future__ import annotations

import time
from typing import Any

from worker.fiscal.attempt_state import AttemptState
from worker.fiscal.instants import rfc3339
from worker.rabbit.broker import FiscalBroker
from worker.rabbit.delivery import Delivery
from worker.rabbit.headers import Header
from worker.rabbit.held_messages import Unloaded
from worker.rabbit.message.reading import RequestIdentity, identify

_UNTOLD = "the order is done; its event is refused by a queue, and published again"


def waiting_for(broker: FiscalBroker, order: str) -> list[dict[str, Any]]:
    """The messages of the order, by its uuid or docNumber. Nothing personal is in it.

    An event that waits in the outbox names its order as the request does.
    """
    found = []
    for message in broker.waiting:
        known = message.known if isinstance(message, Unloaded) else identify(message.body)
        if known.doc_number == order or str(known.order).lower() == order.lower():
            found.append(_row(message, known))
    return found


def _row(message: Delivery | Unloaded, known: RequestIdentity) -> dict[str, Any]:
    now = time.time()
    state = message.attempt_state(now)
    is_told = isinstance(message, Unloaded) or Header.UNTOLD not in message.headers
    return {
        "queue": message.queue,
        "reason": _reason(state) if is_told else _UNTOLD,
        "order": str(known.order) if known.order else None,
        "docNumber": known.doc_number,
        "integration": known.integration,
        "cashier": known.cashier,
        "operation": known.operation,
        "request": known.request_id,
        "attempts": state.attempts,
        "replays": state.replays,
        "firstSeen": rfc3339(state.first_seen),
        "due": rfc3339(now + message.wait(now)),
    }


def _reason(state: AttemptState) -> str:
    """The reason that the attempt state shows; the most specific first."""
    if state.unknown_since is not None:
        return f"Checkbox may have made the receipt; not answered since {rfc3339(state.unknown_since)}"
    if state.posted_at is not None:
        return f"the receipt was made at {rfc3339(state.posted_at)}, its fiscal number is awaited"
    if state.faults:
        return "a fault of Checkbox's or of the archive check's; tried again"
    if state.sale_awaited_since is not None:
        return "the sale that it returns is awaited"
    return (
        "the register's rate limiter or its shift is awaited" if state.has_reserved else "its turn is awaited"
    )
