"""What it costs to reschedule a message: held in our consumer, or hopped over Dramatiq's stock delay queue.

    python -m tests.bench.delays [--messages 2000] [--rounds 3]

Prints a line for each round and way: CPU of this process per message (publish, hold, deliver, settle) and
how late the messages came. The ways alternate on one private RabbitMQ; figures are in docs/decisions/0003.
"""

from __future__ import annotations

import argparse
import os
import statistics
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pika

from worker.demo.rabbitmq import PrivateRabbitMQ
from worker.rabbit.broker import FiscalBroker
from worker.rabbit.connection import parameters
from worker.rabbit.consumed_message import ConsumedMessage
from worker.rabbit.consuming_connection import ConsumerDependencies
from worker.rabbit.delivery import Delivery
from worker.rabbit.loop import Loop
from worker.rabbit.passes import Passes
from worker.rabbit.publisher import Publisher
from worker.rabbit.topology import Topology

import dramatiq  # isort: skip
from dramatiq.brokers.rabbitmq import RabbitmqBroker  # isort: skip
from dramatiq.worker import Worker  # isort: skip

#: Dues are spread over so many seconds, from so many after the last publish is reckoned to be done.
_SPREAD = 4.0
_THREADS = 8
_CLASSIC = Topology(queue_type="classic")


class Arrivals:
    """How late each message came, in seconds."""

    def __init__(self, expected: int) -> None:
        self.late: list[float] = []
        self.all_there = threading.Event()
        self._expected = expected
        self._lock = threading.Lock()

    def note(self, due: float) -> None:
        with self._lock:
            self.late.append(time.time() - due)
            if len(self.late) == self._expected:
                self.all_there.set()


@contextmanager
def _working(broker: dramatiq.Broker) -> Iterator[None]:
    worker = Worker(broker, worker_threads=_THREADS, worker_timeout=1000)
    worker.start()
    yield
    worker.stop()


def held(url: str, dues: list[float], arrivals: Arrivals) -> None:
    """Our way: one publish, then it waits unacknowledged in the consumer."""
    passes: Passes[ConsumedMessage] = Passes(_THREADS, _THREADS, time.monotonic)
    broker = FiscalBroker(ConsumerDependencies(Loop(), parameters(url, "bench")), _CLASSIC, passes, _THREADS)
    broker.install(lambda delivery: arrivals.note(delivery.due))
    publisher = Publisher(Loop(), parameters(url, "bench"), _CLASSIC.declare)
    with _working(broker):
        for due in dues:
            properties = Delivery("", b"").properties({"x-fiscal-due": int(due * 1000)})
            publisher.send("", _CLASSIC.follow_up, b"x" * 1500, properties).result()
        arrivals.all_there.wait(120)


def stock(url: str, dues: list[float], arrivals: Arrivals) -> None:
    """Dramatiq's way: a publish to the delay queue, and another one when it is due."""
    broker = RabbitmqBroker(url=url, confirm_delivery=True, middleware=[])
    actor = dramatiq.Actor(
        lambda due, _: arrivals.note(due),
        broker=broker,
        actor_name="note",
        queue_name="stock",
        priority=0,
        options={},
    )
    with _working(broker):
        for due in dues:
            message = actor.message(due, "x" * 1400)
            broker.enqueue(message, delay=max(1, int((due - time.time()) * 1000)))
        arrivals.all_there.wait(120)
    broker.close()


def measure(way: Callable[[str, list[float], Arrivals], None], url: str, messages: int) -> None:
    """One round of one way, printed."""
    arrivals = Arrivals(messages)
    start = time.time() + 2.0 + messages / 400
    dues = [start + _SPREAD * n / messages for n in range(messages)]
    before = os.times()
    way(url, dues, arrivals)
    after = os.times()
    cpu = (after.user + after.system - before.user - before.system) / messages
    late = sorted(arrivals.late)
    print(
        f"{way.__name__:6} n={len(late)} cpu={cpu * 1e6:5.0f} us/message  late: "
        f"p50={statistics.median(late) * 1000:.1f} ms  p99={late[int(len(late) * 0.99) - 1] * 1000:.1f} ms  "
        f"max={late[-1] * 1000:.1f} ms  early={sum(each < -0.002 for each in late)}"
    )


def main() -> None:
    """The ways in turn."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--messages", type=int, default=2000)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    print(f"pika {pika.__version__}, dramatiq {dramatiq.__version__}, {os.cpu_count()} cores")
    with PrivateRabbitMQ() as node:
        for _ in range(options.rounds):
            for way in (held, stock):
                vhost = node.new_vhost()
                measure(way, vhost.url, options.messages)
                vhost.delete()


if __name__ == "__main__":
    main()
