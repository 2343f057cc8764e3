"""The broker class on a real broker: only what is settled is acknowledged, and nothing stops the threads."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

import pytest
from pika import BasicProperties

from tests.fault_proxy import FaultProxy
from tests.rabbit.running import TOPOLOGY, Running, Seen, channel, declare, publish, rescheduled
from worker.demo.rabbitmq import PrivateRabbitMQ
from worker.demo.vhost import QueueDepth, VirtualHost
from worker.fiscal.attempt_state import AttemptState
from worker.rabbit.connection import parameters
from worker.rabbit.delivery import Delivery
from worker.rabbit.loop import Loop
from worker.rabbit.publisher import Publisher
from worker.rabbit.publishing_connection import PublishFailed
from worker.rabbit.topology import Topology

# After the broker's module, which sets how soon a lost consumer comes back.
import dramatiq  # isort: skip

Eventually = Callable[..., Any]
ORDERS = [f"order {number}".encode() for number in range(8)]


class Gate:
    """An actor: the first passes wait for ``open_first``, the others for ``open_others``."""

    def __init__(self, first: int) -> None:
        self._first = first
        self._lock = threading.Lock()
        self.entered = 0
        self.ended = 0
        self.open_first = threading.Event()
        self.open_others = threading.Event()

    def __call__(self, delivery: Delivery) -> None:
        with self._lock:
            self.entered += 1
            gate = self.open_first if self.entered <= self._first else self.open_others
        gate.wait(60)
        with self._lock:
            self.ended += 1


def waiting(delivery: Delivery) -> BasicProperties:
    """Properties of a message that is rescheduled for ten minutes."""
    return delivery.rescheduled(AttemptState(first_seen=0), time.time() + 600)


def test_a_message_is_acknowledged_when_its_actor_returned(
    vhost: VirtualHost, eventually: Eventually
) -> None:
    """While it runs, the broker keeps the message; after it, nothing is left."""
    gate = Gate(first=1)
    with Running(vhost.url, gate):
        publish(vhost.url, b"order")
        eventually(lambda: gate.entered == 1)
        assert vhost.queues()["fiscalize"] == QueueDepth(1, 0, 1, 1)
        gate.open_first.set()
        eventually(lambda: vhost.queues()["fiscalize"].messages == 0)


def test_jobs_that_outlive_their_connection_acknowledge_nothing(
    vhost: VirtualHost, eventually: Eventually
) -> None:
    """T1: jobs of a lost connection end while others have their tags on the new one; then all is cut off."""
    gate = Gate(first=4)
    with FaultProxy.before(vhost.url) as proxy:
        with Running(proxy.through(vhost.url), gate, threads=4) as running:
            publish(vhost.url, *ORDERS)
            eventually(lambda: gate.entered == 4)
            old = running.broker.consumer
            proxy.cut()
            eventually(lambda: running.broker.consumer is not old)
            eventually(lambda: vhost.queues()["fiscalize"] == QueueDepth(8, 4, 4, 1))
            gate.open_first.set()
            eventually(lambda: gate.entered == 8)
            # The jobs of the lost connection are settled; four others are under way on the new one.
            assert vhost.queues()["fiscalize"] == QueueDepth(8, 4, 4, 1)
            proxy.refuse()
            eventually(lambda: vhost.queues()["fiscalize"] == QueueDepth(8, 8, 0, 0))
            gate.open_others.set()
        assert vhost.queues()["fiscalize"] == QueueDepth(8, 8, 0, 0)


def test_jobs_that_outlive_their_connection_spoil_no_orderly_end(
    vhost: VirtualHost, eventually: Eventually
) -> None:
    """T1: a deploy right after a reconnect: what was not processed on the new connection is still there."""
    gate = Gate(first=4)
    with FaultProxy.before(vhost.url) as proxy:
        with Running(proxy.through(vhost.url), gate, threads=4) as running:
            publish(vhost.url, *ORDERS)
            eventually(lambda: gate.entered == 4)
            old = running.broker.consumer
            proxy.cut()
            eventually(lambda: running.broker.consumer is not old)
            eventually(lambda: vhost.queues()["fiscalize"].messages_unacknowledged == 4)
            running.broker.stopping.set()
            gate.open_first.set()
            eventually(lambda: gate.ended == 4)
        eventually(lambda: vhost.queues()["fiscalize"] == QueueDepth(8, 8, 0, 0))


def test_a_reschedule_that_the_broker_refuses_keeps_the_message(
    rabbitmq: PrivateRabbitMQ, vhost: VirtualHost, eventually: Eventually
) -> None:
    """T2: with a full queue nothing is acknowledged; when there is room again, it goes on by itself."""
    topology = Topology(queue_type="classic")
    publisher = Publisher(Loop(), parameters(vhost.url, "test"), topology.declare)
    refused = Seen()

    def process(delivery: Delivery) -> None:
        try:
            publisher.send("", topology.retry, delivery.body, waiting(delivery)).result()
        except PublishFailed:
            refused(delivery)
            raise

    declare(vhost.url, topology)
    rabbitmq.ctl(
        "set_policy", "-p", vhost.name, "full", ".*retry", '{"max-length":0,"overflow":"reject-publish"}'
    )
    with Running(vhost.url, process, topology=topology):
        publish(vhost.url, *ORDERS[:3])
        eventually(lambda: {*refused.bodies} == {*ORDERS[:3]})
        assert vhost.queues()["fiscalize"].messages == 3
        rabbitmq.ctl("clear_policy", "-p", vhost.name, "full")
        eventually(lambda: vhost.queues()["fiscalize"].messages == 0)
        eventually(lambda: vhost.queues()["fiscalize.retry"].messages == 3)


def test_a_memory_alarm_keeps_the_message(
    rabbitmq: PrivateRabbitMQ,
    vhost: VirtualHost,
    eventually: Eventually,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """T2: while the broker takes nothing, nothing is acknowledged; when it is over, it goes on by itself."""
    publisher = Publisher(
        Loop(), parameters(f"{vhost.url}?blocked_connection_timeout=0.3", "test"), TOPOLOGY.declare
    )
    begun, alarm, failed = threading.Event(), threading.Event(), Seen()

    def process(delivery: Delivery) -> None:
        if delivery.body == b"order":
            begun.set()
            alarm.wait(30)
        try:
            publisher.send("", TOPOLOGY.retry, delivery.body, waiting(delivery)).result()
        except PublishFailed:
            failed(delivery)
            raise

    monkeypatch.setattr("worker.rabbit.consumer.GIVE_BACK_AFTER", 0.1)
    with Running(vhost.url, process, threads=1):
        publish(vhost.url, b"before")
        eventually(lambda: vhost.queues()["fiscalize.retry"].messages == 1)
        publish(vhost.url, b"order")
        eventually(begun.is_set)
        rabbitmq.set_memory_watermark("0")
        try:
            alarm.set()
            eventually(lambda: len(failed) == 3)
            assert vhost.queues()["fiscalize"].messages == 1
        finally:
            rabbitmq.set_memory_watermark()
        eventually(lambda: vhost.queues()["fiscalize"].messages == 0)
        # The publish that met the alarm may be read when it is over; the tries after it left no copies.
        assert vhost.queues()["fiscalize.retry"].messages in (2, 3)


@pytest.mark.parametrize(
    "body",
    [
        b'{"queue_name":"elsewhere","actor_name":"fiscalize","args":[],"kwargs":{},"options":{},'
        b'"message_id":"1","message_timestamp":1}',
        b'{"queue_name":null,"actor_name":["fiscalize"],"args":null,"kwargs":null,"options":null,'
        b'"message_id":null,"message_timestamp":"x"}',
        b'{"queue_name":"fiscalize","actor_name":"fiscalize","args":[1],"kwargs":{"a":1},'
        b'"options":{"eta":99999999999999,"retries":"x","pipe_target":1},"message_id":"1","message_timestamp":1}',
        b"[" * 100_000,
        b"\x80\x04\x00not pickle",
        b"",
    ],
    ids=["foreign queue", "nulls", "options of dramatiq", "deep", "bytes", "empty"],
)
def test_a_body_is_never_read_as_an_envelope(vhost: VirtualHost, eventually: Eventually, body: bytes) -> None:
    """T4, T5: whatever a body says, it comes to the actor as bytes, and the threads go on."""
    seen = Seen()
    with Running(vhost.url, seen, threads=2) as running:
        publish(vhost.url, *[body] * 5, b"good")
        eventually(lambda: len(seen) == 6)
        assert sorted(seen.bodies) == sorted([body] * 5 + [b"good"])
        assert running.threads_alive == 2
        assert running.broker.is_consuming
        eventually(lambda: vhost.queues()["fiscalize"].messages == 0)


def test_headers_of_dramatiq_mean_nothing(vhost: VirtualHost, eventually: Eventually) -> None:
    """T4, T5: a header cannot name a queue, an actor or an option either."""
    seen = Seen()
    headers = {"queue_name": "x", "options": None, "actor_name": ["a"], "eta": 2**62, "x-death": [{"n": 7}]}
    with Running(vhost.url, seen, threads=2) as running:
        publish(vhost.url, b"order", headers=headers)
        eventually(lambda: seen)
        assert seen.deliveries[0] == Delivery("fiscalize", b"order")
        assert running.threads_alive == 2


def test_a_fault_of_ours_in_the_loop_costs_the_connections_and_no_message(
    vhost: VirtualHost, eventually: Eventually
) -> None:
    """Whatever broke: both connections are replaced, and what was under way comes again."""

    def breaks() -> None:
        raise RuntimeError("a fault of ours")

    gate = Gate(first=1)
    with Running(vhost.url, gate, threads=2) as running:
        publisher = Publisher(running.loop, parameters(vhost.url, "test"), TOPOLOGY.declare)
        publisher.send("", TOPOLOGY.retry, b"before", waiting(Delivery("", b""))).result()
        publish(vhost.url, b"order")
        eventually(lambda: gate.entered == 1)
        old = running.broker.consumer
        running.loop.soon(breaks)
        eventually(lambda: running.broker.consumer is not old and running.broker.is_consuming)
        gate.open_others.set()
        eventually(lambda: gate.ended == 1)
        publisher.send("", TOPOLOGY.retry, b"after", waiting(Delivery("", b""))).result()
        gate.open_first.set()
        eventually(lambda: vhost.queues()["fiscalize"].messages == 0)
        assert vhost.queues()["fiscalize.retry"].messages == 2


class Breaks(dramatiq.Middleware):
    """A middleware of which one hook breaks."""

    def __init__(self, hook: str) -> None:
        self.broke = 0
        setattr(self, hook, self._break)

    def _break(self, *_: object, **__: object) -> None:
        self.broke += 1
        if self.broke == 1:
            raise TypeError("retries: 'x'")


def test_an_error_in_the_hook_that_settles_leaves_the_message(
    vhost: VirtualHost, eventually: Eventually, monkeypatch: pytest.MonkeyPatch
) -> None:
    """T6: Dramatiq logs what a hook raises and goes on to acknowledge; here the message comes again."""
    from worker.rabbit.broker import SettledOnly

    real = SettledOnly.after_process_message
    broken: list[bool] = []

    def breaks_once(self: SettledOnly, *arguments: Any, **named: Any) -> None:
        if not broken:
            broken.append(True)
            raise TypeError("retries: 'x'")
        real(self, *arguments, **named)

    monkeypatch.setattr(SettledOnly, "after_process_message", breaks_once)
    monkeypatch.setattr("worker.rabbit.consumer.GIVE_BACK_AFTER", 0.1)
    seen = Seen()
    with Running(vhost.url, seen):
        publish(vhost.url, b"order")
        eventually(lambda: len(seen) == 2)
        assert [delivery.redelivered for delivery in seen.deliveries] == [False, True]
        eventually(lambda: vhost.queues()["fiscalize"].messages == 0)


@pytest.mark.parametrize("hook", ["before_process_message", "before_ack", "after_ack"])
def test_an_error_in_another_hook_stops_nothing(
    vhost: VirtualHost, eventually: Eventually, hook: str
) -> None:
    """T6: the pass goes on, and its message is settled once."""
    seen = Seen()
    running = Running(vhost.url, seen)
    breaks = Breaks(hook)
    running.broker.add_middleware(breaks)
    with running:
        publish(vhost.url, b"order")
        eventually(lambda: vhost.queues()["fiscalize"].messages == 0 and seen)
        assert breaks.broke
        assert len(seen) == 1


def test_an_actor_that_raised_has_not_settled(
    vhost: VirtualHost, eventually: Eventually, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Given back after a pause, not rejected: it comes again and nothing else is kept waiting."""
    monkeypatch.setattr("worker.rabbit.consumer.GIVE_BACK_AFTER", 0.3)
    seen = Seen()

    def process(delivery: Delivery) -> None:
        seen(delivery)
        if delivery.body == b"bad" and not delivery.redelivered:
            raise PublishFailed("the broker refused")

    with Running(vhost.url, process, threads=2):
        publish(vhost.url, b"bad", b"good")
        eventually(lambda: len(seen) == 3)
        assert seen.bodies[2] == b"bad"
        assert seen.times[2] - seen.times[0] >= 0.3
        eventually(lambda: vhost.queues()["fiscalize"].messages == 0)


