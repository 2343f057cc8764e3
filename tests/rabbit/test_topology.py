"""The AMQP objects: idempotent, without anything that expires, and with the bindings of the settings only."""

from __future__ import annotations

import json
from typing import Any

import pika
import pytest
from pika.exceptions import UnroutableError

from tests.rabbit.running import channel, declare, publish
from worker.demo.rabbitmq import PrivateRabbitMQ
from worker.demo.vhost import VirtualHost
from worker.rabbit.topology import (
    CONTROL_EXCHANGE,
    DEAD_LETTERS,
    DEFAULT_BINDING,
    DELIVERY_LIMIT,
    EVENTS_EXCHANGE,
    EVENTS_QUEUE,
    ORDERS_EXCHANGE,
    Topology,
    TopologyMismatch,
)

#: Arguments under which a broker removes messages by itself.
REMOVING = {"x-message-ttl", "x-expires", "x-dead-letter-exchange", "x-max-length", "x-max-length-bytes"}
KEY = "order.ready_to_fiscalize.{}.olena"


def listed(rabbitmq: PrivateRabbitMQ, vhost: VirtualHost, what: str, *columns: str) -> list[dict[str, Any]]:
    """What ``rabbitmqctl list_<what>`` tells."""
    rows: list[dict[str, Any]] = json.loads(
        rabbitmq.ctl(f"list_{what}", "--vhost", vhost.name, "--formatter", "json", *columns)
    )
    return rows


def remove_other_bindings(url: str, *bindings: str) -> None:
    """What the supervisor does at its start."""
    topology = Topology(bindings=bindings)
    declare(url, topology)
    with pika.BlockingConnection(pika.URLParameters(url)) as connection:
        topology.remove_other_bindings(connection)


def reaches(url: str, integration: str) -> bool:
    """Whether an order of this integration has a queue to go to."""
    try:
        publish(url, b"order", key=KEY.format(integration))
    except UnroutableError:
        return False
    return True


@pytest.mark.parametrize("queue_type", ["quorum", "classic"])
def test_nothing_of_ours_removes_messages_by_itself(
    rabbitmq: PrivateRabbitMQ, vhost: VirtualHost, queue_type: str
) -> None:
    """T3: no time to live, no length, no dead-letter exchange; quorum queues bear a million returns."""
    topology = Topology(queue_type=queue_type, bindings=("order.ready_to_fiscalize.a.#",))
    declare(vhost.url, topology)
    with pika.BlockingConnection(pika.URLParameters(vhost.url)) as connection:
        topology.remove_other_bindings(connection)
    queues = {row["name"]: row for row in listed(rabbitmq, vhost, "queues", "name", "durable", "arguments")}
    assert queues.keys() == {*topology.consumed, DEAD_LETTERS, EVENTS_QUEUE, "fiscalize.bindings"}
    for row in queues.values():
        arguments = {name: value for name, _, value in row["arguments"]}
        assert row["durable"]
        assert arguments["x-queue-type"] == queue_type
        assert not REMOVING & arguments.keys()
        assert arguments.get("x-delivery-limit") == (DELIVERY_LIMIT if queue_type == "quorum" else None)


def test_a_returned_message_keeps_its_place(vhost: VirtualHost) -> None:
    """What could not be settled comes again before what is newer: the delivery limit sees to it."""
    declare(vhost.url)
    publish(vhost.url, b"first", b"second")
    with channel(vhost.url) as opened:
        for _ in range(3):
            method, _, body = opened.basic_get("fiscalize")
            assert body == b"first"
            opened.basic_nack(method.delivery_tag, requeue=True)


def test_exchanges_are_durable_and_of_their_kind(rabbitmq: PrivateRabbitMQ, vhost: VirtualHost) -> None:
    """Bimp's and ours by topic; the control exchange tells every worker."""
    declare(vhost.url)
    rows = listed(rabbitmq, vhost, "exchanges", "name", "type", "durable")
    ours = {row["name"]: (row["type"], row["durable"]) for row in rows if "." in row["name"][:10]}
    assert {name: kind for name, kind in ours.items() if not name.startswith("amq.")} == {
        ORDERS_EXCHANGE: ("topic", True),
        EVENTS_EXCHANGE: ("topic", True),
        CONTROL_EXCHANGE: ("fanout", True),
    }


def test_it_is_declared_again_without_harm(vhost: VirtualHost) -> None:
    """Every process declares everything at every connection: messages and bindings stay."""
    declare(vhost.url)
    publish(vhost.url, b"order")
    declare(vhost.url)
    assert vhost.queues()["fiscalize"].messages == 1


