"""The fleet is counted by the broker, so that a register's rate is shared by all its processes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from tests.fault_proxy import FaultProxy
from tests.rabbit.running import TOPOLOGY, Running, Seen, channel, declare
from worker.demo.vhost import VirtualHost
from worker.rabbit.connection import parameters
from worker.rabbit.fleet import Fleet

Eventually = Callable[..., Any]


@pytest.fixture
def proxy(vhost: VirtualHost) -> Iterator[FaultProxy]:
    with FaultProxy.before(vhost.url) as proxy:
        yield proxy


def fleet(url: str, at_least: int = 1) -> Fleet:
    return Fleet(parameters(url, "test"), TOPOLOGY.queue, at_least)


def test_processes_of_other_deployments_are_counted(vhost: VirtualHost) -> None:
    """Each process consumes the queue once."""
    counting = fleet(vhost.url)
    with ExitStack() as running:
        for processes in (1, 2, 3):
            running.enter_context(Running(vhost.url, Seen(), threads=1))
            counting.count()
            assert counting.processes == processes
    counting.count()
    assert counting.processes == 1
    counting.close()


def test_it_is_never_less_than_what_this_worker_starts(vhost: VirtualHost) -> None:
    """While its own processes are still connecting, none of them takes the others' share."""
    declare(vhost.url)
    counting = fleet(vhost.url, at_least=4)
    assert counting.processes == 4
    counting.count()
    assert counting.processes == 4
    counting.close()


def test_the_last_count_stands_while_the_broker_is_away(vhost: VirtualHost, proxy: FaultProxy) -> None:
    """An outage must not give every process the whole rate; afterwards it counts again."""
    counting = fleet(proxy.through(vhost.url))
    with Running(vhost.url, Seen(), threads=1), Running(vhost.url, Seen(), threads=1):
        counting.count()
        proxy.refuse()
        counting.count()
        counting.count()
        assert counting.processes == 2
        proxy.resume()
        with Running(vhost.url, Seen(), threads=1):
            counting.count()
            assert counting.processes == 3
    counting.close()


def test_a_queue_that_is_not_there_yet_stops_nothing(vhost: VirtualHost) -> None:
    """It is declared by whoever consumes it."""
    counting = fleet(vhost.url)
    counting.count()
    assert counting.processes == 1
    declare(vhost.url)
    with Running(vhost.url, Seen(), threads=1), Running(vhost.url, Seen(), threads=1):
        counting.count()
        assert counting.processes == 2
    with channel(vhost.url) as opened:
        opened.queue_delete(TOPOLOGY.queue)
    counting.count()
    counting.close()
