"""What Checkbox keeps beside a receipt: which request made it, for which document, and with what content."""

from __future__ import annotations

import hashlib
import json
from uuid import UUID, uuid5

from worker.fiscal.attempt_state import AttemptState
from worker.fiscal.order import Order, OrderLine, Request
from worker.fiscal.outcomes import IssuedReceipt

_REQUEST_NAMESPACE = UUID("0d6ff0a4-5b7e-5c80-9d1f-8a4b0e6a7c21")


def context_of(request: Request, state: AttemptState) -> dict[str, str | int]:
    """The flat map that goes out with the receipt and comes back in answers by id."""
    return {
        "request": _request_key(request),
        "replay": state.replays,
        "document": str(request.order.uuid),
        "content": content_of(request.order),
    }


def content_of(order: Order) -> str:
    """A digest of what is compared: total, codes, quantities, prices and percents, as Bimp sent them.

    Names, payments and the codes of a tax table do not count: a changed table makes no other order.
    """
    lines = sorted(
        (line.code, line.count, line.cost, percent_of(line) or "") for line in order.lines if line.amount
    )
    return hashlib.sha256(repr((order.total, lines)).encode()).hexdigest()[:32]


def percent_of(line: OrderLine) -> str | None:
    """The line's rate as text: 20, not_accountable, or None where there is no tax."""
    if line.vat is None:
        return None
    return "not_accountable" if line.vat.not_accountable else f"{line.vat.percent_rate.normalize():f}"


def is_made_by(issued: IssuedReceipt, request: Request) -> bool | None:
    """Whether this request had the receipt made; None where the answer has no context."""
    made_by = issued.context.get("request")
    return None if made_by is None else made_by == _request_key(request)


def is_of_replay(issued: IssuedReceipt, state: AttemptState) -> bool:
    """Whether it was made by this replay of its request; true where the answer does not say."""
    return str(issued.context.get("replay", state.replays)) == str(state.replays)


def document_of(issued: IssuedReceipt) -> str | None:
    """The document that a return was made for; None where the answer has no context."""
    document = issued.context.get("document")
    return document.lower() if isinstance(document, str) else None


def _request_key(request: Request) -> str:
    return str(uuid5(_REQUEST_NAMESPACE, json.dumps([request.source, request.id])))
