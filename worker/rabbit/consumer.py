"""How messages come off the queues and how they are settled.

Dramatiq's stock consumer acknowledges other people's messages after a reconnect, and acknowledges what a
failing hook left undone. Here a message knows the consumer it came from, and is acknowledged only when the
actor has said that its outcome is confirmed; everything else goes back to the queue.
"""

from __future__ import annotations

import heapq
import itertools
import threading
import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from functools import cached_property, partial
from typing import Any

import pika
from dramatiq import Message
from dramatiq.broker import Consumer, MessageProxy
from dramatiq.errors import ConnectionClosed
from pika.adapters.blocking_connection import BlockingChannel
from pika.exceptions import AMQPChannelError, AMQPConnectionError

from worker.fiscal.trail import Trail
from worker.rabbit.delivery import Delivery

#: Seconds before what could not be settled is returned: long enough not to spin while the broker refuses.
GIVE_BACK_AFTER = 2.0

_BROKEN = (AssertionError, AMQPConnectionError, AMQPChannelError)


class ConsumedMessage(MessageProxy):
    """A delivery on its way through Dramatiq; ``settled`` is set when its outcome is confirmed."""

    def __init__(self, message: Message[None], consumer: DeliveryConsumer, tag: int) -> None:
        super().__init__(message)
        self.consumer = consumer
        self.tag = tag
        self.settled = False

    @property
    def delivery(self) -> Delivery:
        delivery: Delivery = self.args[0]
        return delivery

    @cached_property
    def trail(self) -> Trail:
        """What earlier passes left."""
        return self.delivery.trail(time.time())

    @property
    def is_stale(self) -> bool:
        """Its connection is gone, so the broker has given the message to somebody else."""
        return not self.consumer.is_open


class DeliveryConsumer(Consumer):
    """Consumes one queue. Messages that are not due yet are held here, unacknowledged, until they are.

    Dramatiq's own delay queue would publish each of them once more and look at them once a second.
    """

    def __init__(
        self,
        connection: pika.BlockingConnection,
        queue: str,
        actor: str,
        prefetch: int,
        timeout: float,
        is_halted: Callable[[], bool],
    ) -> None:
        self._connection = connection
        self._queue = queue
        self._actor = actor
        self._timeout = timeout
        self._is_halted = is_halted
        self._arrived: deque[ConsumedMessage] = deque()
        self._held: list[tuple[float, int, ConsumedMessage]] = []
        self._order = itertools.count()
        self._is_cancelled = False
        self._channel: BlockingChannel = connection.channel()
        self._channel.add_on_cancel_callback(self._on_cancelled)
        self._channel.basic_qos(prefetch_count=prefetch)
        self._tag: str | None = self._channel.basic_consume(queue, self._on_message)

    @property
    def is_open(self) -> bool:
        return bool(self._connection.is_open and self._channel.is_open) and not self._is_cancelled

    @property
    def held(self) -> int:
        return len(self._held)

    @property
    def waiting(self) -> list[ConsumedMessage]:
        """What is held until it is due; may be asked for by any thread."""
        return [message for _, _, message in self._held.copy()]

    def __next__(self) -> ConsumedMessage | None:
        try:
            self._obey_halt()
            if not self._arrived:
                self._connection.process_data_events(time_limit=self._patience())
        except _BROKEN as broken:
            raise ConnectionClosed(broken) from None
        if not self.is_open:
            # A channel that the broker closed, or a deleted queue, leaves the connection open and silent.
            raise ConnectionClosed("the broker ended the consumer")
        while self._held and self._held[0][0] <= time.time():
            self._arrived.append(heapq.heappop(self._held)[2])
        return self._arrived.popleft() if self._arrived else None

    def _on_cancelled(self, _: Any) -> None:
        self._is_cancelled = True

    def _patience(self) -> float:
        if not self._held:
            return self._timeout
        return min(self._timeout, max(0.0, self._held[0][0] - time.time()))

    def _on_message(self, _: Any, method: Any, properties: pika.BasicProperties, body: bytes) -> None:
        delivery = Delivery.received(self._queue, method, properties, body)
        message = ConsumedMessage(
            Message(self._queue, self._actor, (delivery,), {}, {}, message_id=""), self, method.delivery_tag
        )
        if delivery.due > time.time():
            heapq.heappush(self._held, (delivery.due, next(self._order), message))
        else:
            self._arrived.append(message)

    def _obey_halt(self) -> None:
        """While the worker has stopped itself nothing is consumed, and what waits here goes back."""
        if self._is_halted():
            if self._tag is not None:
                self._channel.basic_cancel(self._tag)
                self._tag = None
            for message in (*self._arrived, *(held[2] for held in self._held)):
                self._channel.basic_nack(message.tag, requeue=True)
            self._arrived.clear()
            self._held.clear()
        elif self._tag is None:
            self._tag = self._channel.basic_consume(self._queue, self._on_message)

    def ack(self, message: MessageProxy) -> None:
        """Acknowledge a settled message, give back any other; on the connection it came by, or not at all."""
        assert isinstance(message, ConsumedMessage)
        consumer = message.consumer
        settle = consumer._acknowledge if message.settled else consumer._give_back
        with suppress(*_BROKEN):  # the connection is gone, and with it the delivery: the broker has it back
            consumer._connection.add_callback_threadsafe(partial(settle, message.tag))

    #: Nothing is ever rejected: a dead letter is published and confirmed first, then acknowledged.
    nack = ack

    def _acknowledge(self, tag: int) -> None:
        if self.is_open:
            self._channel.basic_ack(tag)

    def _give_back(self, tag: int) -> None:
        self._connection.call_later(GIVE_BACK_AFTER, partial(self._return, tag))

    def _return(self, tag: int) -> None:
        if self.is_open:
            self._channel.basic_nack(tag, requeue=True)

    def close(self) -> None:
        """Send what is still to be acknowledged, then let go of the rest by closing."""
        try:
            sent = threading.Event()
            self._connection.add_callback_threadsafe(sent.set)
            while not sent.is_set():
                self._connection.process_data_events(time_limit=0.1)
            self._connection.close()
        except _BROKEN as broken:
            raise ConnectionClosed(broken) from None
