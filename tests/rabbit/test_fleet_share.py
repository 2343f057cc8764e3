"""What part of a register's rate a worker's processes take: after a start, and when others come and go."""

from __future__ import annotations

from contextlib import ExitStack

from tests.rabbit.running import TOPOLOGY, Running, Seen
from worker.demo.vhost import VirtualHost
from worker.rabbit.connection import parameters
from worker.rabbit.fleet import Fleet


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


def fleet(url: str, clock: Clock, at_least: int = 1) -> Fleet:
    return Fleet(parameters(url, "test"), TOPOLOGY.queue, at_least, clock)


def test_a_lone_process_takes_nothing_until_it_knows_that_it_is_alone(vhost: VirtualHost) -> None:
    """One count with itself among the consumers is enough."""
    clock = Clock()
    counting = fleet(vhost.url, clock)
    assert counting.share == 0
    with Running(vhost.url, Seen(), threads=1):
        counting.count()
        assert counting.share == 1
    counting.close()


def test_a_process_that_finds_another_lets_it_notice_first(vhost: VirtualHost) -> None:
    """The other one still gives a register the whole rate, for as long as it has not counted anew."""
    clock = Clock()
    first, second = fleet(vhost.url, clock), fleet(vhost.url, clock)
    with ExitStack() as running:
        running.enter_context(Running(vhost.url, Seen(), threads=1))
        first.count()
        running.enter_context(Running(vhost.url, Seen(), threads=1))
        second.count()
        assert (first.share, second.share) == (1, 0)
        first.count()
        clock.now += 2.9
        assert (first.share, second.share) == (0.5, 0)
        clock.now += 0.2
        second.count()
        assert (first.share, second.share) == (0.5, 0.5)
    # Both are gone; what they sent last is not older than some seconds.
    second.count()
    assert second.share == 0.5
    clock.now += 3
    second.count()
    assert second.share == 1
    first.close()
    second.close()


def test_the_processes_of_one_worker_know_of_each_other(vhost: VirtualHost) -> None:
    """They share the permits; at the start they wait for what a worker killed just now may have sent."""
    clock = Clock()
    counting = fleet(vhost.url, clock, at_least=2)
    assert counting.share == 0
    clock.now += 1
    assert counting.share == 1
    with ExitStack() as running:
        for _ in range(4):
            running.enter_context(Running(vhost.url, Seen(), threads=1))
        counting.count()
        assert counting.share == 0.5
    counting.close()