def test_what_comes_back_goes_before_what_is_new(vhost: VirtualHost, eventually: Eventually) -> None:
    """A receipt that is long done does not wait for the backlog."""
    gate = threading.Event()
    seen = Seen()

    def process(delivery: Delivery) -> None:
        if delivery.body == b"first":
            gate.wait(30)
        seen(delivery)

    with Running(vhost.url, process, threads=1) as running:
        publish(vhost.url, b"first")
        eventually(lambda: running.broker.passes.under_way == 1)
        publish(vhost.url, b"new")
        eventually(lambda: vhost.queues()["fiscalize"].messages == 2)
        rescheduled(vhost.url, TOPOLOGY.retry, b"again", time.time())
        rescheduled(vhost.url, TOPOLOGY.follow_up, b"follow-up", time.time())
        eventually(lambda: running.broker.passes.waiting == 2)
        gate.set()
        eventually(lambda: len(seen) == 4)
    assert seen.bodies == [b"first", b"follow-up", b"again", b"new"]


def test_a_pass_that_hangs_keeps_none_waiting(vhost: VirtualHost, eventually: Eventually) -> None:
    """Of two threads one is a reserve: it works while the other one's pass is slow, and only then."""
    gate = Gate(first=1)
    with Running(vhost.url, gate, threads=2, at_once=1) as running:
        publish(vhost.url, b"hangs")
        eventually(lambda: gate.entered == 1)
        publish(vhost.url, b"quick", b"another")
        gate.open_others.set()
        eventually(lambda: gate.ended == 2)
        assert running.broker.passes.under_way == 1
        gate.open_first.set()
        eventually(lambda: gate.ended == 3)


