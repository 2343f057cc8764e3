"""How messages come off the queues and how they are settled.

Dramatiq's stock consumer acknowledges other people's messages after a reconnect, and acknowledges what a
failing hook left undone. Here a message knows the consumer it came from, and is acknowledged only when its
actor has returned and the broker has confirmed what the actor returned; everything else goes back.
"""

from __future__ import annotations

import heapq
import itertools
import math
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from contextlib import suppress
from functools import partial
from typing import Any

import pika
from dramatiq import Message
from dramatiq.broker import Consumer, MessageProxy
from dramatiq.errors import ConnectionClosed
from pika.adapters.blocking_connection import BlockingChannel
from pika.exceptions import AMQPChannelError, AMQPConnectionError

from worker.rabbit.delivery import Delivery

#: Seconds before what could not be settled is returned: long enough not to spin while the broker refuses.
GIVE_BACK_AFTER = 2.0
#: Seconds that the end waits for confirms that are on their way.
_LAST_CONFIRMS = 5.0

_BROKEN = (AssertionError, AMQPConnectionError, AMQPChannelError)


class ConsumedMessage(MessageProxy):
    """A delivery on its way through Dramatiq."""

    def __init__(self, message: Message[None], consumer: DeliveryConsumer, tag: int) -> None:
        super().__init__(message)
        self.consumer = consumer
        self.tag = tag
        #: The actor returned.
        self.is_done = False
        #: What the broker has yet to confirm before the message may be acknowledged, or what is to be worked
        #: on again before that.
        self.effect: Future[None] | Delivery | None = None

    @property
    def delivery(self) -> Delivery:
        delivery: Delivery = self.args[0]
        return delivery

    @property
    def is_stale(self) -> bool:
        """Its connection is gone, so the broker has given the message to somebody else."""
        return not self.consumer.is_open


