"""What a process holds: it hides nothing that is due, and takes no more memory than it may."""

from __future__ import annotations

import gc
import os
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pika
import pytest

from tests.rabbit.running import KEY, TOPOLOGY, Running, Seen, channel, declare, rescheduled
from worker.demo.vhost import VirtualHost
from worker.rabbit.delivery import Delivery
from worker.rabbit.held import waiting_for
from worker.rabbit.held_messages import ROOM, ROOM_AT_WORK, Unloaded
from worker.rabbit.topology import ORDERS_EXCHANGE

Eventually = Callable[..., Any]
#: Nearly the longest body that is taken.
LARGE = 900 * 1024


def resident() -> int:
    """Bytes of this process in memory."""
    gc.collect()
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def publish_all(url: str, queue: str, bodies: list[bytes], due: float) -> None:
    """Many messages of ours that wait, on one channel."""
    properties = pika.BasicProperties(delivery_mode=2, headers={"x-fiscal-due": int(due * 1000)})
    with channel(url) as opened:
        for body in bodies:
            opened.basic_publish("", queue, body, properties, mandatory=True)


def a_large_body(number: int) -> bytes:
    return b'{"id":"request-%d","data":{"order":{"docNumber":"%d"}},"x":"%s"}' % (
        number,
        number,
        b"x" * LARGE,
    )


@pytest.mark.parametrize("queue", [TOPOLOGY.follow_up, TOPOLOGY.retry])
def test_thousands_that_wait_hide_none_that_is_due(
    vhost: VirtualHost, eventually: Eventually, queue: str
) -> None:
    """Three thousand came first and are due in ten minutes; the one behind them comes on time."""
    seen = Seen()
    declare(vhost.url)
    publish_all(vhost.url, queue, [b"late %d" % n for n in range(3000)], time.time() + 600)
    with Running(vhost.url, seen) as running:
        rescheduled(vhost.url, queue, b"soon", time.time() + 0.2)
        eventually(lambda: seen)
        eventually(lambda: running.held == 3000)
    assert seen.bodies == [b"soon"]


def test_what_waits_is_bounded_in_bytes(vhost: VirtualHost, eventually: Eventually) -> None:
    """A hundred and twenty large ones: some are held whole, the others by their tags."""
    declare(vhost.url)
    bodies = [a_large_body(number) for number in range(120)]
    publish_all(vhost.url, TOPOLOGY.follow_up, bodies, time.time() + 600)
    before = resident()
    with Running(vhost.url, Seen()) as running:
        eventually(lambda: running.held == 120)
        assert resident() - before < ROOM + 24 * 1024 * 1024
        assert 0 < sum(isinstance(one, Unloaded) for one in running.broker.waiting) < 120
        for number in (0, 119):  # what a person asks is answered for both kinds
            [row] = waiting_for(running.broker, str(number))
            assert (row["queue"], row["request"]) == (TOPOLOGY.follow_up, f"request-{number}")


def test_what_was_held_without_its_body_comes_back_whole(
    vhost: VirtualHost, eventually: Eventually, monkeypatch: pytest.MonkeyPatch
) -> None:
    """When it is due and not before, each once."""
    monkeypatch.setattr("worker.rabbit.held_messages.ROOM", 0)
    seen = Seen()
    bodies = [a_large_body(number) for number in range(40)]
    declare(vhost.url)
    due = time.time() + 4
    publish_all(vhost.url, TOPOLOGY.follow_up, bodies, due)
    with Running(vhost.url, seen):
        eventually(lambda: len(seen) == 40)
        eventually(lambda: vhost.queues()[TOPOLOGY.follow_up].messages == 0)
    assert min(seen.times) > due - 0.01
    assert sorted(seen.bodies) == sorted(bodies)


def test_new_messages_that_wait_for_a_thread_are_bounded_in_bytes(
    vhost: VirtualHost, eventually: Eventually
) -> None:
    """A prefetch of a hundred and more large ones while the only thread is busy; each is worked on once."""
    gate, seen = threading.Event(), Seen()
    bodies = [a_large_body(number) for number in range(100)]

    def process(delivery: Delivery) -> None:
        gate.wait(30)
        seen(delivery)

    before = resident()
    with Running(vhost.url, process, threads=1, room=200) as running:
        with channel(vhost.url) as opened:
            for body in bodies:
                opened.basic_publish(ORDERS_EXCHANGE, KEY, body, pika.BasicProperties(), mandatory=True)
        eventually(lambda: running.held > 70)
        assert resident() - before < ROOM_AT_WORK + 24 * 1024 * 1024
        gate.set()
        eventually(lambda: vhost.queues()[TOPOLOGY.queue].messages == 0)
    assert sorted(seen.bodies) == sorted(bodies)


def test_one_message_larger_than_all_room_is_worked_on(
    vhost: VirtualHost, eventually: Eventually, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Room bounds what comes beside it, and never stops the worker."""
    monkeypatch.setattr("worker.rabbit.held_messages.ROOM_AT_WORK", 10)
    seen = Seen()
    with Running(vhost.url, seen, threads=4):
        for number in range(5):
            rescheduled(vhost.url, TOPOLOGY.retry, b"order %d" % number, time.time())
        eventually(lambda: len(seen) == 5)
        eventually(lambda: vhost.queues()[TOPOLOGY.retry].messages == 0)