def test_what_arrives_does_not_defer_the_reserve(vhost: VirtualHost, eventually: Eventually) -> None:
    """Messages that are not due yet come in faster than the consumer looks."""
    gate = Gate(first=1)
    gate.open_others.set()
    with Running(vhost.url, gate, threads=2, at_once=1, tick=1000) as running:
        publish(vhost.url, b"hangs")
        eventually(lambda: gate.entered == 1)
        publish(vhost.url, b"quick")
        with channel(vhost.url) as way:

            def arrives() -> bool:
                way.basic_publish("", TOPOLOGY.retry, b"later", waiting(Delivery("", b"later")))
                return gate.ended == 1

            eventually(arrives)
        assert running.broker.passes.under_way == 1
        gate.open_first.set()


def test_a_halted_worker_consumes_nothing_and_goes_on_when_resumed(
    vhost: VirtualHost, eventually: Eventually
) -> None:
    """The stop limit: consumption ends, what is held or waits in memory goes back, a pass under way ends."""
    halted = threading.Event()
    gate = Gate(first=1)
    with Running(vhost.url, gate, threads=1, is_halted=halted.is_set) as running:
        publish(vhost.url, b"under way")
        eventually(lambda: gate.entered == 1)
        publish(vhost.url, b"new")
        rescheduled(vhost.url, TOPOLOGY.follow_up, b"due", time.time())
        rescheduled(vhost.url, TOPOLOGY.follow_up, b"held", time.time() + 600)
        eventually(lambda: running.held == 1 and running.broker.passes.waiting == 1)
        halted.set()
        assert not running.broker.is_consuming
        gate.open_first.set()
        eventually(lambda: vhost.queues()["fiscalize"] == QueueDepth(1, 1, 0, 0))
        eventually(lambda: vhost.queues()["fiscalize.follow_up"] == QueueDepth(2, 2, 0, 0))
        assert gate.entered == 1
        assert running.held == 0
        halted.clear()
        gate.open_others.set()
        eventually(lambda: gate.ended == 3)
        eventually(lambda: vhost.queues()["fiscalize.follow_up"] == QueueDepth(1, 0, 1, 1))
        assert running.held == 1
        assert running.broker.is_consuming


