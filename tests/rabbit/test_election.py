"""One process of the fleet does the chores; its loss is noticed, and another takes over."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing
from typing import Any

import pytest

from tests.fault_proxy import FaultProxy
from worker.demo.vhost import VirtualHost
from worker.rabbit.connection import parameters
from worker.rabbit.election import Election
from worker.rabbit.topology import Topology

Eventually = Callable[..., Any]
QUEUE = Topology().chores


class Clock:
    """Monotonic seconds, moved by the test alone."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def proxy(vhost: VirtualHost) -> Iterator[FaultProxy]:
    with FaultProxy.before(vhost.url) as proxy:
        yield proxy


def candidate(url: str, clock: Clock, heartbeat: int = 5) -> closing[Election]:
    return closing(Election(parameters(url, "test"), QUEUE, clock, heartbeat))


def tried(election: Election, clock: Clock) -> bool:
    """Whether it is elected after a round, long after the last one."""
    clock.now += 30
    election.round()
    return election.is_elected


def test_one_is_elected_and_another_follows_it(vhost: VirtualHost) -> None:
    """However often the others ask; one that ends lets the next one be elected at once."""
    clock = Clock()
    with candidate(vhost.url, clock) as first, candidate(vhost.url, clock) as second:
        assert not first.is_elected
        assert tried(first, clock)
        assert not tried(second, clock)
        assert not tried(second, clock)
        assert tried(first, clock)
        first.close()
        assert not first.is_elected
        assert tried(second, clock)


def test_a_frozen_process_stops_before_another_is_elected(vhost: VirtualHost) -> None:
    """A result holds for less time than the broker needs to drop a connection that is silent."""
    clock = Clock()
    with candidate(vhost.url, clock) as frozen:
        assert tried(frozen, clock)
        clock.now += 7
        assert frozen.is_elected
        clock.now += 3
        assert not frozen.is_elected
        frozen.round()
        assert frozen.is_elected


def test_a_lost_connection_is_noticed_on_both_sides(
    vhost: VirtualHost, proxy: FaultProxy, eventually: Eventually
) -> None:
    """A network that is gone without a word: the broker misses heartbeats, the process misses an answer."""
    clock = Clock()
    with (
        candidate(proxy.through(vhost.url), clock, heartbeat=1) as cut_off,
        candidate(vhost.url, clock) as other,
    ):
        assert tried(cut_off, clock)
        proxy.stall()
        eventually(lambda: tried(other, clock))
        assert not cut_off.is_elected
        proxy.resume()
        assert not tried(cut_off, clock)
        assert tried(other, clock)
