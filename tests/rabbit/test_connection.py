"""Publishing on a real broker: it returns when the broker has the message, and mends what can be mended."""

from __future__ import annotations

import re
import socket
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any

import pika
import pytest
from pika.adapters.blocking_connection import BlockingChannel

from tests.conftest import PATIENCE
from tests.fault_proxy import FaultProxy
from tests.rabbit.asked_of_broker import AskedOfBroker
from tests.rabbit.running import TOPOLOGY, channel, declare, drained
from worker.demo.rabbitmq import PrivateRabbitMQ
from worker.demo.vhost import VirtualHost
from worker.rabbit import publishing_connection
from worker.rabbit.connection import parameters
from worker.rabbit.loop import Loop
from worker.rabbit.mending import mend
from worker.rabbit.publisher import Publisher
from worker.rabbit.publishing_connection import PublishFailed
from worker.rabbit.topology import EVENTS_EXCHANGE, EVENTS_QUEUE, EXCHANGES, Topology

Eventually = Callable[..., Any]
KEY = "fiscalization.failed"


def publisher(url: str) -> Publisher:
    return Publisher(Loop(), parameters(url, "test"), TOPOLOGY.declare)


def send(publisher: Publisher, body: bytes = b"event", key: str = KEY) -> None:
    publisher.send(EVENTS_EXCHANGE, key, body, pika.BasicProperties(content_type="text/plain")).result()


def test_a_notice_that_nobody_wants_is_no_fault(vhost: VirtualHost) -> None:
    """Whoever binds a queue has it, persistent; an event without a queue fails."""
    declare(vhost.url)
    sending, properties = publisher(vhost.url), pika.BasicProperties()
    sending.send(EVENTS_EXCHANGE, "integration.checked", b"notice", properties, mandatory=False).result()
    with pytest.raises(PublishFailed):
        sending.send(EVENTS_EXCHANGE, "integration.checked", b"event", properties).result()
    with channel(vhost.url) as opened:
        opened.queue_declare("listener")
        opened.queue_bind("listener", EVENTS_EXCHANGE, "integration.#")
    sending.send(EVENTS_EXCHANGE, "integration.checked", b"notice", properties, mandatory=False).result()
    [(body, heard)] = drained(vhost.url, "listener")
    assert (body, heard.delivery_mode) == (b"notice", 2)


def test_a_message_is_persistent_and_there_when_publish_returns(vhost: VirtualHost) -> None:
    """Confirmed by the broker: it may be read at once."""
    declare(vhost.url)
    send(publisher(vhost.url))
    [(body, properties)] = drained(vhost.url, EVENTS_QUEUE)
    assert body == b"event"
    assert properties.delivery_mode == 2
    assert properties.content_type == "text/plain"


def test_an_event_without_a_way_fails(vhost: VirtualHost) -> None:
    """Mandatory: what no queue takes was not published, and the next one goes its way."""
    declare(vhost.url)
    sending = publisher(vhost.url)
    with pytest.raises(PublishFailed, match="no_such_key: UnroutableError"):
        send(sending, key="no_such_key")
    send(sending)
    assert vhost.queues()[EVENTS_QUEUE].messages == 1


@pytest.mark.parametrize("what", ["queue", "exchange", "binding"])
def test_what_somebody_deleted_is_declared_again(vhost: VirtualHost, what: str) -> None:
    """An event for which the way is gone makes the way, and is delivered."""
    declare(vhost.url)
    sending = publisher(vhost.url)
    send(sending, b"before")
    with channel(vhost.url) as opened:
        if what == "queue":
            opened.queue_delete(EVENTS_QUEUE)
        elif what == "exchange":
            opened.exchange_delete(EVENTS_EXCHANGE)
        else:
            opened.queue_unbind(EVENTS_QUEUE, EVENTS_EXCHANGE, "fiscalization.#")
    send(sending, b"after")
    assert drained(vhost.url, EVENTS_QUEUE)[-1][0] == b"after"


def test_a_deleted_queue_of_waiting_messages_is_declared_again(vhost: VirtualHost) -> None:
    """So a reschedule does not fail until the next start."""
    declare(vhost.url)
    with channel(vhost.url) as opened:
        opened.queue_delete(TOPOLOGY.retry)
    publisher(vhost.url).send("", TOPOLOGY.retry, b"order", pika.BasicProperties()).result()
    assert vhost.queues()[TOPOLOGY.retry].messages == 1


