"""One run of one candidate: everything is real and started anew, on a virtual host of its own."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self
from uuid import uuid4

import pika

from tests.bench import machine
from tests.bench.candidates import PEERS, Candidate, Place
from tests.chaos.orders import CashierRow, OrderRequest, a_request, write_integrations
from tests.load.figures import percentile
from worker.rabbit.connection import parameters
from worker.rabbit.topology import EVENTS_QUEUE, Topology
from worker.sandbox.process import SandboxProcess
from worker.sandbox.rabbitmq import PrivateRabbitMQ, free_ports

Figures = dict[str, float]
_STALLED_AFTER = 60.0


@dataclass(frozen=True, slots=True)
class Shape:
    """What a run is made of. Seconds."""

    latency: float = 0.05
    done_after: float = 2.0
    #: In the file, and how many of them have orders.
    cashiers: int = 64
    active: int = 64
    #: Orders that wait in the queue when the candidate starts, beyond those that are measured.
    backlog: int = 0
    processes: int = 1
    threads: int = 8
    orders: int = 500
    #: Orders a second that are published evenly; 0 is all at once.
    pace: float = 0.0


@dataclass(slots=True)
class Heard:
    """When the event of each request came; a context manager."""

    url: str
    at: dict[str, float] = field(default_factory=dict)
    failed: int = 0
    _stop: threading.Event = field(default_factory=threading.Event)
    _thread: threading.Thread = field(init=False)

    def __enter__(self) -> Self:
        self._thread = threading.Thread(target=self._listen, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join(10)

    def _listen(self) -> None:
        with pika.BlockingConnection(pika.URLParameters(self.url)) as connection:
            channel = connection.channel()
            channel.basic_qos(prefetch_count=500)
            for method, _, body in channel.consume(EVENTS_QUEUE, auto_ack=True, inactivity_timeout=0.2):
                if self._stop.is_set():
                    return
                if method is not None:
                    self.failed += method.routing_key != "fiscalization.succeeded"
                    self.at.setdefault(json.loads(body)["data"]["requestId"], time.monotonic())

    def wait_for(self, wanted: set[str], enough: int | None = None) -> None:
        """Raises ``TimeoutError`` when nothing new came for a minute."""
        enough = len(wanted) if enough is None else enough
        count, since = -1, time.monotonic()
        while (found := len(wanted & self.at.keys())) < enough:
            if found != count:
                count, since = found, time.monotonic()
            if time.monotonic() - since > _STALLED_AFTER:
                raise TimeoutError(f"{found} of {enough}")
            time.sleep(0.05)


class Stage:
    """A context manager; the candidate is started by ``start``."""

    def __init__(self, node: PrivateRabbitMQ, candidate: Candidate, shape: Shape, folder: Path) -> None:
        self._node = node
        self.candidate = candidate
        self.shape = shape
        self._folder = folder
        self._stack = ExitStack()
        self._numbers = iter(range(10**9))
        self.sandbox: SandboxProcess
        self.heard: Heard
        self._started: list[subprocess.Popen[bytes]] = []

    def __enter__(self) -> Self:
        shape, enter = self.shape, self._stack.enter_context
        vhost = self._node.new_vhost()
        self._stack.callback(vhost.delete)
        self.rows = [CashierRow("shop-0", f"cashier-{number:05}") for number in range(shape.cashiers)]
        integrations = write_integrations(self._folder / "integrations.yaml", self.rows)
        options = {"latency": shape.latency, "done_after": shape.done_after, "throttle": False}
        self.sandbox = enter(SandboxProcess(integrations=integrations, options=options))
        with pika.BlockingConnection(parameters(vhost.url, "bench")) as connection:
            channel = connection.channel()
            Topology(queue_type=self.candidate.queue_type).declare(channel)
            # As the candidates themselves declare them.
            channel.queue_declare("floor.XQ", durable=True, arguments={"x-message-ttl": 604800000})
            channel.queue_declare(
                "floor",
                durable=True,
                arguments={"x-dead-letter-exchange": "", "x-dead-letter-routing-key": "floor.XQ"},
            )
            channel.queue_declare("celery", durable=True)
        self.heard = enter(Heard(vhost.url))
        self.place = Place(vhost.url, self.sandbox.url, integrations, shape.processes, shape.threads)
        self._publishing = enter(pika.BlockingConnection(pika.URLParameters(vhost.url)))
        self._channel = self._publishing.channel()
        self._channel.confirm_delivery()
        self._post = self.candidate.postbox(self.place, self.rows[: shape.active])
        return self

    def __exit__(self, *_: object) -> None:
        for process in self._started:
            for pid in reversed(list(machine.tree(process.pid))):
                with suppress(ProcessLookupError):
                    os.kill(pid, 9)
            process.wait()
        self._stack.close()

    def start(self) -> None:
        """Start the candidate's processes; they are not waited for."""
        environment = {
            **self.place.environment,
            "FISCAL_METRICS_PORT": str(free_ports(1)[0]),
            "dramatiq_queue_prefetch": str(self.shape.threads),
            "PYTHONPATH": f"{Path.cwd()}:{PEERS.resolve()}",
            **self.candidate.settings,
        }
        with (self._folder / "candidate.log").open("ab") as log:
            for _ in range(1 if self.candidate.forks else self.shape.processes):
                self._started.append(
                    subprocess.Popen(
                        self.candidate.command(self.place), env=environment, stdout=log, stderr=log
                    )
                )

    def pids(self) -> list[int]:
        """Of the candidate."""
        return [pid for process in self._started for pid in machine.tree(process.pid)]

    def requests(self, count: int) -> Iterator[OrderRequest]:
        """New orders, evenly over the active cashiers."""
        for _ in range(count):
            number = next(self._numbers)
            row = self.rows[number % self.shape.active]
            yield a_request(uuid4(), f"N{number}", row, f"request-{number}")

    def publish(self, count: int, pace: float = 0.0) -> dict[str, float]:
        """When each request was published, by its id."""
        posts = [(request.id, self._post(request)) for request in self.requests(count)]
        published: dict[str, float] = {}
        due = time.monotonic()
        for request, (exchange, key, body, kind) in posts:
            if pace:
                self._publishing.sleep(max(0.0, due - time.monotonic()))
                due += 1 / pace
            properties = pika.BasicProperties(
                delivery_mode=2,
                content_type=kind,
                content_encoding="utf-8",
                # What Celery's first protocol wants to see.
                headers={} if exchange else None,
            )
            published[request] = time.monotonic()
            self._channel.basic_publish(exchange, key, body, properties, mandatory=True)
        return published

    def fill(self, count: int) -> set[str]:
        """A backlog, without a confirm for each."""
        channel = self._publishing.channel()
        properties = pika.BasicProperties(delivery_mode=2, content_type="application/cloudevents+json")
        ids = set()
        for request in self.requests(count):
            exchange, key, body, _ = self._post(request)
            channel.basic_publish(exchange, key, body, properties)
            ids.add(request.id)
        channel.close()
        return ids

    def counted(self) -> int:
        """Requests that Checkbox has had of this candidate."""
        return sum(sum(statuses.values()) for statuses in self.sandbox.counters()["requests"].values())

    def warm_up(self) -> None:
        """Every active cashier signed in, the time of the numbers learned."""
        published = self.publish(max(2 * self.shape.active, 60))
        self.heard.wait_for(set(published))