class DeliveryConsumer(Consumer):
    """Consumes the queues of a deployment, each with a prefetch of its own, on one connection.

    Messages that are not due yet are held here, unacknowledged, until they are: Dramatiq's own delay queue
    would publish each of them once more and look at them once a second.
    """

    def __init__(
        self,
        connection: pika.BlockingConnection,
        name: str,
        prefetch: Mapping[str, int],
        timeout: float,
        is_halted: Callable[[], bool],
    ) -> None:
        """``name`` is what Dramatiq knows the consumer by; an actor is named like the queue it works on.

        What is worked on again goes to the actor of the first queue.
        """
        self._connection = connection
        self._name = name
        self._again = next(iter(prefetch))
        self._timeout = timeout
        self._is_halted = is_halted
        self._arrived: deque[ConsumedMessage] = deque()
        self._held: list[tuple[float, int, ConsumedMessage]] = []
        self._order = itertools.count()
        self._is_cancelled = False
        self._tags: dict[str, str] = {}
        self._lock = threading.Lock()
        self._settled: deque[tuple[ConsumedMessage, bool]] = deque()
        self._unconfirmed = 0
        #: Messages that a pass has kept in hand.
        self.in_hand = 0
        self._channels = {queue: self._channel(count) for queue, count in prefetch.items()}
        self._consume()

    def _channel(self, prefetch: int) -> BlockingChannel:
        channel = self._connection.channel()
        channel.add_on_cancel_callback(self._on_cancelled)
        channel.basic_qos(prefetch_count=prefetch)
        return channel

    def _consume(self) -> None:
        for queue, channel in self._channels.items():
            self._tags[queue] = channel.basic_consume(queue, partial(self._on_message, queue))

    @property
    def is_open(self) -> bool:
        return (
            bool(self._connection.is_open)
            and not self._is_cancelled
            and all(channel.is_open for channel in self._channels.values())
        )

    @property
    def waiting(self) -> list[ConsumedMessage]:
        """What is held until it is due; may be asked for by any thread."""
        with self._lock:
            return [message for _, _, message in self._held]

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
        self._take_due()
        return self._arrived.popleft() if self._arrived else None

    def _take_due(self) -> None:
        now = time.time()
        with self._lock:
            while self._held and self._held[0][0] <= now:
                message = heapq.heappop(self._held)[2]
                self.in_hand -= message.delivery.is_in_hand
                self._arrived.append(message)

    def _on_cancelled(self, _: Any) -> None:
        self._is_cancelled = True

    def _patience(self) -> float:
        with self._lock:
            due = self._held[0][0] if self._held else math.inf
        return min(self._timeout, max(0.0, due - time.time()))

    def _on_message(
        self, queue: str, _: Any, method: Any, properties: pika.BasicProperties, body: bytes
    ) -> None:
        delivery = Delivery.received(queue, method, properties, body)
        message = self._message(queue, delivery, method.delivery_tag)
        if delivery.due > time.time():
            self._hold(message)
        else:
            self._arrived.append(message)

    def _message(self, actor: str, delivery: Delivery, tag: int) -> ConsumedMessage:
        return ConsumedMessage(Message(self._name, actor, (delivery,), {}, {}, message_id=""), self, tag)

    def _hold(self, message: ConsumedMessage) -> None:
        with self._lock:
            heapq.heappush(self._held, (message.delivery.due, next(self._order), message))

    def _obey_halt(self) -> None:
        """While the worker has stopped itself nothing is consumed, and what waits here goes back."""
        if not self._is_halted():
            if not self._tags:
                self._consume()
            return
        for queue, tag in self._tags.items():
            self._channels[queue].basic_cancel(tag)
        self._tags.clear()
        with self._lock:  # a pass that ends now may keep its message in hand
            held, self._held, self.in_hand = self._held, [], 0
        for message in (*self._arrived, *(message for _, _, message in held)):
            self._return(message)
        self._arrived.clear()

    def ack(self, message: MessageProxy) -> None:
        """Acknowledge a settled message, give back any other; on the connection it came by, or not at all."""
        assert isinstance(message, ConsumedMessage)
        consumer, effect = message.consumer, message.effect
        if not message.is_done or effect is None:
            consumer._settle(message, message.is_done)
        elif isinstance(effect, Delivery):
            consumer._keep_in_hand(consumer._message(consumer._again, effect, message.tag))
        else:
            consumer._await(message, effect)

    #: Nothing is ever rejected: a dead letter is published and confirmed first, then acknowledged.
    nack = ack

    def _keep_in_hand(self, message: ConsumedMessage) -> None:
        """By any thread. The consumer's looks once in its time-out anyway: for later it is not woken."""
        with self._lock:
            self.in_hand += 1
        self._hold(message)
        if message.delivery.due - time.time() < self._timeout:
            with suppress(*_BROKEN):
                self._connection.add_callback_threadsafe(lambda: None)

    def _await(self, message: ConsumedMessage, effect: Future[None]) -> None:
        with self._lock:
            self._unconfirmed += 1
        effect.add_done_callback(lambda done: self._confirmed(message, done.exception() is None))

    def _confirmed(self, message: ConsumedMessage, is_taken: bool) -> None:
        self._settle(message, is_taken)
        with self._lock:
            self._unconfirmed -= 1

    def _settle(self, message: ConsumedMessage, is_settled: bool) -> None:
        """By any thread; the connection belongs to the consumer's."""
        with self._lock:
            self._settled.append((message, is_settled))
            is_awake = len(self._settled) > 1
        if not is_awake:
            with suppress(*_BROKEN):  # the connection is gone, and the broker has the delivery back
                self._connection.add_callback_threadsafe(self._tell)

    def _tell(self) -> None:
        with self._lock:
            settled, self._settled = self._settled, deque()
        for message, is_settled in settled:
            if not is_settled:
                self._connection.call_later(GIVE_BACK_AFTER, partial(self._return, message))
            elif self.is_open:
                # pika's blocking channel would send each by itself, and wait until it is sent.
                self._channels[message.delivery.queue]._impl.basic_ack(message.tag)

    def _return(self, message: ConsumedMessage) -> None:
        if self.is_open:
            self._channels[message.delivery.queue].basic_nack(message.tag, requeue=True)

    def close(self) -> None:
        """Send what is still to be acknowledged, then let go of the rest by closing."""
        until = time.monotonic() + _LAST_CONFIRMS
        try:
            while self._unconfirmed and time.monotonic() < until:
                self._connection.process_data_events(time_limit=0.05)
            sent = threading.Event()
            self._connection.add_callback_threadsafe(sent.set)
            while not sent.is_set():
                self._connection.process_data_events(time_limit=0.1)
            self._connection.close()
        except _BROKEN as broken:
            raise ConnectionClosed(broken) from None
