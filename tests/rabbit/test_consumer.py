"""The consumer on a real broker: what waits is held and comes on time; whatever happens, it comes back."""

from __future__ import annotations

import itertools
import statistics
import struct
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pika
import pytest

from tests.fault_proxy import FaultProxy
from tests.rabbit.raw_amqp import publish_raw
from tests.rabbit.running import KEY, TOPOLOGY, Running, Seen, channel, publish, rescheduled
from worker.demo.rabbitmq import PrivateRabbitMQ
from worker.demo.vhost import QueueDepth, VirtualHost
from worker.fiscal.attempt_state import AttemptState
from worker.rabbit.delivery import Delivery
from worker.rabbit.message.reading import read
from worker.rabbit.publishing_connection import PublishFailed
from worker.rabbit.topology import ORDERS_EXCHANGE

Eventually = Callable[..., Any]
EXAMPLE = Path(__file__).parents[2] / "docs" / "examples" / "valid" / "one_line_card.json"
REQUEST = read(EXAMPLE.read_bytes())


def test_held_messages_come_in_the_order_in_which_they_are_due(
    vhost: VirtualHost, eventually: Eventually
) -> None:
    """Not in that of their arrival, and each within 100 ms, though consumers look once a second."""
    seen = Seen()
    with Running(vhost.url, seen, tick=1000) as running:
        start = time.time() + 1.5
        dues = {f"order {n}".encode(): start + n * 0.15 for n in range(8)}
        for body in sorted(dues, key=hash):
            rescheduled(vhost.url, TOPOLOGY.follow_up, body, dues[body])
        eventually(lambda: len(seen) == 8)
    assert seen.bodies == list(dues)
    late = [at - dues[body] for at, body in zip(seen.times, seen.bodies, strict=True)]
    assert min(late) > -0.002  # the header is in whole milliseconds
    assert statistics.median(late) < 0.1
    assert max(late) < 0.5  # on a machine that is busy with other things
    assert running.held == 0


def test_a_held_message_is_not_acknowledged(vhost: VirtualHost, eventually: Eventually) -> None:
    """It stays the broker's until its outcome is confirmed."""
    with Running(vhost.url, Seen()) as running:
        rescheduled(vhost.url, TOPOLOGY.retry, b"order", time.time() + 600)
        eventually(lambda: running.held == 1)
        assert vhost.queues()["fiscalize.retry"] == QueueDepth(1, 0, 1, 1)
    eventually(lambda: vhost.queues()["fiscalize.retry"] == QueueDepth(1, 1, 0, 0))


def test_what_a_pass_keeps_in_hand_is_worked_on_again(vhost: VirtualHost, eventually: Eventually) -> None:
    """When it is due and without another delivery; until then it is the broker's, unacknowledged."""
    seen = Seen()

    def process(delivery: Delivery) -> Delivery | None:
        seen(delivery)
        return None if delivery.is_kept else kept(delivery, time.time() + 0.5)

    with Running(vhost.url, process, tick=5000, room=1) as running:
        publish(vhost.url, b"order")
        eventually(lambda: running.broker.waiting)
        assert not running.broker.has_room()
        assert vhost.queues()[TOPOLOGY.queue] == QueueDepth(1, 0, 1, 1)
        eventually(lambda: len(seen) == 2, timeout=3)
        eventually(lambda: vhost.queues()[TOPOLOGY.queue].messages == 0)
        assert running.broker.has_room()
    assert [delivery.redelivered for delivery in seen.deliveries] == [False, False]
    assert 0.5 <= seen.times[1] - seen.times[0] < 1.5


def test_what_was_in_hand_comes_back_as_redelivered(vhost: VirtualHost, eventually: Eventually) -> None:
    """The process lost its connection: what the pass had left is gone, and the message says so."""
    seen = Seen()

    def process(delivery: Delivery) -> Delivery:
        seen(delivery)
        return kept(delivery, time.time() + 600)

    with FaultProxy.before(vhost.url) as proxy, Running(proxy.through(vhost.url), process, room=9) as running:
        publish(vhost.url, b"order")
        eventually(lambda: running.broker.waiting)
        proxy.cut()
        eventually(lambda: len(seen) == 2)
    again = seen.deliveries[1]
    assert (again.redelivered, again.is_kept, again.attempt_state(0).look_up_first) == (True, False, True)
    eventually(lambda: vhost.queues()[TOPOLOGY.queue] == QueueDepth(1, 1, 0, 0))


