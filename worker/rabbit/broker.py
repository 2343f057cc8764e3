"""Dramatiq's broker over our queues, without the faults of its own RabbitMQ broker.

Only Dramatiq's public seams are used: ``Broker``, ``Consumer``, ``Middleware``, ``Worker``. Its RabbitMQ
broker is not, since nothing of it would be left: see docs/decisions.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from functools import partial
from typing import Any

import dramatiq
import pika
from dramatiq.broker import Consumer, MessageProxy
from dramatiq.errors import ConnectionClosed
from dramatiq.middleware import Middleware, SkipMessage
from dramatiq.worker import ConsumerThread, Worker
from pika.exceptions import AMQPError

from worker.interprocess.heartbeat import HeldCounts
from worker.rabbit.consumed_message import ConsumedMessage
from worker.rabbit.consumer import DeliveryConsumer
from worker.rabbit.consuming_connection import ConsumerDependencies
from worker.rabbit.delivery import Delivery
from worker.rabbit.held_messages import Unloaded
from worker.rabbit.passes import Passes
from worker.rabbit.topology import Topology

#: How many messages of a queue a process may hold until they are due, with their bodies or without: so many
#: that they hide none that is due before them.
WAITING_PREFETCH = 20_000
#: Events that are refused; as many are published again within a minute.
OUTBOX_PREFETCH = 100
_RECONNECT_AFTER = 0.5


class FiscalBroker(dramatiq.Broker):
    """Consumes the queues of a deployment; it never publishes.

    To Dramatiq they are one queue, so that one thread and one connection serve them all.
    """

    def __init__(
        self,
        dependencies: ConsumerDependencies,
        topology: Topology,
        passes: Passes[ConsumedMessage],
        prefetch: int,
        room: int = 0,
    ) -> None:
        """``prefetch`` new messages are worked on or next; ``room`` is for those that are kept in flight."""
        super().__init__(middleware=[SettledOnly()])
        self.queues: set[str] = set()
        self._with = dependencies
        self.is_halted = dependencies.is_halted
        self._topology = topology
        self.passes = passes
        self._room = room
        self._prefetch = {
            # What comes back goes before what is new.
            topology.follow_up: WAITING_PREFETCH,
            topology.retry: WAITING_PREFETCH,
            topology.outbox: OUTBOX_PREFETCH,
            topology.queue: prefetch + room,
        }
        self.stopping = threading.Event()
        self.consumer: DeliveryConsumer | None = None

    def declare_queue(self, queue_name: str) -> None:
        if queue_name not in self.queues:
            self.queues.add(queue_name)
            self.emit_after("declare_queue", queue_name)

    def get_declared_queues(self) -> set[str]:
        return self.queues.copy()

    def consume(self, queue_name: str, prefetch: int = 1, timeout: int = 1000) -> Consumer:
        return LastingConsumer(partial(self._consume, queue_name, timeout))

    def _consume(self, queue_name: str, timeout: int) -> DeliveryConsumer | None:
        """None if the broker cannot be reached: one process logs it, the others wait silently."""
        if self.stopping.is_set():
            return None
        try:
            return self._connected(queue_name, timeout)
        except (AMQPError, OSError, ConnectionClosed):
            return None

    def _connected(self, queue_name: str, timeout: int) -> DeliveryConsumer:
        with pika.BlockingConnection(self._with.params) as connection:
            self._topology.declare(connection.channel())
        consumer = DeliveryConsumer(self._with, queue_name, self._prefetch, timeout / 1000, self.passes)
        consumer.open()
        self.consumer = consumer
        return consumer

    @property
    def is_consuming(self) -> bool:
        """Whether every queue is consumed and the worker has not stopped itself."""
        return not self.is_halted() and self.consumer is not None and self.consumer.is_consuming

    @property
    def waiting(self) -> list[Delivery | Unloaded]:
        """What waits in this process until it is due."""
        consumer = self.consumer
        return consumer.waiting if consumer is not None and consumer.is_open else []

    def has_room(self) -> bool:
        """Whether one more message may be kept in flight: new ones need places too."""
        return self.consumer is not None and self.consumer.keeps(self._room)

    def held(self) -> HeldCounts:
        """The requests that are in a thread now, and those that wait until they are due, in figures."""
        waiting = [message for message in self.waiting if message.queue != self._topology.outbox]
        states = [state for message in waiting if (state := message.last_state) is not None]
        unknown = [state.unknown_since for state in states if state.unknown_since is not None]
        retry = sum(message.queue == self._topology.retry for message in waiting)
        return HeldCounts(
            in_flight=self.passes.under_way,
            follow_up=len(waiting) - retry,
            retry=retry,
            oldest_first_seen=min((state.first_seen for state in states), default=0.0),
            unknown=len(unknown),
            oldest_unknown=min(unknown, default=0.0),
        )

    def worker(self) -> Worker:
        """Dramatiq's worker on this broker."""
        return Worker(self, worker_threads=self.passes.threads, worker_timeout=1000)

    def install(self, process: Callable[[Delivery], Future[None] | Delivery | None]) -> None:
        """Declare the actor, once for each queue. What it returns is confirmed before its message is."""
        for priority, queue in enumerate(self._prefetch):
            dramatiq.Actor(
                process,
                broker=self,
                actor_name=queue,
                queue_name=self._topology.queue,
                priority=priority,
                options={},
            )


class LastingConsumer(Consumer):
    """Outlives its connections: Dramatiq would wait three seconds before it makes another consumer."""

    def __init__(self, connect: Callable[[], DeliveryConsumer | None]) -> None:
        self._connect = connect
        self._current: DeliveryConsumer | None = None

    def __next__(self) -> None:
        if self._current is None:
            self._current = self._connect()
        try:
            if self._current is not None:
                return next(self._current)
        except ConnectionClosed:
            self.close()
        # In Dramatiq's thread for this consumer, which has nothing else to do.
        time.sleep(_RECONNECT_AFTER)
        return None

    def ack(self, message: MessageProxy) -> None:
        assert isinstance(message, ConsumedMessage)
        message.consumer.finish(message)

    #: Nothing is ever rejected: a dead letter is published and confirmed first, then acknowledged.
    nack = ack

    def close(self) -> None:
        if self._current is not None:
            self._current.close()
            self._current = None


class SettledOnly(Middleware):
    """A message counts as done only when the actor returned; errors in hooks leave it undone."""

    def after_consumer_thread_boot(self, broker: dramatiq.Broker, thread: ConsumerThread) -> None:
        assert isinstance(broker, FiscalBroker)
        broker.passes.begin = thread.handle_message

    def before_process_message(self, broker: dramatiq.Broker, message: MessageProxy) -> None:
        assert isinstance(broker, FiscalBroker)
        assert isinstance(message, ConsumedMessage)
        if message.is_stale or broker.is_halted() or broker.stopping.is_set():
            raise SkipMessage("given back")

    def after_process_message(
        self, broker: dramatiq.Broker, message: MessageProxy, *, result: Any = None, exception: Any = None
    ) -> None:
        assert isinstance(message, ConsumedMessage)
        message.effect = result
        message.is_done = exception is None

    def before_worker_shutdown(self, broker: dramatiq.Broker, worker: Any) -> None:
        assert isinstance(broker, FiscalBroker)
        broker.stopping.set()
