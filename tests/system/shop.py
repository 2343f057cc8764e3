"""What Bimp and the operators see of a running worker."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pika
from pika.exceptions import AMQPError

from tests.conftest import PATIENCE
from worker.demo.sandbox_process import SandboxProcess
from worker.demo.vhost import VirtualHost
from worker.demo.worker_process import WorkerProcess
from worker.rabbit.topology import DEAD_LETTERS, EVENTS_QUEUE, ORDERS_EXCHANGE

CONTRACT = Path(__file__).parents[2] / "docs" / "examples"


class Shop:
    """Publishes as Bimp does, and reads events and dead letters; both are taken off their queues."""

    def __init__(self, vhost: VirtualHost, sandbox: SandboxProcess, worker: WorkerProcess) -> None:
        self.vhost = vhost
        self.sandbox = sandbox
        self.worker = worker
        self.events: list[dict[str, Any]] = []
        self.letters: list[tuple[dict[str, Any], bytes]] = []
        self._connection = pika.BlockingConnection(pika.URLParameters(vhost.url))
        self._channel = self._connection.channel()
        self._channel.confirm_delivery()

    def publish(self, body: bytes, **properties: Any) -> None:
        """Persistent, mandatory, confirmed; the routing key names integration and cashier."""
        try:
            data = json.loads(body)["data"]
            key = f"order.ready_to_fiscalize.{data['integration']}.{data['cashier']}"
        except (ValueError, KeyError, TypeError, RecursionError):
            key = "order.ready_to_fiscalize.unknown.unknown"
        self._channel.basic_publish(
            ORDERS_EXCHANGE,
            key,
            body,
            pika.BasicProperties(
                delivery_mode=2, **{"content_type": "application/cloudevents+json", **properties}
            ),
            mandatory=True,
        )

    def look(self) -> None:
        """Take what has come."""
        while (got := self._channel.basic_get(EVENTS_QUEUE, auto_ack=True))[0] is not None:
            self.events.append({**json.loads(got[2]), "routing_key": got[0].routing_key})
        while (got := self._channel.basic_get(DEAD_LETTERS, auto_ack=True))[0] is not None:
            self.letters.append((got[1].headers, got[2]))

    def until(self, condition: Callable[[], Any], timeout: float = PATIENCE) -> Any:
        """Look until the condition gives something true, and return it."""
        deadline = time.monotonic() + timeout
        while True:
            self.look()
            if result := condition():
                return result
            if time.monotonic() > deadline:
                lines = "\n".join(self.worker.log.read_text().splitlines()[-15:])
                raise AssertionError(
                    f"not within {timeout} s; events: {self.events}; letters: {self.letters}\n{lines}"
                )
            self._connection.sleep(0.02)

    def wait_for_page(self, path: str, status: int, words: str) -> None:
        """Until the worker's page has this status, and these words."""

        def is_there() -> bool:
            found, text = self.worker.page(path)
            return found == status and words in text

        deadline = time.monotonic() + PATIENCE
        while not is_there():
            assert time.monotonic() < deadline, self.worker.page(path)
            self._connection.sleep(0.05)

    def wait_for_letters(self, count: int) -> None:
        """Until so many dead letters lie there; they are left where they are."""
        deadline = time.monotonic() + PATIENCE
        while self.vhost.queues()[DEAD_LETTERS].messages_ready < count:
            assert time.monotonic() < deadline
            self._connection.sleep(0.05)

    @property
    def environment(self) -> dict[str, str]:
        """The settings that the worker runs with."""
        return self.worker.settings

    def events_of(self, request_id: str, outcome: str | None = None) -> list[dict[str, Any]]:
        """The events of a request, of one outcome or of all."""
        return [
            event
            for event in self.events
            if event["data"]["requestId"] == request_id
            and (outcome is None or event["routing_key"] == f"fiscalization.{outcome}")
        ]

    def outcome(self, request_id: str, timeout: float = PATIENCE) -> dict[str, Any]:
        """The first event of the request that is no delay."""
        event: dict[str, Any] = self.until(
            lambda: next(
                (
                    event
                    for event in self.events_of(request_id)
                    if event["routing_key"] != "fiscalization.delayed"
                ),
                None,
            ),
            timeout,
        )
        return event

    def close(self) -> None:
        self.worker.kill()
        with suppress(AMQPError):  # the test may have closed it
            self._connection.close()
