"""One run of one candidate: everything is real and started anew, on a virtual host of its own."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Self
from uuid import uuid4

import pika

from tests.bench import machine
from tests.bench.candidates import Candidate, Place
from tests.bench.heard import Heard
from tests.chaos.orders import CashierRow, OrderRequest, a_request, write_integrations
from worker.demo.free_ports import free_ports
from worker.demo.rabbitmq import PrivateRabbitMQ
from worker.demo.sandbox_process import SandboxProcess
from worker.fiscal.receipt import sale_receipt_id
from worker.rabbit.connection import parameters
from worker.rabbit.topology import Topology
from worker.sandbox.clock import parse_iso


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
        #: The receipt of each request, as the worker and its peers derive it from the order.
        self._receipts: dict[str, str] = {}

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
            "PYTHONPATH": str(Path.cwd()),
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
            request = a_request(uuid4(), f"N{number}", row, f"request-{number}")
            self._receipts[request.id] = str(sale_receipt_id(request.order, 0))
            yield request

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

    def fill(self, count: int) -> None:
        """A backlog, without a confirm for each."""
        channel = self._publishing.channel()
        properties = pika.BasicProperties(delivery_mode=2, content_type="application/cloudevents+json")
        for request in self.requests(count):
            exchange, key, body, _ = self._post(request)
            channel.basic_publish(exchange, key, body, properties)
        channel.close()
        self._let_the_broker_rest()

    def _let_the_broker_rest(self) -> None:
        """It goes on writing for a while after it has taken what was published."""
        rest = 1.0
        while rest > 0.1:
            before = machine.cpu_seconds([self._node.pid])
            self._publishing.sleep(1.0)
            rest = machine.cpu_seconds([self._node.pid]) - before

    def command(self, *arguments: str) -> int:
        """Run ``fiscal-worker`` as an operator would; its exit code."""
        command = [sys.executable, "-m", "worker", *arguments]
        return subprocess.run(
            command, env=self.place.environment, stdout=subprocess.DEVNULL, check=False
        ).returncode

    def seen_by_checkbox(self) -> dict[str, tuple[float, float, float]]:
        """By request: when its receipt was made, was DONE, and was first found to be; monotonic seconds."""
        since = time.time() - time.monotonic()
        found = {entry["id"]: entry for entry in self.sandbox.ledger(body=False) if entry["shown_at"]}
        moments = {
            one: tuple(parse_iso(entry[name]) - since for name in ("created_at", "done_at", "shown_at"))
            for one, entry in found.items()
        }
        return {request: moments[one] for request, one in self._receipts.items() if one in moments}

    def counted(self) -> int:
        """Requests that Checkbox has had of this candidate."""
        return sum(sum(statuses.values()) for statuses in self.sandbox.counters()["requests"].values())

    def warm_up(self) -> None:
        """Every active cashier signed in by every process, the time of the numbers learned."""
        self.heard.wait_for(set(self.publish(self.shape.active + 60)))
        if self.shape.processes > 1:  # Those orders may all have gone to the process that was there first.
            self.heard.wait_for(set(self.publish(self.shape.active * self.shape.processes)))