def test_a_way_that_cannot_be_made_is_told(vhost: VirtualHost) -> None:
    """Another object under a name of ours: it is no fault of the order that cannot be told."""
    sending = Publisher(Loop(), parameters(vhost.url, "test"), Topology(queue_type="classic").declare)
    declare(vhost.url)
    with pytest.raises(PublishFailed, match="TopologyMismatch"):
        send(sending, key="no_such_key")


def test_a_broker_that_goes_away_while_the_way_is_made_fails(vhost: VirtualHost) -> None:
    """The same failure as every other of the broker's: it must not look like a fault of the worker."""
    declare(vhost.url)

    def gone(_: Any) -> None:
        raise pika.exceptions.StreamLostError("gone")

    with pytest.raises(PublishFailed, match="StreamLostError"):
        send(Publisher(Loop(), parameters(vhost.url, "test"), gone), key="no_such_key")


def test_a_queue_that_keeps_silent_fails(
    rabbitmq: PrivateRabbitMQ, vhost: VirtualHost, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One without its majority confirms nothing on a connection that is well: no thread waits for ever."""
    monkeypatch.setattr(publishing_connection, "CONFIRMED_WITHIN", 1.0)
    declare(vhost.url)
    queue = f'rabbit_misc:r(<<"{vhost.name}">>, queue, <<"{EVENTS_QUEUE}">>)'
    server = f"{{ok, Queue}} = rabbit_amqqueue:lookup({queue}), Server = amqqueue:get_pid(Queue)"
    sending = publisher(vhost.url)
    send(sending)
    rabbitmq.evaluate(f"{server}, sys:suspend(Server)")
    try:
        with pytest.raises(PublishFailed, match="ConfirmOverdue"):
            send(sending)
    finally:
        rabbitmq.evaluate(f"{server}, sys:resume(Server)")
    send(sending)


def test_a_closed_channel_leaves_no_message_behind(vhost: VirtualHost, eventually: Eventually) -> None:
    """What comes between the end of the channel and that of its connection goes by the next one."""
    declare(vhost.url)
    loop = Loop()
    sending = Publisher(loop, parameters(vhost.url, "test"), TOPOLOGY.declare)
    send(sending)
    late: list[Future[None]] = []

    def send_late(*_: Any) -> None:
        for _ in range(3):
            late.append(sending.send(EVENTS_EXCHANGE, KEY, b"late", pika.BasicProperties()))
        sending._flush()

    def close_channel() -> None:
        assert sending._line is not None
        opened = sending._line._channel
        opened.add_on_close_callback(send_late)
        opened.basic_publish("no_such_exchange", "x", b"")

    loop.soon(close_channel)
    eventually(lambda: len(late) == 3)
    for effect in late:
        effect.result(10)


def test_a_full_queue_fails(rabbitmq: PrivateRabbitMQ, vhost: VirtualHost) -> None:
    """T2: the broker's negative confirm is no success."""
    topology = Topology(queue_type="classic")
    declare(vhost.url, topology)
    rabbitmq.ctl(
        "set_policy", "-p", vhost.name, "full", ".*events", '{"max-length":0,"overflow":"reject-publish"}'
    )
    with pytest.raises(PublishFailed, match="NackError"):
        send(Publisher(Loop(), parameters(vhost.url, "test"), topology.declare))
    assert vhost.queues()[EVENTS_QUEUE].messages == 0


def test_a_connection_on_which_the_broker_refuses_is_replaced(
    rabbitmq: PrivateRabbitMQ, vhost: VirtualHost, eventually: Eventually, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A channel may be refused for ever after the loss of a node: what was refused goes by another one."""
    topology = Topology(queue_type="classic")
    declare(vhost.url, topology)
    loop = Loop()
    sending = Publisher(loop, parameters(vhost.url, "test"), topology.declare)
    send(sending)
    [first] = connections(vhost)
    rabbitmq.ctl(
        "set_policy", "-p", vhost.name, "full", ".*events", '{"max-length":0,"overflow":"reject-publish"}'
    )
    with pytest.raises(PublishFailed, match="NackError"):
        send(sending)
    assert connections(vhost) == [first]
    monkeypatch.setattr("worker.rabbit.publisher.REPLACED_AFTER", 0.0)
    refused = [event_of(sending) for _ in range(20)]
    assert all(isinstance(one.exception(timeout=10), PublishFailed) for one in refused)
    rabbitmq.ctl("clear_policy", "-p", vhost.name, "full")
    send(sending)
    eventually(lambda: len(connections(vhost)) == 1 and connections(vhost) != [first])
    sending.close()
    loop.close()


def test_a_connection_lost_since_the_last_publish_is_replaced(vhost: VirtualHost) -> None:
    """Cut by the network between two messages: nobody notices."""
    declare(vhost.url)
    with FaultProxy.before(vhost.url) as proxy:
        sending = publisher(proxy.through(vhost.url))
        send(sending)
        proxy.cut()
        send(sending)
    assert vhost.queues()[EVENTS_QUEUE].messages == 2


def test_an_idle_connection_is_kept_alive(vhost: VirtualHost, eventually: Eventually) -> None:
    """The broker closes what was silent for two heartbeats; whoever publishes seldom is not silent."""
    declare(vhost.url)
    sending = publisher(f"{vhost.url}?heartbeat=1")
    send(sending)
    eventually(lambda: ages(vhost) == [] or min(ages(vhost)) > 5.0)
    assert len(ages(vhost)) == 1
    sending.close()
    eventually(lambda: ages(vhost) == [])


def event_of(publisher: Publisher) -> Future[None]:
    return publisher.send(EVENTS_EXCHANGE, "fiscalization.failed", b"event", pika.BasicProperties())


def connections(vhost: VirtualHost) -> list[str]:
    """The broker's names of the clients of the virtual host."""
    told = vhost.evaluate(
        '[io:format("~s|", [N]) || [{vhost, V}, {name, N}] <- '
        f'rabbit_networking:connection_info_all([vhost, name]), V =:= <<"{vhost.name}">>]'
    )
    return [name.strip(' \n"') for name in told.split("|")[:-1]]


def ages(vhost: VirtualHost) -> list[float]:
    """Seconds since each client of the virtual host connected."""
    told = vhost.evaluate(
        '[io:format("~b ", [os:system_time(millisecond) - T]) || [{vhost, V}, {connected_at, T}] <- '
        f'rabbit_networking:connection_info_all([vhost, connected_at]), V =:= <<"{vhost.name}">>]'
    )
    return [int(age) / 1000 for age in re.findall(r"\d+(?= )", told)]


def test_a_broker_that_is_away_fails_at_once_and_is_found_again(vhost: VirtualHost) -> None:
    """Trying again is the message's business, not the thread's."""
    declare(vhost.url)
    with FaultProxy.before(vhost.url) as proxy:
        sending = publisher(proxy.through(vhost.url))
        send(sending)
        proxy.refuse()
        began = time.monotonic()
        with pytest.raises(PublishFailed, match=r"fiscalization\.failed"):
            send(sending)
        assert time.monotonic() - began < 5
        proxy.resume()
        send(sending)
    assert vhost.queues()[EVENTS_QUEUE].messages == 2


def test_threads_share_a_connection(vhost: VirtualHost) -> None:
    """pika's connections are for one thread each: many publish at once, and every message arrives."""
    declare(vhost.url)
    sending = publisher(vhost.url)
    errors: list[BaseException] = []

    def many() -> None:
        try:
            for _ in range(25):
                send(sending)
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=many) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert not errors
    assert vhost.queues()[EVENTS_QUEUE].messages == 100


def test_a_publisher_is_closed_while_it_connects() -> None:
    """To an address that takes the connection and says nothing; what waits fails, and nobody waits for it."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url, loop = f"amqp://guest:guest@127.0.0.1:{silent.getsockname()[1]}/x", Loop()
        sending = Publisher(loop, parameters(url, "test"), TOPOLOGY.declare)
        waiting = sending.send(EVENTS_EXCHANGE, "fiscalization.failed", b"event", pika.BasicProperties())
        taken, _ = silent.accept()
        threads = threading.active_count()
        sending.close()
        assert isinstance(waiting.exception(timeout=0), PublishFailed)
        late = sending.send(EVENTS_EXCHANGE, "fiscalization.failed", b"event", pika.BasicProperties())
        assert isinstance(late.exception(timeout=5), PublishFailed)
        loop.close()
        taken.close()
        assert not loop.supervised.is_alive
        assert threading.active_count() == threads - 1


def test_addresses_are_tried_in_turn(vhost: VirtualHost) -> None:
    """The first broker of the list that answers is used."""
    declare(vhost.url)
    send(publisher(f"amqp://guest:guest@127.0.0.1:1/x; {vhost.url}"))
    assert vhost.queues()[EVENTS_QUEUE].messages == 1


def test_limits_of_time_have_defaults_that_an_address_may_change() -> None:
    """A dead network, an alarm and a silent host are each noticed."""
    ours, theirs = parameters(
        "amqp://a/;amqp://b/?heartbeat=7&blocked_connection_timeout=3&socket_timeout=2", "me"
    )
    assert (ours.heartbeat, ours.blocked_connection_timeout, ours.socket_timeout) == (20, 15, 5)
    assert (theirs.heartbeat, theirs.blocked_connection_timeout, theirs.socket_timeout) == (7, 3, 2)
    assert ours.client_properties["connection_name"] == "me"


def mending_through(proxy: FaultProxy, url: str) -> tuple[Publisher, list[str]]:
    """A publisher that declares as the worker does, and the threads in which it declared."""
    threads: list[str] = []

    def redeclare(opened: BlockingChannel) -> None:
        threads.append(threading.current_thread().name)
        mend(TOPOLOGY, opened)

    return Publisher(Loop(), parameters(proxy.through(url), "test"), redeclare), threads


@pytest.mark.parametrize("what", ["exchange", "queue"])
def test_many_messages_that_find_no_way_make_it_once(vhost: VirtualHost, what: str) -> None:
    """One declaration for all of them, and not in the loop's thread, which has other messages to send."""
    declare(vhost.url)
    asked = AskedOfBroker()
    with FaultProxy.before(vhost.url, asked) as proxy:
        sending, threads = mending_through(proxy, vhost.url)
        send(sending)
        with channel(vhost.url) as opened:
            if what == "exchange":
                opened.exchange_delete(EVENTS_EXCHANGE)
            else:
                opened.queue_delete(EVENTS_QUEUE)
        for effect in [event_of(sending) for _ in range(200)]:
            effect.result(20)
        sending.close()
    assert threads == ["declaring"]
    [declared] = asked.declared
    objects = {*(("exchange", name) for name in EXCHANGES), *(("queue", name) for name in TOPOLOGY.queues)}
    assert {one for one in declared if one[0] != "binding"} == objects
    assert len(declared) == len({*declared})
    # The broker closes the channel of who publishes to a missing exchange; a missing queue closes none.
    assert len(asked.connections) <= (20 if what == "exchange" else 2)


def test_messages_one_after_the_other_for_which_there_is_no_way_cost_one_declaration(
    vhost: VirtualHost,
) -> None:
    """The outcome of a declaration holds for 5 s: to declare again at once would change nothing."""
    declare(vhost.url)
    asked = AskedOfBroker()
    with FaultProxy.before(vhost.url, asked) as proxy:
        sending, threads = mending_through(proxy, vhost.url)
        began = time.monotonic()
        for _ in range(50):
            with pytest.raises(PublishFailed, match="UnroutableError"):
                send(sending, key="no_such_key")
        periods = 1 + (time.monotonic() - began) // 5
        sending.close()
    assert {*threads} == {"declaring"}
    assert 1 <= len(asked.declared) <= periods
    assert len(asked.connections) == 1 + len(asked.declared)


def test_an_exchange_that_may_not_be_written_to_spoils_no_other_message(
    rabbitmq: PrivateRabbitMQ, vhost: VirtualHost, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The broker closes the channel of all for it; it is told once, and goes on by itself."""
    lines: list[tuple[str, dict[str, Any]]] = []

    class Log:
        def __getattr__(self, level: str) -> Any:
            return lambda event, **facts: lines.append((event, facts))

    monkeypatch.setattr("worker.rabbit.refusals._log", Log())
    monkeypatch.setattr("worker.rabbit.refusals._BARRED_FOR", 0.5)
    monkeypatch.setattr("worker.rabbit.mending._HOLDS_FOR", 0.5)
    declare(vhost.url)
    name = vhost.name.replace("test", "user")
    rabbitmq.ctl("add_user", name, "secret")
    rabbitmq.ctl("set_permissions", "-p", vhost.name, name, ".*", r"^(?!bimp\.fiscal$)", ".*")
    sending = publisher(vhost.url.replace("guest:guest", f"{name}:secret"))
    effects: list[Future[None]] = []
    for _ in range(50):
        effects.append(event_of(sending))
        effects.append(sending.send("", TOPOLOGY.retry, b"order", pika.BasicProperties()))
        time.sleep(0.01)
    assert all(isinstance(effect.exception(20), PublishFailed) for effect in effects[::2])
    assert [effect.exception(20) for effect in effects[1::2]] == [None] * 50
    [(event, facts)] = lines
    assert event == "publishing_refused"
    assert "bimp.fiscal" in facts["reason"]
    assert "rights" in facts["message"]
    rabbitmq.ctl("set_permissions", "-p", vhost.name, name, ".*", ".*", ".*")
    deadline = time.monotonic() + PATIENCE
    while event_of(sending).exception(20) is not None:
        assert time.monotonic() < deadline
    assert [event for event, _ in lines] == ["publishing_refused", "publishing_works_again"]
    rabbitmq.ctl("delete_user", name)