def test_a_message_is_acknowledged_when_its_outcome_is_confirmed(
    vhost: VirtualHost, eventually: Eventually, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The thread has long gone on; an outcome that the broker does not confirm gives the message back."""
    monkeypatch.setattr("worker.rabbit.consumer.GIVE_BACK_AFTER", 0.1)
    outcomes: dict[bytes, Future[None]] = {b"good": Future(), b"bad": Future()}
    seen = Seen()

    def process(delivery: Delivery) -> Future[None] | None:
        seen(delivery)
        return None if delivery.redelivered else outcomes[delivery.body]

    with Running(vhost.url, process, threads=1):
        publish(vhost.url, b"good")
        eventually(lambda: len(seen) == 1)
        assert vhost.queues()[TOPOLOGY.queue] == QueueDepth(1, 0, 1, 1)
        outcomes[b"good"].set_result(None)
        eventually(lambda: vhost.queues()[TOPOLOGY.queue].messages == 0)
        publish(vhost.url, b"bad")
        eventually(lambda: len(seen) == 2)
        outcomes[b"bad"].set_exception(PublishFailed("not confirmed"))
        eventually(lambda: len(seen) == 3)
        eventually(lambda: vhost.queues()[TOPOLOGY.queue].messages == 0)
    assert [(delivery.body, delivery.redelivered) for delivery in seen.deliveries] == [
        (b"good", False),
        (b"bad", False),
        (b"bad", True),
    ]


def test_the_end_waits_for_confirms_on_their_way(vhost: VirtualHost, eventually: Eventually) -> None:
    """An orderly stop leaves no message behind whose outcome is told."""
    outcome: Future[None] = Future()
    seen = Seen()

    def process(delivery: Delivery) -> Future[None]:
        seen(delivery)
        return outcome

    with Running(vhost.url, process):
        publish(vhost.url, b"order")
        eventually(lambda: seen)
        threading.Timer(0.5, outcome.set_result, [None]).start()
    assert vhost.queues()[TOPOLOGY.queue] == QueueDepth(0, 0, 0, 0)


def kept(delivery: Delivery, due: float) -> Delivery:
    """As a pass that waits for a receipt's number leaves it."""
    return delivery.kept_in_flight(AttemptState(first_seen=0.0, looks=1), REQUEST, due)


def test_held_messages_outlive_their_connection(vhost: VirtualHost, eventually: Eventually) -> None:
    """Held on the next connection, each once, and due when it was."""
    seen = Seen()
    with FaultProxy.before(vhost.url) as proxy, Running(proxy.through(vhost.url), seen) as running:
        due = time.time() + 6
        for n in range(20):
            rescheduled(vhost.url, TOPOLOGY.follow_up, f"order {n}".encode(), due)
        eventually(lambda: running.held == 20)
        old = running.broker.consumer
        proxy.cut()
        eventually(lambda: running.broker.consumer is not old and running.held == 20)
        assert not seen
        eventually(lambda: vhost.queues()["fiscalize.follow_up"].messages == 0)
    assert sorted(seen.bodies) == sorted(f"order {n}".encode() for n in range(20))
    assert all(due - 0.002 < at < due + 3 for at in seen.times)
    assert all(delivery.redelivered for delivery in seen.deliveries)


def test_a_long_wait_hides_no_short_one(vhost: VirtualHost, eventually: Eventually) -> None:
    """What is due later and came first does not stand in the way."""
    seen = Seen()
    with Running(vhost.url, seen) as running:
        for n in range(50):
            rescheduled(vhost.url, TOPOLOGY.follow_up, f"late {n}".encode(), time.time() + 600)
        eventually(lambda: running.held == 50)
        rescheduled(vhost.url, TOPOLOGY.follow_up, b"soon", time.time() + 0.2)
        eventually(lambda: seen)
    assert seen.bodies == [b"soon"]


class SetClock:
    """The machine's clock, as somebody has set it: ``by`` seconds off."""

    def __init__(self, real: Callable[[], float]) -> None:
        self._real = real
        self.by = 0.0

    def __call__(self) -> float:
        return self._real() + self.by


def test_a_clock_that_is_set_back_makes_nobody_wait(vhost: VirtualHost, eventually: Eventually) -> None:
    """What is here waits by the monotonic clock: off its queue, and kept in flight after a pass."""
    clock = SetClock(time.time)
    seen = Seen()

    def process(delivery: Delivery) -> Delivery | None:
        seen(delivery)
        return kept(delivery, clock() + 1) if delivery.body == b"new" and not delivery.is_kept else None

    with Running(vhost.url, process, room=1, clock=clock) as running:
        rescheduled(vhost.url, TOPOLOGY.retry, b"retry", time.time() + 1)
        publish(vhost.url, b"new")
        eventually(lambda: running.held == 2)
        clock.by = -3600
        eventually(lambda: len(seen) == 3)
    assert sorted(seen.bodies) == [b"new", b"new", b"retry"]


def test_a_clock_that_is_set_forward_hurries_nobody(vhost: VirtualHost, eventually: Eventually) -> None:
    """An hour at once is no hour for Checkbox, which asked to be left alone for a while."""
    clock = SetClock(time.time)
    seen = Seen()
    with Running(vhost.url, seen, clock=clock) as running:
        rescheduled(vhost.url, TOPOLOGY.retry, b"later", time.time() + 60)
        eventually(lambda: running.held == 1)
        clock.by = 3600
        rescheduled(vhost.url, TOPOLOGY.follow_up, b"soon", clock() + 0.5)
        eventually(lambda: seen)
        assert running.held == 1
    assert seen.bodies == [b"soon"]


def test_nothing_waits_longer_than_the_worker_ever_puts_off(
    vhost: VirtualHost, eventually: Eventually
) -> None:
    """A pod whose clock was a day ahead has put an order off until tomorrow: it comes in ten minutes."""
    monotonic = SetClock(time.monotonic)
    seen = Seen()
    with Running(vhost.url, seen, monotonic=monotonic) as running:
        rescheduled(vhost.url, TOPOLOGY.retry, b"tomorrow", time.time() + 86_400)
        eventually(lambda: running.held == 1)
        monotonic.by = 590
        rescheduled(vhost.url, TOPOLOGY.retry, b"now", time.time())
        eventually(lambda: seen.bodies == [b"now"])
        monotonic.by = 601
        eventually(lambda: seen.bodies == [b"now", b"tomorrow"])


def test_what_is_refused_again_and_again_comes_back_ever_later(
    vhost: VirtualHost, eventually: Eventually, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The wait grows with the time that nothing was taken, up to a minute, and is short again afterwards."""
    monkeypatch.setattr("worker.rabbit.consumer.GIVE_BACK_AFTER", 0.1)
    seen = Seen()

    def process(delivery: Delivery) -> None:
        seen(delivery)
        if delivery.body == b"bad":
            raise PublishFailed("the broker takes nothing")

    with Running(vhost.url, process, threads=1):
        publish(vhost.url, b"bad")
        eventually(lambda: len(seen) == 6)
    waits = [later - earlier for earlier, later in itertools.pairwise(seen.times)]
    assert all(wait >= 0.1 for wait in waits)
    assert waits[4] > 3 * waits[0]


def test_a_deleted_queue_is_made_and_consumed_again(vhost: VirtualHost, eventually: Eventually) -> None:
    """The broker cancels the consumer and says nothing else; it must not wait for messages for ever."""
    seen = Seen()
    with Running(vhost.url, seen):
        with channel(vhost.url) as opened:
            opened.queue_delete(TOPOLOGY.queue)
        eventually(lambda: vhost.queues().get(TOPOLOGY.queue, QueueDepth(0, 0, 0, 0)).consumers == 1)
        publish(vhost.url, b"order")
        eventually(lambda: seen)


def test_a_channel_that_the_broker_closed_is_replaced(
    rabbitmq: PrivateRabbitMQ, vhost: VirtualHost, eventually: Eventually
) -> None:
    """T7: its acknowledgement time-out closes the channel, not the connection; the consumer starts anew."""
    rabbitmq.evaluate(_TIMEOUT.format(milliseconds=1000, tick=300))
    try:
        with Running(vhost.url, Seen()) as running:
            rescheduled(vhost.url, TOPOLOGY.retry, b"order", time.time() + 600)
            eventually(lambda: running.held == 1)
            old = running.broker.consumer
            eventually(lambda: running.broker.consumer is not old and running.broker.is_consuming)
            eventually(lambda: running.held == 1)
    finally:
        rabbitmq.evaluate(_TIMEOUT.format(milliseconds=1_800_000, tick=60_000))


_TIMEOUT = """
application:set_env(rabbit, consumer_timeout, {milliseconds}),
application:set_env(rabbit, channel_tick_interval, {tick})
"""


@pytest.mark.parametrize(
    "time",
    [struct.pack(">Q", 1_764_000_000_000), b"\xff" * 8],
    ids=["milliseconds for seconds", "end of time"],
)
def test_a_header_that_cannot_be_read_stops_nothing(
    vhost: VirtualHost, eventually: Eventually, time: bytes
) -> None:
    """T5: pika breaks off at it, and would at each redelivery: the message comes without its headers."""
    sent = datetime(2026, 1, 1, tzinfo=UTC)
    properties = pika.BasicProperties(headers={"sent": sent}, delivery_mode=2)
    written = b"T" + struct.pack(">Q", int(sent.timestamp()))
    seen = Seen()
    with Running(vhost.url, seen, threads=2) as running:
        publish_raw(
            vhost.url, ORDERS_EXCHANGE, KEY, b"bad", properties, lambda f: f.replace(written, b"T" + time)
        )
        publish(vhost.url, b"good", headers={"sent": sent})
        eventually(lambda: len(seen) == 2, timeout=5)
        assert seen.bodies == [b"bad", b"good"]
        assert running.threads_alive == 2
        eventually(lambda: vhost.queues()["fiscalize"].messages == 0)


def test_names_that_are_no_text_stop_nothing(vhost: VirtualHost, eventually: Eventually) -> None:
    """Bytes that are not UTF-8, as a header's name or as the content type."""
    seen = Seen()
    with Running(vhost.url, seen), channel(vhost.url) as opened:
        strange: Any = {b"\xff\xfe": "x", "\u00e4": "y"}
        properties = pika.BasicProperties(content_type=b"\xff\xfe", headers=strange, delivery_mode=2)
        opened.basic_publish(ORDERS_EXCHANGE, KEY, b"order", properties, mandatory=True)
        opened.basic_publish("", TOPOLOGY.queue, b"order", properties, mandatory=True)
        eventually(lambda: len(seen) == 2, timeout=5)
