"""Events that the broker refuses wait in a queue of their own, and are published until it takes them.

By then all else of the order is done: the receipt is made, or its dead letter is written. So the event itself
waits, byte for byte. Any process may publish it again: that takes no call to Checkbox and no other message.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from concurrent.futures import Future
from functools import partial

import pika

from worker.rabbit.delivery import Delivery, waiting
from worker.rabbit.headers import Header
from worker.rabbit.publisher import Publisher
from worker.rabbit.publishing_connection import Publication
from worker.rabbit.topology import EVENTS_EXCHANGE
from worker.telemetry import metrics
from worker.telemetry.quiet import Quietly

#: Seconds until an event is published again: as long as it has been refused so far, between these.
_SOONEST, _LATEST = 2.0, 60.0


class Outbox:
    """Publishes events."""

    def __init__(self, publisher: Publisher, queue: str, clock: Callable[[], float]) -> None:
        self._publisher = publisher
        self._queue = queue
        self._clock = clock

    def publish(self, event: Publication, refused_since: float | None = None) -> Future[None]:
        """Done when the broker has the event, or has it in the outbox; ends in ``PublishFailed``."""
        return or_else(self._publisher.send(*event), partial(self._keep, event, refused_since))

    def publish_again(self, delivery: Delivery) -> Future[None] | None:
        """The event that waits in ``delivery``; None where it is none of ours."""
        found = _read(delivery)
        return self.publish(*found) if found is not None else None

    def _keep(self, event: Publication, refused_since: float | None) -> Future[None]:
        with Quietly():
            metrics.UNSETTLED.inc()
        now = self._clock()
        since = min(refused_since or now, now)
        wait = min(max(now - since, _SOONEST), _LATEST)
        state = {
            "key": event.routing_key,
            "id": event.properties.message_id,
            "type": event.properties.type,
            "since": since,
        }
        properties = pika.BasicProperties(
            content_type=event.properties.content_type,
            headers={
                **(event.properties.headers or {}),
                Header.UNTOLD: json.dumps(state),
                **waiting(now + wait, wait),
            },
        )
        return self._publisher.send("", self._queue, event.body, properties)


def _read(delivery: Delivery) -> tuple[Publication, float] | None:
    try:
        state = json.loads(delivery.headers[Header.UNTOLD])
        properties = pika.BasicProperties(
            content_type=delivery.content_type,
            message_id=str(state["id"]),
            type=str(state["type"]),
            headers=dict(delivery.trace),
        )
        key, since = str(state["key"]), float(state["since"])
    except (ValueError, TypeError, KeyError):
        return None
    return Publication(EVENTS_EXCHANGE, key, delivery.body, properties), since


def or_else(first: Future[None], second: Callable[[], Future[None]]) -> Future[None]:
    """Done when ``first`` is; where that fails, ends as ``second`` does, which is begun only then."""
    settled: Future[None] = Future()

    def follow(done: Future[None]) -> None:
        error = done.exception()
        if error is None:
            settled.set_result(None)
        else:
            settled.set_exception(error)

    def begin_second(done: Future[None]) -> None:
        if done.exception() is None:
            settled.set_result(None)
            return
        try:
            second().add_done_callback(follow)
        except Exception as error:  # whatever it is, the message behind it must not wait for ever
            settled.set_exception(error)

    first.add_done_callback(begin_second)
    return settled
