"""Notices of shifts, and the connection by which they go.

They are persistent and confirmed, but not mandatory: a notice that nobody listens to is gone.
"""

from __future__ import annotations

from contextlib import suppress
from typing import Annotated, Literal, NotRequired

import pika
from pika.adapters.blocking_connection import BlockingChannel
from pika.exceptions import ChannelClosedByBroker
from pydantic import ConfigDict, Field, with_config
from typing_extensions import TypedDict  # pydantic refuses typing's up to Python 3.11

from worker.rabbit.connection import LOST
from worker.rabbit.event_models import Utc, UuidText
from worker.rabbit.notices import Notice, RateText
from worker.rabbit.topology import JOURNAL_QUEUE

Sum = Annotated[str, Field(description="Hryvnias, e.g. 270.00.")]


class NoticeOfRegister(TypedDict):
    """Members are null where Checkbox does not show them."""

    fiscalNumber: str | None
    isTest: bool | None


class NoticeOfShift(TypedDict):
    """A closed shift."""

    id: str
    serial: int | None
    openedAt: Utc
    closedAt: Utc | None


class ReportPayment(TypedDict):
    """A means of payment."""

    label: str | None
    form: str | None
    sales: Sum
    returns: Sum


class ReportTax(TypedDict):
    """A tax."""

    code: int | None
    label: str | None
    rate: RateText
    salesTurnover: Sum
    returnsTurnover: Sum
    salesTax: Sum
    returnsTax: Sum


class Report(TypedDict):
    """The Z-report."""

    fiscalCode: str | None
    sales: Annotated[Sum, Field(description="Of payments[].")]
    returns: Annotated[Sum, Field(description="Of payments[].")]
    salesCount: int
    returnsCount: int
    payments: list[ReportPayment]
    taxes: list[ReportTax]


class _OfShift(TypedDict):
    integration: str
    cashier: Annotated[str | None, Field(description="null where only the register is known.")]
    register: NoticeOfRegister | None
    shift: NoticeOfShift


class ShiftClosedData(_OfShift):
    """What was seen of the closing."""

    zReport: Annotated[Report | None, Field(description="null where Checkbox shows none.")]


@with_config(ConfigDict(json_schema_extra={"required": ["kind"]}))
class ShiftDifference(TypedDict):
    """What the journal and Checkbox do not agree on."""

    kind: str
    orderUuid: NotRequired[UuidText]
    docNumber: NotRequired[str]
    receiptId: NotRequired[str]
    ours: NotRequired[Sum | None]
    checkbox: NotRequired[Sum | None]
    reason: NotRequired[str]


class ShiftReconciledData(_OfShift):
    """What the comparison came to."""

    ok: bool
    differences: list[ShiftDifference]


class ShiftClosed(Notice):
    """A shift of a configured cashier or register was seen closed."""

    type: Literal["ua.bimp.shift.closed.v1"] = "ua.bimp.shift.closed.v1"
    data: ShiftClosedData


class ShiftReconciled(Notice):
    """A closed shift was held against the journal."""

    type: Literal["ua.bimp.shift.reconciled.v1"] = "ua.bimp.shift.reconciled.v1"
    data: ShiftReconciledData


class Unpublished(Exception):
    """The broker did not confirm; the notice may be published again, with the same id."""


class ShiftNotices:
    """A connection of its own, for one thread."""

    def __init__(self, params: list[pika.URLParameters]) -> None:
        self._params = params
        self._connection: pika.BlockingConnection | None = None

    def publish(self, notice: Notice) -> None:
        """Returns when the broker has it. Raises ``Unpublished``."""
        exchange, routing_key, body, properties, _ = notice.publication()
        properties.delivery_mode = 2
        try:
            channel = self._channel()
            channel.confirm_delivery()
            channel.basic_publish(exchange, routing_key, body, properties)
            channel.close()
        except LOST as error:
            self.close()
            raise Unpublished(type(error).__name__) from None

    def journal_lag(self) -> int | None:
        """Messages that wait for the journal; None where it has no queue. Raises ``Unpublished``."""
        try:
            channel = self._channel()
            count: int = channel.queue_declare(JOURNAL_QUEUE, passive=True).method.message_count
            channel.close()
            return count
        except ChannelClosedByBroker as refusal:
            if refusal.reply_code == 404:
                return None
            raise Unpublished(refusal.reply_text) from None
        except LOST as error:
            self.close()
            raise Unpublished(type(error).__name__) from None

    def close(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None and connection.is_open:
            with suppress(Exception):  # it is gone, which is what was wanted
                connection.close()

    def _channel(self) -> BlockingChannel:
        if self._connection is None or not self._connection.is_open:
            self._connection = pika.BlockingConnection(self._params)
        return self._connection.channel()
