"""The events that go back to Bimp, confirmed by the broker."""

from __future__ import annotations

import json
from collections.abc import Callable
from concurrent.futures import Future
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid5

import pika

from worker.fiscal.money import hryvnias
from worker.fiscal.outcomes import Code, Fiscalized, IssuedReceipt, Rejected, Unavailable
from worker.fiscal.sentences import Circumstance, Outcome, sentence
from worker.fiscal.trail import Trail
from worker.rabbit.event_models import (
    Delayed,
    DelayedData,
    Event,
    EventMessage,
    EventOrder,
    EventReceipt,
    Failed,
    FailedData,
    ReceiptLinks,
    Succeeded,
    SucceededData,
)
from worker.rabbit.message import Known
from worker.rabbit.publisher import Publisher
from worker.rabbit.topology import EVENTS_EXCHANGE
from worker.telemetry import trace

_EVENT_NAMESPACE = UUID("b7b2a0de-7d0c-5d37-9a55-3c6a3f1b64e0")
_CONTENT_TYPE = "application/cloudevents+json"


def event_id(known: Known, outcome: Outcome, replays: int) -> str:
    """The same for the same request, outcome and replay, so that a repeat after a crash can be told."""
    name = json.dumps([known.source, known.request_id, outcome.value, replays])
    return str(uuid5(_EVENT_NAMESPACE, name))


class Events:
    """Publishes events; what each method returns is done when the broker has the event.

    It ends in ``PublishFailed`` where the broker does not confirm.
    """

    def __init__(self, publisher: Publisher, clock: Callable[[], float]) -> None:
        self._publisher = publisher
        self._clock = clock

    def succeeded(self, known: Known, trail: Trail, done: Fiscalized, total: int) -> Future[None]:
        data = SucceededData(
            **self._common(known, trail, Outcome.SUCCEEDED),
            already_fiscalized=done.already,
            receipt=self._receipt(done, total),
        )
        return self._publish(Succeeded(**self._attributes(known, trail, Outcome.SUCCEEDED), data=data))

    def failed(self, known: Known, trail: Trail, verdict: Rejected, dead_lettered: bool) -> Future[None]:
        circumstance = _circumstance(verdict, trail)
        data = FailedData(
            **self._common(known, trail, Outcome.FAILED, verdict.code, circumstance),
            code=verdict.code,
            dead_lettered=dead_lettered,
            detail=dict(verdict.detail),
            receipt_made=verdict.receipt_made,
        )
        return self._publish(Failed(**self._attributes(known, trail, Outcome.FAILED), data=data))

    def delayed(self, known: Known, trail: Trail, verdict: Unavailable, due: float) -> Future[None]:
        code = Code.CHECKBOX_UNAVAILABLE
        circumstance = _circumstance(verdict, trail)
        data = DelayedData(
            **self._common(known, trail, Outcome.DELAYED, code, circumstance),
            code=code,
            next_attempt_at=_instant(due),
        )
        return self._publish(Delayed(**self._attributes(known, trail, Outcome.DELAYED), data=data))

    def _attributes(self, known: Known, trail: Trail, outcome: Outcome) -> dict[str, Any]:
        return {
            "id": event_id(known, outcome, trail.replays),
            "subject": str(known.order) if known.order else None,
            "time": _instant(self._clock()),
        }

    @staticmethod
    def _common(
        known: Known,
        trail: Trail,
        outcome: Outcome,
        code: Code | None = None,
        circumstance: Circumstance | None = None,
    ) -> dict[str, Any]:
        return {
            "request_id": known.request_id,
            "request_source": known.source,
            "integration": known.integration,
            "cashier": known.cashier,
            "operation": known.operation,
            "order": EventOrder(uuid=str(known.order) if known.order else None, doc_number=known.doc_number),
            "attempts": trail.attempts,
            "message": EventMessage(**sentence(outcome, code, known.operation, circumstance)),
        }

    def _receipt(self, done: Fiscalized, total: int) -> EventReceipt:
        receipt = done.receipt
        assert receipt.fiscal_code is not None  # success is never told without a fiscal number
        return EventReceipt(
            id=receipt.id,
            fiscal_code=receipt.fiscal_code,
            fiscal_date=self._fiscal_date(receipt),
            total=hryvnias(total),
            tax_url=receipt.tax_url,
            offline=receipt.offline,
            register_number=receipt.register_number,
            shift_id=receipt.shift_id,
            links=_links(f"{done.checkbox_url.rstrip('/')}/api/v1/receipts/{receipt.id}"),
        )

    def _fiscal_date(self, receipt: IssuedReceipt) -> str:
        told = receipt.fiscal_date or receipt.created_at
        return _instant(datetime.fromisoformat(told).timestamp() if told else self._clock())

    def _publish(self, event: Event) -> Future[None]:
        properties = pika.BasicProperties(
            content_type=_CONTENT_TYPE, message_id=event.id, type=event.type, headers=dict(trace.headers())
        )
        return self._publisher.send(EVENTS_EXCHANGE, event.routing_key, event.body(), properties)


def _circumstance(verdict: Rejected | Unavailable, trail: Trail) -> Circumstance | None:
    if verdict.detail.get("service") == "archive_check":
        return Circumstance.ARCHIVE_CHECK
    if verdict.detail.get("reason") == "cash_shortage":
        return Circumstance.CASH_SHORT
    if verdict.detail.get("reason") == "key_expired":
        return Circumstance.KEY_EXPIRED
    return Circumstance.RECEIPT_MADE if trail.posted_at is not None else None


def _links(address: str) -> ReceiptLinks:
    return ReceiptLinks(
        html=f"{address}/html", pdf=f"{address}/pdf", text=f"{address}/text", qr=f"{address}/qrcode"
    )


def _instant(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
