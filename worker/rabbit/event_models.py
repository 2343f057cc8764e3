"""The events that go back to Bimp. Their JSON Schemas are generated from these models.

CloudEvents 1.0 in structured mode. What is unknown is null, and ``subject`` is left out.
"""

from __future__ import annotations

import json
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

from worker.fiscal.order import Operation
from worker.fiscal.outcomes import Code
from worker.fiscal.sentences import Outcome

Utc = Annotated[str, Field(json_schema_extra={"format": "date-time"}, pattern=r"Z$")]
UuidText = Annotated[str, Field(json_schema_extra={"format": "uuid"})]
Sum = Annotated[str, Field(pattern=r"^[0-9]+\.[0-9]{2}$", description="Hryvnias, e.g. 270.00.")]


class EventModel(BaseModel):
    """Names in Bimp's spelling."""

    model_config = ConfigDict(
        alias_generator=to_camel,
        validate_by_name=True,
        serialize_by_alias=True,
        json_schema_serialization_defaults_required=True,
    )


class EventOrder(EventModel):
    """The order, as far as the message names it."""

    uuid: UuidText | None
    doc_number: str | None


class EventMessage(EventModel):
    """A sentence for the person who pressed the button."""

    uk: str
    ru: str
    en: str


class EventData(EventModel):
    """What all events carry."""

    request_id: Annotated[str, Field(min_length=1, max_length=128, description="The request's id.")]
    request_source: Annotated[str | None, Field(description="The request's source.")]
    integration: str | None
    cashier: str | None
    operation: Operation | None
    order: EventOrder
    attempts: Annotated[int, Field(ge=1, description="Waiting is none.")]
    message: EventMessage


class ReceiptLinks(EventModel):
    """Pages of the receipt; they need no sign-in."""

    html: str
    pdf: str
    text: str
    qr: str


class EventReceipt(EventModel):
    """The receipt that has a fiscal number."""

    id: UuidText
    fiscal_code: Annotated[str, Field(min_length=1)]
    fiscal_date: str
    total: Annotated[Sum, Field(description="order.total, before cash is rounded.")]
    tax_url: str | None
    offline: bool
    register_number: str | None
    shift_id: str | None
    links: ReceiptLinks


class EventPrepayment(EventModel):
    """The chain as Checkbox shows it now."""

    relation_id: Annotated[str, Field(description="Names the chain in returnOf.relationId.")]
    status: Annotated[str, Field(description="PARTIAL_PAID, FULL_PAID, CANCELLED, PARTIAL_CANCELLED.")]
    total: Sum
    paid: Sum
    left: Sum


class SucceededData(EventData):
    """The receipt has a fiscal number."""

    already_fiscalized: Annotated[bool, Field(description="Made by an earlier request, as far as is known.")]
    receipt: Annotated[EventReceipt | None, Field(description="null for PREPAYMENT_RETURN.")]
    receipts: Annotated[
        list[EventReceipt] | None,
        Field(description="PREPAYMENT_RETURN alone: the returns of all receipts of the chain."),
    ] = None
    prepayment: Annotated[
        EventPrepayment | None,
        Field(description="The three operations of prepayments alone; null where the whole order was paid."),
    ] = None


class FailedData(EventData):
    """The worker has given up."""

    code: Code
    dead_lettered: bool
    detail: Annotated[dict[str, Any], Field(description="Figures and words; free of secrets.")]
    receipt_made: Annotated[
        bool | None,
        Field(
            description="true: a receipt is known; false: Checkbox surely has none; null: it was not asked."
        ),
    ]


class DelayedData(EventData):
    """The request is rescheduled after a fault, for the first time."""

    code: Code
    next_attempt_at: Utc


class Event(EventModel):
    """A CloudEvent of the worker."""

    specversion: Literal["1.0"] = "1.0"
    type: str
    source: Literal["/fiscal-worker"] = "/fiscal-worker"
    id: Annotated[UuidText, Field(description="The same when the same outcome is published twice.")]
    subject: Annotated[UuidText | None, Field(description="The order's uuid; left out where unknown.")] = None
    time: Annotated[Utc, Field(description="When it happened.")]
    datacontenttype: Literal["application/json"] = "application/json"

    @property
    def routing_key(self) -> str:
        """Of ``bimp.fiscal``."""
        return f"fiscalization.{self.outcome}"

    @property
    def outcome(self) -> Outcome:
        return Outcome(self.type.split(".")[-2])

    def _left_out(self) -> dict[str, Any]:
        """Members that this event does not have, as pydantic takes them."""
        return {} if self.subject else {"subject": True}

    def body(self) -> bytes:
        """Compact JSON in UTF-8. Where a partner's words have half a character, a question mark stands."""
        members = self.model_dump(mode="json", exclude=self._left_out())
        return json.dumps(members, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")


class Succeeded(Event):
    """The receipt has a fiscal number. Never before."""

    model_config = ConfigDict(title="FiscalizationSucceeded")

    type: Literal["ua.bimp.fiscalization.succeeded.v1"] = "ua.bimp.fiscalization.succeeded.v1"
    data: SucceededData

    def _left_out(self) -> dict[str, Any]:
        operation = self.data.operation
        is_of_chain = operation is not None and operation.is_of_chain
        members = {"receipts": operation is Operation.PREPAYMENT_RETURN, "prepayment": is_of_chain}
        return super()._left_out() | {"data": {name for name, is_there in members.items() if not is_there}}


class Failed(Event):
    """The worker has given up; ``code`` says why."""

    model_config = ConfigDict(title="FiscalizationFailed")

    type: Literal["ua.bimp.fiscalization.failed.v1"] = "ua.bimp.fiscalization.failed.v1"
    data: FailedData


class Delayed(Event):
    """Rescheduled after a fault, for the first time."""

    model_config = ConfigDict(title="FiscalizationDelayed")

    type: Literal["ua.bimp.fiscalization.delayed.v1"] = "ua.bimp.fiscalization.delayed.v1"
    data: DelayedData