def test_at_the_end_passes_finish_and_the_rest_goes_back(vhost: VirtualHost, eventually: Eventually) -> None:
    """An orderly stop acknowledges what was settled to the last, and gives back what it had not begun."""
    gate = Gate(first=2)
    running = Running(vhost.url, gate, threads=2)
    with running:
        publish(vhost.url, *ORDERS)
        rescheduled(vhost.url, TOPOLOGY.follow_up, b"held", time.time() + 600)
        eventually(lambda: gate.entered == 2 and running.held == 1)
        running.broker.stopping.set()
        gate.open_first.set()
        gate.open_others.set()
    assert gate.ended == 2
    eventually(lambda: vhost.queues()["fiscalize"] == QueueDepth(6, 6, 0, 0))
    eventually(lambda: vhost.queues()["fiscalize.follow_up"] == QueueDepth(1, 1, 0, 0))


def test_the_longest_pass_is_known(vhost: VirtualHost, eventually: Eventually) -> None:
    """What the heartbeat judges a stuck thread by: it grows with a pass, and is 0 without one."""
    gate = Gate(first=1)
    with Running(vhost.url, gate) as running:
        assert running.broker.passes.longest == 0.0
        publish(vhost.url, b"order")
        eventually(lambda: running.broker.passes.longest > 0.05)
        gate.open_first.set()
        eventually(lambda: running.broker.passes.longest == 0.0)


