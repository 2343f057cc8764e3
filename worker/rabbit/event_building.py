"""Makes the events of a request. The same request, outcome and replay make an event with the same id."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid5

from worker.fiscal.money import hryvnias
from worker.fiscal.outcomes import Code, IssuedReceipt
from worker.fiscal.sentences import Circumstance, Outcome, Sentence, sentence
from worker.rabbit.event_models import (
    Delayed,
    DelayedData,
    EventReceipt,
    Failed,
    FailedData,
    ReceiptLinks,
    Succeeded,
    SucceededData,
)
from worker.rabbit.message import Known

_EVENT_NAMESPACE = UUID("c0f2f3a5-7b1d-5a0e-8a43-5f7f0a6d2b19")


@dataclass(frozen=True, slots=True)
class Occasion:
    """The request that an event answers, and when. ``at`` is in seconds since the epoch."""

    known: Known
    attempts: int
    replays: int
    at: float

    @property
    def request_id(self) -> str:
        """Raises ``ValueError`` where none can be told: then there is a dead letter and no event."""
        if self.known.request_id is None:
            raise ValueError("an event answers a request, and this one has no id")
        return self.known.request_id


def event_id(source: str | None, request_id: str, outcome: Outcome, replays: int) -> UUID:
    """The id of an event: JSON keeps apart what plain joining would run together."""
    name = json.dumps([source, request_id, outcome.value, replays], ensure_ascii=False, separators=(",", ":"))
    return uuid5(_EVENT_NAMESPACE, name)


def succeeded(
    occasion: Occasion, receipt: IssuedReceipt, *, total: int, already: bool, checkbox_url: str
) -> Succeeded:
    """The receipt has a number. ``total`` is the order's, in kopiykas."""
    said = sentence(Outcome.SUCCEEDED)
    return Succeeded(
        **_envelope(occasion, Outcome.SUCCEEDED),
        data=SucceededData(
            **_about(occasion, said),
            already_fiscalized=already,
            receipt=EventReceipt(
                id=receipt.id,
                fiscal_code=receipt.fiscal_code or "",
                fiscal_date=_in_utc(receipt.fiscal_date or receipt.created_at) or rfc3339(occasion.at),
                total=hryvnias(total),
                tax_url=receipt.tax_url,
                offline=receipt.offline,
                register_number=receipt.register_number,
                shift_id=receipt.shift_id,
                links=_links(checkbox_url, receipt.id),
            ),
        ),
    )


def failed(
    occasion: Occasion,
    code: Code,
    detail: Mapping[str, Any],
    *,
    dead_lettered: bool,
    circumstance: Circumstance | None = None,
) -> Failed:
    """The worker has given up."""
    said = sentence(Outcome.FAILED, code, occasion.known.operation, circumstance)
    return Failed(
        **_envelope(occasion, Outcome.FAILED),
        data=FailedData(
            **_about(occasion, said), code=code, dead_lettered=dead_lettered, detail=dict(detail)
        ),
    )


def delayed(
    occasion: Occasion, code: Code, *, next_attempt_at: float, circumstance: Circumstance | None = None
) -> Delayed:
    """Put off for the first time; the next attempt is in seconds since the epoch."""
    said = sentence(Outcome.DELAYED, code, occasion.known.operation, circumstance)
    return Delayed(
        **_envelope(occasion, Outcome.DELAYED),
        data=DelayedData(**_about(occasion, said), code=code, next_attempt_at=rfc3339(next_attempt_at)),
    )


def rfc3339(seconds: float) -> str:
    """An instant in UTC, whole seconds, e.g. 2026-11-24T10:20:08Z."""
    return _as_text(datetime.fromtimestamp(seconds, UTC))


def _as_text(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def _in_utc(text: str | None) -> str | None:
    """Checkbox's times are in several notations; what cannot be read is passed on as it is."""
    try:
        moment = datetime.fromisoformat(text) if text else None
    except ValueError:
        return text
    if moment is None:
        return None
    return _as_text(moment if moment.tzinfo else moment.replace(tzinfo=UTC))


def _envelope(occasion: Occasion, outcome: Outcome) -> dict[str, Any]:
    known = occasion.known
    return {
        "id": str(event_id(known.source, occasion.request_id, outcome, occasion.replays)),
        "subject": str(known.order) if known.order else None,
        "time": rfc3339(occasion.at),
    }


def _about(occasion: Occasion, said: Sentence) -> dict[str, Any]:
    known = occasion.known
    return {
        "request_id": occasion.request_id,
        "request_source": known.source,
        "integration": known.integration,
        "cashier": known.cashier,
        "operation": known.operation,
        "order": {"uuid": str(known.order) if known.order else None, "doc_number": known.doc_number},
        "attempts": occasion.attempts,
        "message": said,
    }


def _links(checkbox_url: str, receipt: str) -> ReceiptLinks:
    page = f"{checkbox_url.rstrip('/')}/api/v1/receipts/{receipt}"
    return ReceiptLinks(html=f"{page}/html", pdf=f"{page}/pdf", text=f"{page}/text", qr=f"{page}/qrcode")
