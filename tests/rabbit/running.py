"""A worker in the test's process: real broker class, consumers and threads, and an actor of the test's."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future
from contextlib import contextmanager
from types import TracebackType
from typing import Any, Self

import pika
from dramatiq.worker import Worker
from pika.adapters.blocking_connection import BlockingChannel

from tests.conftest import PATIENCE
from worker.rabbit.broker import FiscalBroker
from worker.rabbit.connection import parameters
from worker.rabbit.consuming_connection import ConsumerDependencies
from worker.rabbit.delivery import Delivery
from worker.rabbit.loop import Loop
from worker.rabbit.passes import Passes
from worker.rabbit.topology import ORDERS_EXCHANGE, Topology

TOPOLOGY = Topology()
KEY = "order.ready_to_fiscalize.shop-main.olena"


class Running:
    """Consumes from ``with`` to its end. ``tick`` is the idle time of threads and consumers, in ms."""

    def __init__(
        self,
        url: str,
        process: Callable[[Delivery], Future[None] | Delivery | None],
        *,
        topology: Topology = TOPOLOGY,
        threads: int = 4,
        at_once: int | None = None,
        tick: int = 100,
        room: int = 0,
        is_halted: Callable[[], bool] = lambda: False,
        clock: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self.loop = Loop()
        self.broker = FiscalBroker(
            ConsumerDependencies(self.loop, parameters(url, "test"), is_halted, clock, monotonic),
            topology,
            Passes(threads if at_once is None else at_once, threads, time.monotonic),
            threads,
            room,
        )
        self.broker.install(process)
        self.worker = Worker(self.broker, worker_threads=threads, worker_timeout=tick)

    def __enter__(self) -> Self:
        self.worker.start()
        deadline = time.monotonic() + PATIENCE
        while not self.broker.is_consuming and time.monotonic() < deadline:
            time.sleep(0.01)
        assert self.broker.is_consuming
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.worker.stop(timeout=20_000)
        self.loop.close()

    @property
    def threads_alive(self) -> int:
        return sum(thread.is_alive() for thread in self.worker.workers)

    @property
    def held(self) -> int:
        """Messages that wait in the consumers until they are due."""
        return len(self.broker.waiting)


class Seen:
    """An actor that writes down what it was given, and when (seconds since the epoch)."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.deliveries: list[Delivery] = []
        self.times: list[float] = []

    def __call__(self, delivery: Delivery) -> None:
        with self._lock:
            self.times.append(time.time())
            self.deliveries.append(delivery)

    @property
    def bodies(self) -> list[bytes]:
        return [delivery.body for delivery in self.deliveries]

    def __len__(self) -> int:
        return len(self.deliveries)


@contextmanager
def channel(url: str) -> Iterator[BlockingChannel]:
    """A channel with confirms, on a connection of its own."""
    with pika.BlockingConnection(pika.URLParameters(url)) as connection:
        opened = connection.channel()
        opened.confirm_delivery()
        yield opened


def declare(url: str, topology: Topology = TOPOLOGY) -> None:
    """Everything of the contract, as the supervisor does it before it starts the processes."""
    with channel(url) as opened:
        topology.declare(opened)


def publish(
    url: str,
    *bodies: bytes,
    exchange: str = ORDERS_EXCHANGE,
    key: str = KEY,
    headers: Mapping[str, Any] | None = None,
) -> None:
    """As Bimp does: persistent, mandatory, confirmed."""
    with channel(url) as opened:
        for body in bodies:
            properties = pika.BasicProperties(delivery_mode=2, headers=dict(headers) if headers else None)
            opened.basic_publish(exchange, key, body, properties, mandatory=True)


def rescheduled(url: str, queue: str, body: bytes, due: float) -> None:
    """A message of ours that waits in ``queue`` until ``due``."""
    publish(url, body, exchange="", key=queue, headers={"x-fiscal-due": int(due * 1000)})


def drained(url: str, queue: str) -> list[tuple[bytes, pika.BasicProperties]]:
    """Takes everything ready out of a queue."""
    found = []
    with channel(url) as opened:
        while True:
            method, properties, body = opened.basic_get(queue, auto_ack=True)
            if method is None:
                return found
            found.append((body, properties))
