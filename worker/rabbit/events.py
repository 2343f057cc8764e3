"""The events that go back to Bimp."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime
from typing import Any
from uuid import UUID, uuid5

import pika

from worker.fiscal import sentences
from worker.fiscal.attempt_state import AttemptState
from worker.fiscal.instants import rfc3339
from worker.fiscal.languages import Sentence
from worker.fiscal.money import hryvnias
from worker.fiscal.outcomes import Code, Fiscalized, IssuedReceipt, Rejected, Relation, Unavailable
from worker.fiscal.sentences import Outcome
from worker.rabbit.event_models import (
    Delayed,
    DelayedData,
    Event,
    EventMessage,
    EventOrder,
    EventPrepayment,
    EventReceipt,
    Failed,
    FailedData,
    ReceiptLinks,
    Succeeded,
    SucceededData,
)
from worker.rabbit.message.reading import RequestIdentity
from worker.rabbit.publishing_connection import Publication
from worker.rabbit.topology import CLOUD_EVENT, EVENTS_EXCHANGE
from worker.telemetry import trace

_EVENT_NAMESPACE = UUID("b7b2a0de-7d0c-5d37-9a55-3c6a3f1b64e0")


def event_id(known: RequestIdentity, outcome: Outcome, replays: int) -> str:
    """The same for the same request, outcome and replay, so that a repeat after a crash can be recognized."""
    name = json.dumps([known.source, known.request_id, outcome.value, replays])
    return str(uuid5(_EVENT_NAMESPACE, name))


class Events:
    """Makes the events, ready to be published."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock

    def succeeded(
        self, known: RequestIdentity, state: AttemptState, done: Fiscalized, total: int
    ) -> Publication:
        """``total`` is the order's, which a plain sale or return comes to."""
        address = done.checkbox_url
        of_receipts = [
            self._receipt(receipt, address, receipt.total if done.relation else total)
            for receipt in done.receipts
        ]
        data = SucceededData(
            **self._common(known, state, sentences.succeeded()),
            already_fiscalized=done.already,
            receipt=of_receipts[0] if done.receipt else None,
            receipts=of_receipts,
            prepayment=_prepayment(done.relation) if done.relation else None,
        )
        return _publication(Succeeded(**self._attributes(known, state, Outcome.SUCCEEDED), data=data))

    def failed(
        self, known: RequestIdentity, state: AttemptState, verdict: Rejected, dead_lettered: bool
    ) -> Publication:
        made = verdict.receipt_made
        said = sentences.failed(verdict.code, known.operation, verdict.detail, made)
        data = FailedData(
            **self._common(known, state, said),
            code=verdict.code,
            dead_lettered=dead_lettered,
            detail=dict(verdict.detail),
            receipt_made=made,
        )
        return _publication(Failed(**self._attributes(known, state, Outcome.FAILED), data=data))

    def delayed(
        self, known: RequestIdentity, state: AttemptState, verdict: Unavailable, due: float
    ) -> Publication:
        data = DelayedData(
            **self._common(known, state, sentences.delayed(verdict.detail, state.posted_at is not None)),
            code=Code.CHECKBOX_UNAVAILABLE,
            next_attempt_at=rfc3339(due),
        )
        return _publication(Delayed(**self._attributes(known, state, Outcome.DELAYED), data=data))

    def _attributes(self, known: RequestIdentity, state: AttemptState, outcome: Outcome) -> dict[str, Any]:
        return {
            "id": event_id(known, outcome, state.replays),
            "subject": str(known.order) if known.order else None,
            "time": rfc3339(self._clock()),
        }

    @staticmethod
    def _common(known: RequestIdentity, state: AttemptState, said: Sentence) -> dict[str, Any]:
        return {
            "request_id": known.request_id,
            "request_source": known.source,
            "integration": known.integration,
            "cashier": known.cashier,
            "operation": known.operation,
            "order": EventOrder(uuid=str(known.order) if known.order else None, doc_number=known.doc_number),
            "attempts": state.attempts,
            "message": EventMessage(**said),
        }

    def _receipt(self, receipt: IssuedReceipt, checkbox_url: str, total: int) -> EventReceipt:
        assert receipt.fiscal_code is not None  # never a success without a fiscal number
        return EventReceipt(
            id=receipt.id,
            fiscal_code=receipt.fiscal_code,
            fiscal_date=self._fiscal_date(receipt),
            total=hryvnias(total),
            tax_url=receipt.tax_url,
            offline=receipt.offline,
            register_number=receipt.register_number,
            shift_id=receipt.shift_id,
            links=_links(f"{checkbox_url.rstrip('/')}/api/v1/receipts/{receipt.id}"),
        )

    def _fiscal_date(self, receipt: IssuedReceipt) -> str:
        issued = receipt.fiscal_date or receipt.created_at
        return rfc3339(datetime.fromisoformat(issued).timestamp() if issued else self._clock())


def _publication(event: Event) -> Publication:
    properties = pika.BasicProperties(
        content_type=CLOUD_EVENT, message_id=event.id, type=event.type, headers=dict(trace.headers())
    )
    return Publication(EVENTS_EXCHANGE, event.routing_key, event.body(), properties)


def _prepayment(relation: Relation) -> EventPrepayment:
    return EventPrepayment(
        relation_id=relation.id,
        status=relation.status,
        total=hryvnias(relation.total),
        paid=hryvnias(relation.paid),
        left=hryvnias(relation.left),
    )


def _links(address: str) -> ReceiptLinks:
    return ReceiptLinks(
        html=f"{address}/html", pdf=f"{address}/pdf", text=f"{address}/text", qr=f"{address}/qrcode"
    )