def test_events_are_kept_before_anybody_listens(vhost: VirtualHost) -> None:
    """``bimp.fiscal.events`` gets every event from the first."""
    declare(vhost.url)
    publish(vhost.url, b"event", exchange=EVENTS_EXCHANGE, key="fiscalization.failed")
    assert vhost.queues()[EVENTS_QUEUE].messages == 1


def test_another_deployment_has_queues_of_its_own_and_the_same_dead_letters(vhost: VirtualHost) -> None:
    """The helpers are named after the queue; a person looks at one queue of dead letters."""
    topology = Topology(queue="north")
    declare(vhost.url, topology)
    own = {"north", "north.follow_up", "north.retry", "north.outbox"}
    assert vhost.queues().keys() == {*own, DEAD_LETTERS, EVENTS_QUEUE}


@pytest.mark.parametrize(
    ("queue", "arguments"),
    [("fiscalize", {"x-queue-type": "classic"}), ("fiscalize.retry", {"x-queue-type": "quorum"})],
    ids=["type", "delivery limit"],
)
def test_another_queue_under_a_name_of_ours_is_told(
    vhost: VirtualHost, queue: str, arguments: dict[str, Any]
) -> None:
    """T8: instead of trying for ever, with the queue, the argument and what to do."""
    with channel(vhost.url) as opened:
        opened.queue_declare(queue, durable=True, arguments=arguments)
    with pytest.raises(TopologyMismatch) as mismatch:
        declare(vhost.url)
    words = str(mismatch.value)
    assert f"queue '{queue}'" in words
    assert "x-queue-type" in words or "x-delivery-limit" in words
    assert "delete or rename" in words
    assert "PRECONDITION_FAILED" not in words


def test_another_exchange_under_a_name_of_ours_is_told(vhost: VirtualHost) -> None:
    """T8: Bimp may have declared its exchange in another way."""
    with channel(vhost.url) as opened:
        opened.exchange_declare(ORDERS_EXCHANGE, "direct", durable=True)
    with pytest.raises(TopologyMismatch, match=r"type.*exchange 'bimp\.orders'"):
        declare(vhost.url)


def test_bindings_follow_the_setting(vhost: VirtualHost) -> None:
    """Default, custom, other custom, default again: what is no longer named is unbound, nothing else is."""
    url = vhost.url
    remove_other_bindings(url, DEFAULT_BINDING)
    assert "fiscalize.bindings" not in vhost.queues()
    assert reaches(url, "north")

    remove_other_bindings(url, "order.ready_to_fiscalize.north.#", "order.ready_to_fiscalize.west.#")
    assert [reaches(url, name) for name in ("north", "west", "south")] == [True, True, False]
    assert vhost.queues()["fiscalize.bindings"].messages == 1

    remove_other_bindings(url, "order.ready_to_fiscalize.south.#", "order.ready_to_fiscalize.west.#")
    assert [reaches(url, name) for name in ("north", "west", "south")] == [False, True, True]
    assert vhost.queues()["fiscalize.bindings"].messages == 1

    remove_other_bindings(url, DEFAULT_BINDING)
    assert [reaches(url, name) for name in ("north", "west", "south")] == [True, True, True]
    assert "fiscalize.bindings" not in vhost.queues()


def test_the_default_binding_is_gone_in_a_custom_deployment(vhost: VirtualHost) -> None:
    """Also where no record tells of it; and back with the default, only the default is bound."""
    url = vhost.url
    declare(url)
    remove_other_bindings(url, "order.ready_to_fiscalize.north.#")
    assert bound(vhost) == {"order.ready_to_fiscalize.north.#"}
    remove_other_bindings(url, DEFAULT_BINDING)
    assert bound(vhost) == {DEFAULT_BINDING}


def test_a_start_twice_with_the_same_bindings_changes_nothing(vhost: VirtualHost) -> None:
    """One record of what is bound stays, whatever the number of starts."""
    for _ in range(3):
        remove_other_bindings(vhost.url, "order.ready_to_fiscalize.north.#")
    assert bound(vhost) == {"order.ready_to_fiscalize.north.#"}
    assert vhost.queues()["fiscalize.bindings"].messages == 1


_BINDINGS = """
[io:format("~ts~n", [Key]) || {{binding, {{resource, _, exchange, <<"{exchange}">>}}, Key,
    {{resource, _, queue, <<"fiscalize">>}}, _}} <- rabbit_binding:list(<<"{vhost}">>)]
"""


def bound(vhost: VirtualHost) -> set[str]:
    """Routing keys between Bimp's exchange and the queue."""
    return set(vhost.evaluate(_BINDINGS.format(exchange=ORDERS_EXCHANGE, vhost=vhost.name)).split())
