"""A message as it came: what of it counts, and how it waits in our queues."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from types import SimpleNamespace
from typing import Any

import pika
import pytest

from tests.rabbit.raw_amqp import publish_raw
from tests.rabbit.running import KEY, TOPOLOGY, Running, Seen, channel, declare, publish
from worker.demo.rabbitmq import PrivateRabbitMQ
from worker.demo.vhost import VirtualHost
from worker.fiscal.attempt_state import AttemptState
from worker.rabbit.delivery import Delivery
from worker.rabbit.message.json_body import BODY_LIMIT
from worker.rabbit.topology import ORDERS_EXCHANGE

Eventually = Callable[..., Any]
PARENT = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
OURS = {
    "x-fiscal-trail": json.dumps({"first_seen": 1.0, "faults": 9}),
    "x-fiscal-due": 2**50,
    "x-fiscal-replays": 3,
    "x-fiscal-replayed-code": "INTERNAL_ERROR",
    "x-fiscal-delayed": True,
}


def received(
    headers: Mapping[str, Any] | None = None,
    exchange: str = "",
    *,
    redelivered: bool = False,
    **properties: Any,
) -> Delivery:
    method = SimpleNamespace(exchange=exchange, redelivered=redelivered)
    kept = pika.BasicProperties(headers=dict(headers) if headers is not None else None, **properties)
    return Delivery.received("fiscalize", method, kept, b"order")


@pytest.mark.parametrize(
    "exchange", [ORDERS_EXCHANGE, "erp"], ids=["bimp.orders", "one bound to bimp.orders"]
)
def test_our_headers_do_not_count_when_they_come_from_outside(
    vhost: VirtualHost, eventually: Eventually, exchange: str
) -> None:
    """Nobody but us may say that an order waits, was tried nine times or was replayed."""
    seen = Seen()
    declare(vhost.url)
    with channel(vhost.url) as opened:
        if exchange != ORDERS_EXCHANGE:
            opened.exchange_declare(exchange, "topic", durable=True)
            opened.exchange_bind(ORDERS_EXCHANGE, exchange, "#")
    with Running(vhost.url, seen):
        publish(vhost.url, b"order", exchange=exchange, headers=OURS)
        eventually(lambda: seen)
    [delivery] = seen.deliveries
    assert delivery.headers == {}
    assert delivery.due == 0.0
    assert delivery.replayed_code is None
    assert delivery.attempt_state(now=5.0) == AttemptState(first_seen=5.0)


def test_our_headers_count_when_they_come_straight_to_the_queue() -> None:
    """So does a replay, and what was rescheduled."""
    delivery = received(OURS)
    assert delivery.due == 2**50 / 1000
    assert delivery.replays == 3
    assert delivery.replayed_code == "INTERNAL_ERROR"
    assert delivery.attempt_state(now=5.0).faults == 9


def test_a_body_that_is_too_long_is_not_read_for_its_trace() -> None:
    """All messages of the process would wait meanwhile; it is refused unread."""
    body = json.dumps({"traceparent": PARENT, "text": "x" * BODY_LIMIT}).encode()
    method = SimpleNamespace(exchange=ORDERS_EXCHANGE, redelivered=False)
    assert Delivery.received("fiscalize", method, pika.BasicProperties(), body).trace == {}


def test_what_is_rescheduled_comes_back_as_it_was(vhost: VirtualHost, eventually: Eventually) -> None:
    """Body byte for byte, content type and encoding, trace, and what was learned; nothing else."""
    state = AttemptState(
        first_seen=1.5, replays=2, faults=3, delayed=True, posted_at=9.25, looks=4, has_reserved=True
    )
    first = Delivery("fiscalize", b"\xff\x00{}", "application/json", "utf-8", trace={"traceparent": PARENT})
    seen = Seen()
    with Running(vhost.url, seen), channel(vhost.url) as opened:
        properties = first.rescheduled(state, due=2.0)
        opened.basic_publish("", TOPOLOGY.retry, first.body, properties, mandatory=True)
        eventually(lambda: seen)
    [back] = seen.deliveries
    assert (back.queue, back.body) == (TOPOLOGY.retry, first.body)
    assert (back.content_type, back.content_encoding) == ("application/json", "utf-8")
    assert back.trace == first.trace
    assert back.due == 2.0
    assert back.attempt_state(now=99.0) == state


def test_a_redelivery_looks_up_first() -> None:
    """What came of the first delivery is not known; that is so for this delivery only."""
    state = received(redelivered=True).attempt_state(now=5.0)
    assert state == AttemptState(first_seen=5.0, look_up_first=True, redelivered=True)
    kept = Delivery("fiscalize", b"", headers=received().rescheduled(state, 0.0).headers).attempt_state(
        now=9.0
    )
    assert kept == AttemptState(first_seen=5.0, look_up_first=True)


def test_a_replay_looks_up_first_and_starts_anew() -> None:
    """A dead letter may have reached Checkbox; its time counts from the replay."""
    state = received({"x-fiscal-replays": 2, "x-fiscal-delayed": True}).attempt_state(now=5.0)
    assert state == AttemptState(first_seen=5.0, replays=2, delayed=True, look_up_first=True)


def test_a_replay_is_counted_at_its_first_arrival_only() -> None:
    """A redelivery of it tells no code."""
    assert received(OURS, redelivered=True).replayed_code is None


@pytest.mark.parametrize(
    "kept",
    [
        "",
        "null",
        "[]",
        "{}",
        '"x"',
        "{",
        '{"first_seen": "yesterday"}',
        '{"first_seen": 1, "faults": "x"}',
        7,
        None,
    ],
)
def test_an_attempt_state_that_cannot_be_read_is_that_of_a_redelivery(kept: Any) -> None:
    """It costs a look-up or a repeat, and stops nothing; what its writer posted until just now may appear."""
    started_anew = AttemptState(first_seen=5.0, look_up_first=True, redelivered=True)
    assert received({"x-fiscal-trail": kept}).attempt_state(now=5.0) == started_anew


@pytest.mark.parametrize("due", ["soon", None, [1], 1.5])
def test_a_due_that_is_no_number_is_now(due: Any) -> None:
    """A message never waits for what cannot be read."""
    assert received({"x-fiscal-due": due}).due == 0.0


def test_other_properties_and_headers_are_dropped() -> None:
    """No expiration, death or foreign header travels along, so nothing of them can act later."""
    delivery = received(
        {"x-death": [{"count": 2}], "x-delivery-count": 5, "CC": ["other"], "big": "x" * 300_000},
        expiration="1000",
        priority=9,
        reply_to="somebody",
        message_id="theirs",
    )
    properties = delivery.properties({"x-fiscal-code": "X"})
    assert properties.headers == {"x-fiscal-code": "X"}
    assert [properties.expiration, properties.priority, properties.reply_to, properties.message_id] == [
        None
    ] * 4


@pytest.mark.parametrize(
    ("headers", "kept"),
    [
        ({"traceparent": PARENT}, {"traceparent": PARENT}),
        ({"traceparent": PARENT, "tracestate": "a=1"}, {"traceparent": PARENT, "tracestate": "a=1"}),
        ({"traceparent": PARENT, "tracestate": "a" * 513}, {"traceparent": PARENT}),
        ({"traceparent": PARENT, "tracestate": 5}, {"traceparent": PARENT}),
        ({"tracestate": "a=1"}, {}),
        ({"traceparent": "mail@example.com"}, {}),
        ({"traceparent": PARENT + "\n"}, {}),
        ({"traceparent": b"\xff"}, {}),
        ({"traceparent": None}, {}),
    ],
)
def test_only_a_well_formed_trace_travels(headers: Mapping[str, Any], kept: Mapping[str, str]) -> None:
    """W3C trace context; whatever else stands there goes into no request and no log."""
    assert received(headers, ORDERS_EXCHANGE).trace == kept


def test_a_delivery_does_not_show_its_body_or_headers() -> None:
    """Dramatiq writes the message into its log when an actor fails."""
    delivery = received({"x-fiscal-code": "SECRET"}, content_type="application/json")
    assert "order" not in repr(delivery)
    assert "SECRET" not in repr(delivery)


def test_a_very_large_header_does_not_keep_a_message_from_a_queue_of_ours(
    eventually: Eventually,
) -> None:
    """On a broker without a limit on frames Bimp may send what we could not send on: it is dropped."""
    with PrivateRabbitMQ(["frame_max = 0"]) as node:
        seen = Seen()
        declare(node.url)
        large = pika.BasicProperties(headers={"big": "x" * 300 * 1024}, delivery_mode=2)
        publish_raw(node.url, ORDERS_EXCHANGE, KEY, b"order", large)
        with Running(node.url, seen), channel(node.url) as opened:
            eventually(lambda: seen)
            [delivery] = seen.deliveries
            letter = delivery.properties({"x-fiscal-code": "INVALID_MESSAGE"})
            opened.basic_publish("", "fiscalize.dead_letters", delivery.body, letter, mandatory=True)
        eventually(lambda: node.queues()["fiscalize.dead_letters"].messages == 1)
        eventually(lambda: node.queues()["fiscalize"].messages == 0)


def test_a_wait_is_no_longer_than_it_was_given_whatever_the_clock_says() -> None:
    """The clock was set back by an hour while the message was on its way; or it was a day ahead."""
    properties = Delivery("fiscalize", b"order").rescheduled(AttemptState(first_seen=0.0), 1e9 + 5, 5.0)
    method = SimpleNamespace(exchange="", redelivered=False)
    received = Delivery.received("fiscalize.retry", method, properties, b"order")
    assert received.wait(1e9) == 5.0
    assert received.wait(1e9 + 4) == 1.0
    assert received.wait(1e9 - 3600) == 5.0
    assert received.wait(1e9 + 3600) < 0
