"""RabbitMQ as a cluster of three real nodes: one of them may be lost under load."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Thread
from typing import Any

import pika
import pytest

from tests.chaos import orders
from tests.chaos.stage import Stage
from worker.demo.rabbitmq import PrivateRabbitMQ
from worker.rabbit.topology import DEAD_LETTERS, EVENTS_QUEUE, Topology

ROWS = orders.rows(12, manual=3, auto=0)
PER_SECOND = 20
COUNT = 120
Eventually = Callable[..., Any]
#: How many members of a quorum queue are on nodes that run, fewest first.
_MEMBERS = """
io:format("~w", [lists:min([length(maps:get(nodes, amqqueue:get_type_state(Q)))
    || Q <- rabbit_amqqueue:list(), amqqueue:get_type(Q) =:= rabbit_quorum_queue])])
"""


@pytest.fixture(scope="module")
def cluster() -> Iterator[list[PrivateRabbitMQ]]:
    """Three nodes; the queues were declared on the first, which therefore leads them."""
    with (
        PrivateRabbitMQ() as first,
        PrivateRabbitMQ(peer=first) as second,
        PrivateRabbitMQ(peer=first) as third,
    ):
        with pika.BlockingConnection(pika.URLParameters(first.url)) as connection:
            Topology().declare(connection.channel())
        for node in (first, second, third):
            node.flush()
        yield [first, second, third]


def test_a_node_is_lost_under_load(
    cluster: list[PrivateRabbitMQ], tmp_path: Path, eventually: Eventually
) -> None:
    """The node that leads the queues and has the worker's connections is killed while orders come in: every
    order has one receipt and its event, no dead letter, and the worker is the same process as before."""
    first, second, third = cluster
    assert first.evaluate(_MEMBERS) == "3"
    with Stage(second, ROWS, tmp_path, options={"done_after": 0.5}) as stage:
        urls = ";".join(node.url for node in cluster)
        worker = stage.worker(FISCAL_RABBITMQ_URL=urls, FISCAL_REGISTER_RATE="100").start()
        assert worker.process is not None
        asked = list(orders.requests(COUNT, ROWS, random.Random(3)))
        publishing = Thread(target=stage.bimp.publish, args=(asked, PER_SECOND))
        publishing.start()
        heard = stage.bimp.heard
        eventually(lambda: len(heard.succeeded) > COUNT // 5)
        first.kill()
        told_by_then = len(heard.succeeded)
        assert publishing.is_alive()
        publishing.join(90)
        eventually(lambda: heard.ended == {request.id for request in asked})
        assert heard.succeeded == heard.ended
        assert told_by_then < len(asked) - PER_SECOND
        ledger = stage.sandbox.ledger()
        assert [entry["status"] for entry in ledger] == ["DONE"] * COUNT
        assert len({entry["id"] for entry in ledger}) == COUNT
        assert worker.process.poll() is None
        assert worker.page("/readyz")[0] == 200
        assert third.queues()[DEAD_LETTERS].messages == 0
        eventually(lambda: not any(stage.waiting().values()))
        assert EVENTS_QUEUE in third.queues()
        assert worker.terminate() == 0
        first.start()
        eventually(lambda: first.queues()[DEAD_LETTERS].messages == 0)
