"""A broker, the sandbox and one or several workers, with Bimp's clock on every order."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterable, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Self

import pika

from tests.chaos.orders import CashierRow, OrderRequest, write_integrations
from worker.demo.sandbox_process import SandboxProcess
from worker.demo.worker_process import WorkerProcess
from worker.rabbit.connection import parameters
from worker.rabbit.topology import EVENTS_QUEUE, ORDERS_EXCHANGE, Topology


class LoadStage:
    """A context manager; the workers, ``workers`` times ``fiscal-worker run``, consume when it is entered."""

    def __init__(
        self,
        broker_url: str,
        rows: list[CashierRow],
        folder: Path,
        *,
        workers: int = 1,
        processes: int = 2,
        options: Mapping[str, Any] | None = None,
        settings: Mapping[str, str] | None = None,
    ) -> None:
        self._broker_url = broker_url
        self._rows = rows
        self._folder = folder
        self._workers = workers
        self._processes = processes
        self._options = options or {}
        self._settings = settings or {}
        self._stack = ExitStack()
        self.sandbox: SandboxProcess
        self.bimp: Bimp

    def __enter__(self) -> Self:
        enter = self._stack.enter_context
        integrations = write_integrations(self._folder / "integrations.yaml", self._rows)
        self.sandbox = enter(SandboxProcess(integrations=integrations, options=self._options))
        with pika.BlockingConnection(parameters(self._broker_url, "load")) as connection:
            Topology().declare(connection.channel())
        self.bimp = enter(Bimp(self._broker_url))
        environment = {
            "FISCAL_RABBITMQ_URL": self._broker_url,
            "FISCAL_CHECKBOX_URL": self.sandbox.url,
            "FISCAL_INTEGRATIONS_FILE": str(integrations),
            "FISCAL_PROCESSES": str(self._processes),
            "FISCAL_LOG_LEVEL": "WARNING",
            **self._settings,
        }
        workers = [
            WorkerProcess(environment, self._folder / f"worker-{number}.log")
            for number in range(self._workers)
        ]
        for worker in workers:
            self._stack.callback(worker.kill)
            worker.start(wait=False)
        for worker in workers:
            worker.wait_until_ready()
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()


class Bimp:
    """Publishes orders and hears what comes of them, with the seconds that each of them took."""

    def __init__(self, url: str) -> None:
        self._params = pika.URLParameters(url)
        self._published: dict[str, float] = {}
        #: Seconds from the publication to the event, and the event's kind, by request.
        self.heard: dict[str, tuple[float, str]] = {}
        self._stop = threading.Event()
        self._listener = threading.Thread(target=self._listen, daemon=True)

    def __enter__(self) -> Self:
        self._listener.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._listener.join(10)

    def publish(self, requests: Iterable[OrderRequest], per_second: float = 0.0) -> list[str]:
        """Ids of the requests; in the calling thread, evenly spaced where a pace is given."""
        properties = pika.BasicProperties(delivery_mode=2, content_type="application/cloudevents+json")
        published = []
        with pika.BlockingConnection(self._params) as connection:
            channel = connection.channel()
            channel.confirm_delivery()
            due = time.monotonic()
            for request in requests:
                self._published[request.id] = time.monotonic()
                channel.basic_publish(
                    ORDERS_EXCHANGE, request.row.routing_key, request.body, properties, mandatory=True
                )
                published.append(request.id)
                due += 1 / per_second if per_second else 0.0
                if per_second:
                    connection.sleep(max(0.0, due - time.monotonic()))
        return published

    def await_all(self, requests: Iterable[str], timeout: float) -> None:
        """Raises ``TimeoutError`` with the number of those of which nothing was heard."""
        wanted = set(requests)
        deadline = time.monotonic() + timeout
        while missing := wanted - self.heard.keys():
            if time.monotonic() > deadline:
                raise TimeoutError(f"{len(missing)} of {len(wanted)} not within {timeout} s")
            time.sleep(0.05)

    def _listen(self) -> None:
        with pika.BlockingConnection(self._params) as connection:
            channel = connection.channel()
            for method, _, body in channel.consume(EVENTS_QUEUE, auto_ack=True, inactivity_timeout=0.2):
                if self._stop.is_set():
                    return
                if method is not None:
                    self._hear(json.loads(body), method.routing_key.removeprefix("fiscalization."))

    def _hear(self, event: Mapping[str, Any], kind: str) -> None:
        request = event["data"]["requestId"]
        if kind != "delayed" and request in self._published:
            self.heard.setdefault(request, (time.monotonic() - self._published[request], kind))
