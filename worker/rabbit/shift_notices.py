"""Notices of shifts: CloudEvents for whoever binds a queue to them. Nothing depends on their being heard.

They are persistent and confirmed, but not mandatory: a notice that nobody listens to is gone.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid5

import pika
from pika.adapters.blocking_connection import BlockingChannel
from pika.exceptions import AMQPError, ChannelClosedByBroker

from worker.rabbit.topology import EVENTS_EXCHANGE, JOURNAL_QUEUE

_NAMESPACE = UUID("2b9d3c55-3c0f-5f0e-9d5b-3f6f8f2f7a10")
_CONTENT_TYPE = "application/cloudevents+json"


class Unpublished(Exception):
    """The broker did not confirm; the notice may be published again, with the same id."""


class ShiftNotices:
    """A connection of its own, for one thread."""

    def __init__(self, params: list[pika.URLParameters]) -> None:
        self._params = params
        self._connection: pika.BlockingConnection | None = None

    def publish(self, name: str, identity: object, data: Mapping[str, Any]) -> None:
        """``name`` is the routing key; the id derives from it and ``identity``. Raises ``Unpublished``."""
        kind = f"ua.bimp.{name}.v1"
        notice = {
            "specversion": "1.0",
            "type": kind,
            "source": "/fiscal-worker",
            "id": str(uuid5(_NAMESPACE, json.dumps([kind, identity], sort_keys=True, default=str))),
            "time": datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z"),
            "datacontenttype": "application/json",
            "data": data,
        }
        body = json.dumps(notice, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")
        properties = pika.BasicProperties(
            content_type=_CONTENT_TYPE, delivery_mode=2, message_id=str(notice["id"]), type=kind
        )
        try:
            channel = self._channel()
            channel.confirm_delivery()
            channel.basic_publish(EVENTS_EXCHANGE, name, body, properties)
            channel.close()
        except (AMQPError, AssertionError, OSError) as error:  # pika asserts where a broker dies under it
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
        except (AMQPError, AssertionError, OSError) as error:
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
