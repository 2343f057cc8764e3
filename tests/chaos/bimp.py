"""Bimp's side of the broker: it publishes what is to be fiscalized and keeps all that comes back."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from itertools import islice, takewhile
from typing import Any, Self

import pika
from pika.adapters.blocking_connection import BlockingChannel
from pika.exceptions import AMQPError

from tests.chaos.orders import OrderRequest
from worker.rabbit.topology import DEAD_LETTERS, EVENTS_QUEUE, ORDERS_EXCHANGE

_AGAIN_AFTER = 0.3
#: Seconds after which nothing more is expected of a queue.
_SILENCE = 10.0
_BROKEN = (AMQPError, OSError, AssertionError)


@dataclass(frozen=True, slots=True)
class Letter:
    """A dead letter as it lay in the queue."""

    body: bytes
    headers: dict[str, Any]
    content_type: str | None

    @property
    def code(self) -> str:
        return str(self.headers.get("x-fiscal-code"))

    @property
    def request(self) -> str | None:
        return self.headers.get("x-fiscal-request")


class Heard:
    """Every event that came, by request and kind (``succeeded``, ``failed``, ``delayed``), in order."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._events: dict[str, dict[str, list[dict[str, Any]]]] = {}

    def keep(self, event: dict[str, Any], kind: str) -> None:
        with self._lock:
            self._events.setdefault(event["data"]["requestId"], {}).setdefault(kind, []).append(event)

    def of(self, request_id: str, kind: str) -> list[dict[str, Any]]:
        with self._lock:
            return list(self._events.get(request_id, {}).get(kind, ()))

    @property
    def requests(self) -> set[str]:
        """The requests that anything was said of."""
        with self._lock:
            return set(self._events)

    @property
    def succeeded(self) -> set[str]:
        return self._with("succeeded")

    @property
    def ended(self) -> set[str]:
        return self._with("succeeded", "failed")

    @property
    def refused(self) -> set[str]:
        """The returns for which there is nothing left to return."""
        with self._lock:
            return {
                request
                for request, told in self._events.items()
                if any(event["data"]["code"] == "RETURN_WITHOUT_SALE" for event in told.get("failed", ()))
            }

    def _with(self, *kinds: str) -> set[str]:
        with self._lock:
            return {request for request, told in self._events.items() if any(kind in told for kind in kinds)}


class Bimp:
    """Publishes with confirm, again until the broker has it; consumes ``bimp.fiscal.events`` in a thread."""

    def __init__(self, url: str) -> None:
        self._params = pika.URLParameters(url)
        self._params.heartbeat = 10
        self._params.socket_timeout = 5
        self._stop = threading.Event()
        self._listener = threading.Thread(target=self._listen, name="bimp-events", daemon=True)
        self._channel: BlockingChannel | None = None
        self.heard = Heard()
        self.published_again = 0

    def __enter__(self) -> Self:
        self._listener.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._listener.join(15)

    def publish(self, requests: Iterable[OrderRequest], per_second: float = 0.0) -> None:
        """In the calling thread; what was not confirmed is published once more."""
        due = time.monotonic()
        for request in requests:
            self._until_done(partial(self._order, request))
            if per_second:
                due += 1 / per_second
                time.sleep(max(0.0, due - time.monotonic()))

    def put(self, body: bytes, properties: pika.BasicProperties, routing_key: str) -> None:
        """Anything, as the orders go."""
        self._until_done(
            lambda channel: channel.basic_publish(
                ORDERS_EXCHANGE, routing_key, body, properties, mandatory=True
            )
        )

    def letters(self, count: int) -> list[Letter]:
        """The first dead letters, looked at and left where they are."""
        with pika.BlockingConnection(self._params) as connection:
            channel = connection.channel()
            channel.basic_qos(prefetch_count=count)  # a quorum queue gives 2,000 to who sets none
            came = islice(channel.consume(DEAD_LETTERS, inactivity_timeout=_SILENCE), count)
            letters = takewhile(lambda one: one[0] is not None, came)
            return [Letter(body, props.headers or {}, props.content_type) for _, props, body in letters]

    @staticmethod
    def _order(request: OrderRequest, channel: BlockingChannel) -> None:
        properties = pika.BasicProperties(delivery_mode=2, content_type="application/cloudevents+json")
        channel.basic_publish(
            ORDERS_EXCHANGE, request.row.routing_key, request.body, properties, mandatory=True
        )

    def _until_done(self, action: Callable[[BlockingChannel], None]) -> None:
        while not self._stop.is_set():
            try:
                action(self._open_channel())
                return
            except _BROKEN:
                self.published_again += 1
                self._channel = None
                self._stop.wait(_AGAIN_AFTER)

    def _open_channel(self) -> BlockingChannel:
        if self._channel is None or not self._channel.is_open:
            self._channel = pika.BlockingConnection(self._params).channel()
            self._channel.confirm_delivery()
        return self._channel

    def _listen(self) -> None:
        while not self._stop.is_set():
            try:
                with pika.BlockingConnection(self._params) as connection:
                    self._consume(connection.channel())
            except _BROKEN:
                self._stop.wait(_AGAIN_AFTER)

    def _consume(self, channel: BlockingChannel) -> None:
        channel.basic_qos(prefetch_count=200)
        for method, _, body in channel.consume(EVENTS_QUEUE, inactivity_timeout=0.2):
            if method is not None:
                self.heard.keep(json.loads(body), method.routing_key.removeprefix("fiscalization."))
                channel.basic_ack(method.delivery_tag)
            if self._stop.is_set():
                return
