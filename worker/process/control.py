"""Hears what people say to all workers: ``resume``, and questions about orders and checks."""

from __future__ import annotations

import json

import pika
from pika.adapters.blocking_connection import BlockingChannel

from worker.interprocess.inquiries import CHECKED, WAITING
from worker.interprocess.shared import Shared
from worker.rabbit.topology import CHECKS, CONTROL_EXCHANGE, INQUIRY, RESUME
from worker.telemetry.logs import logger

_log = logger(__name__)
_INQUIRIES = {INQUIRY: WAITING, CHECKS: CHECKED}


class Control:
    """A queue of the worker's own at the control exchange; for the thread of its connection."""

    def __init__(self, shared: Shared, queue: str) -> None:
        """``queue`` is the one that the worker consumes: its answers name it."""
        self._shared = shared
        self._queue = queue
        self._channel: BlockingChannel | None = None

    @property
    def is_heard(self) -> bool:
        """False once the queue was deleted by hand: the broker then ends its consumer, and nothing else."""
        channel = self._channel
        return channel is not None and channel.is_open and bool(channel.consumer_tags)

    def listen(self, channel: BlockingChannel) -> None:
        """What is heard is answered while the channel's connection processes its events."""
        channel.exchange_declare(CONTROL_EXCHANGE, "fanout", durable=True)
        queue = channel.queue_declare("", exclusive=True).method.queue
        channel.queue_bind(queue, CONTROL_EXCHANGE)
        channel.basic_consume(queue, self._on_control, auto_ack=True)
        self._channel = channel

    def _on_control(
        self, channel: BlockingChannel, _: object, properties: pika.BasicProperties, body: bytes
    ) -> None:
        kind = _INQUIRIES.get(properties.type)
        if kind is not None and properties.reply_to:
            known = self._shared.inquiries.ask(kind, body.decode("utf-8", "replace"))
            answer = {**known, "queue": self._queue}
            correlated = pika.BasicProperties(correlation_id=properties.correlation_id)
            channel.basic_publish("", properties.reply_to, json.dumps(answer).encode(), correlated)
        elif body == RESUME and self._shared.stop_limit.is_engaged:
            self._shared.stop_limit.release()
            _log.info("worker_resumed")