def measure(stage: Stage) -> Figures:
    """The figures of a run: the candidate is warm, and gets its orders at once or evenly."""
    shape = stage.shape
    waiting = stage.fill(shape.backlog)
    stage.start()
    if waiting:
        stage.heard.wait_for(waiting, 2 * shape.active + 200)
    else:
        stage.warm_up()
    pids = stage.pids()
    requests, heard, cpu = stage.counted(), len(stage.heard.at), machine.cpu_seconds(pids)
    began = time.monotonic()
    if waiting:
        stage.heard.wait_for(waiting, heard + shape.orders)
        return {
            "orders_per_second": (len(stage.heard.at) - heard) / (time.monotonic() - began),
            **_costs(stage, pids, cpu, requests, len(stage.heard.at) - heard),
        }
    published = stage.publish(shape.orders, shape.pace)
    stage.heard.wait_for(set(published))
    assert not stage.heard.failed, f"{stage.heard.failed} requests failed"
    took = [stage.heard.at[request] - at for request, at in published.items()]
    # The last receipts' wait for their number is no work: nothing is left to do meanwhile.
    tail = shape.done_after if stage.candidate.waits_for_number else 0.0
    busy = max(stage.heard.at[request] for request in published) - min(published.values()) - tail
    return {
        "orders_per_second": shape.orders / busy,
        **_costs(stage, pids, cpu, requests, shape.orders),
        **_times(took, shape),
    }


def _costs(stage: Stage, pids: list[int], cpu: float, requests: int, orders: int) -> Figures:
    return {
        "cpu_ms_per_order": (machine.cpu_seconds(pids) - cpu) / orders * 1000,
        "requests_per_order": (stage.counted() - requests) / orders,
        "largest_process_mib": machine.largest_mib(pids),
    }


def _times(took: Sequence[float], shape: Shape) -> Figures:
    """Milliseconds from message to event; ``added`` is what is left without Checkbox's own time."""
    own = 2 * shape.latency + shape.done_after
    found = {f"p{share}_ms": percentile(took, share / 100) * 1000 for share in (50, 95, 99)}
    return {**found, **{f"added_p{share}_ms": found[f"p{share}_ms"] - own * 1000 for share in (50, 99)}}


def median_of(rounds: Sequence[Figures]) -> Figures:
    """Of each figure."""
    return {name: round(statistics.median(one[name] for one in rounds), 3) for name in rounds[0]}
