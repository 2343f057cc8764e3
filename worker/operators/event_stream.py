"""The worker's events from now on, through a queue of one's own: none is taken away from Bimp."""

from __future__ import annotations

import time
from collections.abc import Callable

import pika

from worker.rabbit.topology import EVENTS_EXCHANGE

_BINDING = "fiscalization.#"
_TICK = 0.2


def listen(connection: pika.BlockingConnection, take: Callable[[bytes], None]) -> None:
    """Hand each event's body to ``take`` while ``serve`` runs, from this moment on."""
    channel = connection.channel()
    channel.exchange_declare(EVENTS_EXCHANGE, "topic", durable=True)
    queue = channel.queue_declare("", exclusive=True, auto_delete=True).method.queue
    channel.queue_bind(queue, EVENTS_EXCHANGE, _BINDING)
    channel.basic_consume(queue, lambda _, __, ___, body: take(body), auto_ack=True)


def serve(connection: pika.BlockingConnection, is_over: Callable[[], bool], end: float | None) -> None:
    """Until it is over, or ``end`` of the monotonic clock has passed."""
    while not is_over():
        left = _TICK if end is None else min(_TICK, end - time.monotonic())
        if left <= 0:
            return
        connection.process_data_events(left)
