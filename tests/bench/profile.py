"""Where the CPU time of an order goes: ``python -m tests.bench.profile [--orders 2000]``.

One thread of the worker's own parts, in this process, against a real broker and a Checkbox that answers at
once; a timer of CPU time looks at the stack every 2 ms. Prints milliseconds an order for each step, what it
calls included. Eight threads cost more: they wait for the interpreter's lock and for each other.
"""

from __future__ import annotations

import argparse
import os
import random
import signal
import tempfile
import time
from collections import Counter
from collections.abc import Iterable, Sequence
from concurrent.futures import Future
from pathlib import Path
from types import FrameType, SimpleNamespace

import pika

from config.integrations_watch import load
from tests.bench.candidates import OURS
from tests.bench.stage import Shape, Stage
from tests.chaos.orders import OrderRequest
from worker.checkbox.client import CheckboxClient
from worker.checkbox.isolation import Isolation
from worker.checkbox.session import ReceiptRate
from worker.checkbox.sessions import Sessions
from worker.demo.rabbitmq import PrivateRabbitMQ
from worker.fiscal import issuing
from worker.fiscal.fiscalization import Fiscalization
from worker.fiscal.number_times import NumberTimes
from worker.interprocess.rate_limiter import RegisterRateLimiter
from worker.interprocess.stop_limit import StopLimit
from worker.rabbit.connection import parameters
from worker.rabbit.decision import SettlementDependencies
from worker.rabbit.delivery import Delivery
from worker.rabbit.loop import Loop
from worker.rabbit.publisher import Publisher
from worker.rabbit.retry_policy import RetryPolicy
from worker.rabbit.settlement import Settlement
from worker.rabbit.topology import ORDERS_EXCHANGE, Topology
from worker.telemetry import logs, trace

#: Steps, as the code calls them.
_STEPS = (
    "Settlement.process",
    "Transport.call",
    "HTTPConnection.handle_request",
    "Publisher.send",
    "Events.succeeded",
    "Delivery.received",
    "Delivery.attempt_state",
    "read",
    "to_request",
    "plan",
    "context_of",
    "sell_body",
    "parse",
    "read_receipt",
    "RegisterRateLimiter.acquire",
    "logged",
    "BoundLoggerBase._proxy_to_logger",
)


def settlement_on(stage: Stage, publisher: Publisher, folder: Path) -> Settlement:
    """The worker's own parts, for one thread."""
    place = stage.place
    integrations = load(place.integrations, place.checkbox_url, {}).integrations
    rate = ReceiptRate(RegisterRateLimiter(), lambda: 100.0, time.monotonic, time.time)
    sessions = Sessions(CheckboxClient(headers=trace.headers), rate, Isolation(8, time.monotonic))
    fiscalization = Fiscalization(
        lambda: integrations,
        sessions,
        issuing.PassDependencies(
            archive=None,
            clock=time.time,
            monotonic=time.monotonic,
            return_wait=10.0,
            number_times=NumberTimes(),
            duplicate_prevented=lambda: None,
            warn=lambda _: None,
        ),
    )
    return Settlement(
        SettlementDependencies(
            fiscalize=fiscalization.fiscalize,
            publisher=publisher,
            topology=Topology(),
            policy=RetryPolicy(1.0, 2.0, 1000.0),
            stop_limit=StopLimit(100),
            configured=integrations.rows.get,
            has_room=lambda: True,
            clock=time.time,
            random=random.Random(),
        )
    )


def both_passes(settlement: Settlement, requests: Iterable[OrderRequest]) -> None:
    """Each order from its message to its confirmed event."""
    new = SimpleNamespace(exchange=ORDERS_EXCHANGE, redelivered=False)
    for request in requests:
        delivery = Delivery.received("fiscalize", new, pika.BasicProperties(), request.body)
        effect: Delivery | Future[None] = delivery
        while isinstance(effect, Delivery):
            effect = settlement.process(effect)
        effect.result()


def sampled(settlement: Settlement, requests: Sequence[OrderRequest]) -> dict[str, float]:
    """Milliseconds of CPU time an order, by the name of a function."""
    seen: Counter[str] = Counter()

    def look(_: int, frame: FrameType | None) -> None:
        names = set()
        while frame is not None:
            names.add(frame.f_code.co_qualname)
            frame = frame.f_back
        seen.update(names)

    signal.signal(signal.SIGPROF, look)
    signal.setitimer(signal.ITIMER_PROF, 0.002, 0.002)
    began = time.process_time()
    both_passes(settlement, requests)
    each = (time.process_time() - began) * 1000 / len(requests)
    signal.setitimer(signal.ITIMER_PROF, 0.0)
    return {name: each * count / seen["both_passes"] for name, count in seen.items()}


def main() -> None:
    """Print the steps."""
    parser = argparse.ArgumentParser("python -m tests.bench.profile", description=__doc__)
    parser.add_argument("--orders", type=int, default=2000)
    orders = parser.parse_args().orders
    shape = Shape(latency=0.0, done_after=0.0)
    with (
        Path(os.devnull).open("w") as lines,
        PrivateRabbitMQ() as node,
        tempfile.TemporaryDirectory() as folder,
        Stage(node, OURS, shape, Path(folder)) as stage,
    ):
        logs.configure("json", "INFO", lines)
        publisher = Publisher(Loop(), parameters(stage.place.broker_url, "profile"))
        settlement = settlement_on(stage, publisher, Path(folder))
        both_passes(settlement, stage.requests(150))
        found = sampled(settlement, list(stage.requests(orders)))
    for name in _STEPS:
        print(f"{found.get(name, 0.0):7.3f} ms  {name}")


if __name__ == "__main__":
    main()
