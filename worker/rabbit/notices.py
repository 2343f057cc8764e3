"""Notices: CloudEvents for whoever binds a queue to them. Nothing depends on their being heard."""

from __future__ import annotations

import json
from typing import Annotated, Any, Literal
from uuid import UUID, uuid5

import pika
from pydantic import Field

from worker.rabbit.event_models import EventMessage, EventModel, Utc, UuidText
from worker.rabbit.publishing_connection import Publication
from worker.rabbit.topology import CLOUD_EVENT, EVENTS_EXCHANGE

_NAMESPACE = UUID("3f0c1a52-9d0e-5c7b-8a44-7f2f6f0d6a10")

RateText = Annotated[str, Field(pattern=r"^[0-9]+(\.[0-9]+)?$", description="Percent, e.g. 20.")]


class Notice(EventModel):
    """A CloudEvent that is no answer to a request."""

    specversion: Literal["1.0"] = "1.0"
    type: str
    source: Literal["/fiscal-worker"] = "/fiscal-worker"
    id: Annotated[UuidText, Field(description="The same when the same notice is published twice.")]
    time: Utc
    datacontenttype: Literal["application/json"] = "application/json"

    @property
    def routing_key(self) -> str:
        """Of ``bimp.fiscal``: the type without its namespace and version."""
        return self.type.removeprefix("ua.bimp.").removesuffix(".v1")

    def publication(self) -> Publication:
        """Not mandatory: a notice that nobody wants is no fault."""
        body = json.dumps(self.model_dump(mode="json"), ensure_ascii=False, separators=(",", ":"))
        properties = pika.BasicProperties(content_type=CLOUD_EVENT, message_id=self.id, type=self.type)
        return Publication(
            EVENTS_EXCHANGE, self.routing_key, body.encode("utf-8", "replace"), properties, mandatory=False
        )


class NoticeFinding(EventModel):
    """What a check has found."""

    path: Annotated[str, Field(description="A JSON pointer into the integration; empty: the whole.")]
    severity: Literal["error", "warning"]
    code: str
    message: EventMessage


class NoticeTax(EventModel):
    """A tax of the organization at Checkbox."""

    code: int
    label: str
    rate: RateText | None
    no_vat: bool | None


class NoticeRegister(EventModel):
    """The register of the row's licence key."""

    fiscal_number: str | None
    is_test: bool | None
    is_offline: bool


class NoticeCashier(EventModel):
    """A cashier row, also one out of service."""

    id: str | None
    name: str | None
    register_: Annotated[NoticeRegister | None, Field(alias="register")]
    shift_opened_at: Utc | None


class IntegrationCheckedData(EventModel):
    """What a check came to."""

    integration: str
    company: str | None
    ok: Annotated[bool, Field(description="No finding is an error.")]
    findings: list[NoticeFinding]
    taxes: Annotated[
        list[NoticeTax], Field(description="As Checkbox has them for the first cashier that could be asked.")
    ]
    cashiers: list[NoticeCashier]


class IntegrationChecked(Notice):
    """An integration was checked against Checkbox."""

    type: Literal["ua.bimp.integration.checked.v1"] = "ua.bimp.integration.checked.v1"
    data: IntegrationCheckedData


def notice_id(*parts: Any) -> str:
    """The same for the same parts, in whichever process."""
    return str(uuid5(_NAMESPACE, json.dumps(parts, sort_keys=True)))