def test_a_worker_that_starts_before_the_broker_waits_for_it(
    vhost: VirtualHost, eventually: Eventually
) -> None:
    """Threads wait in silence, and consume as soon as it is there."""
    seen = Seen()
    declare(vhost.url)
    publish(vhost.url, b"order")
    with FaultProxy.before(vhost.url) as proxy:
        proxy.refuse()
        running = Running(proxy.through(vhost.url), seen)
        running.worker.start()
        assert not running.broker.is_consuming
        proxy.resume()
        eventually(lambda: seen)
        eventually(lambda: running.broker.is_consuming)
        running.worker.stop()


def test_a_worker_may_end_while_the_broker_is_away(vhost: VirtualHost) -> None:
    """Nobody waits for a connection that will not come."""
    with FaultProxy.before(vhost.url) as proxy:
        proxy.refuse()
        running = Running(proxy.through(vhost.url), Seen())
        running.worker.start()
        running.worker.stop(timeout=10_000)
        assert not any(consumer.is_alive() for consumer in running.worker.consumers.values())


def test_it_has_no_middleware_but_its_own(vhost: VirtualHost) -> None:
    """T2, T9, T11: no Retries, AgeLimit or TimeLimit of Dramatiq's decides over a message."""
    broker = Running(vhost.url, Seen()).broker
    assert [type(middleware).__name__ for middleware in broker.middleware] == ["SettledOnly"]
    assert broker.get_declared_delay_queues() == set()


def test_a_lost_consumer_does_not_wait_for_dramatiq(vhost: VirtualHost, eventually: Eventually) -> None:
    """Which would make another one after three seconds; its consumer outlives the connection."""
    with FaultProxy.before(vhost.url) as proxy, Running(proxy.through(vhost.url), Seen()) as running:
        of_dramatiq = [thread.consumer for thread in running.worker.consumers.values()]
        lost = running.broker.consumer
        proxy.cut()
        eventually(lambda: running.broker.consumer is not lost and running.broker.is_consuming)
        assert [thread.consumer for thread in running.worker.consumers.values()] == of_dramatiq
