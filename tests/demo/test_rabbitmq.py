"""The private RabbitMQ: real, breakable, and gone when its owner is."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pika
import pytest
from pika.exceptions import AMQPConnectionError

from worker.demo import rabbitmq as subject
from worker.demo.free_ports import free_ports
from worker.demo.rabbitmq import PrivateRabbitMQ
from worker.demo.rabbitmq_node import RabbitMQError
from worker.demo.vhost import QueueDepth, VirtualHost

QUORUM = {"x-queue-type": "quorum"}
PERSISTENT = pika.BasicProperties(delivery_mode=2)


@pytest.fixture(scope="module")
def node() -> Iterator[PrivateRabbitMQ]:
    """A node for the tests that break it."""
    with PrivateRabbitMQ(["frame_max = 8192"]) as node:
        yield node


def connect(url: str) -> pika.BlockingConnection:
    return pika.BlockingConnection(pika.URLParameters(url))


def publish(url: str, queue: str, count: int = 1, arguments: dict[str, Any] | None = None) -> None:
    with connect(url) as connection:
        channel = connection.channel()
        channel.confirm_delivery()
        channel.queue_declare(queue, durable=True, arguments=arguments)
        for _ in range(count):
            channel.basic_publish("", queue, b"order", PERSISTENT, mandatory=True)


def alive(pid: int) -> bool:
    """Running: one that has ended and waits for whoever inherited it does not count."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


@pytest.mark.parametrize("arguments", [None, QUORUM], ids=["classic", "quorum"])
def test_queue_figures_are_exact_at_once(vhost: VirtualHost, arguments: dict[str, Any] | None) -> None:
    """Ready, unacknowledged and consumers are those of this moment, for both kinds of queue."""
    publish(vhost.url, "orders", 3, arguments)
    assert vhost.queues() == {"orders": QueueDepth(3, 3, 0, 0)}
    with connect(vhost.url) as connection:
        channel = connection.channel()
        channel.basic_qos(prefetch_count=2)
        next(channel.consume("orders", inactivity_timeout=5))
        assert vhost.queues() == {"orders": QueueDepth(3, 1, 2, 1)}


def test_virtual_hosts_do_not_see_each_other(rabbitmq: PrivateRabbitMQ, vhost: VirtualHost) -> None:
    """A queue of one test is not there for the next, and a deleted virtual host refuses connections."""
    publish(vhost.url, "orders")
    other = rabbitmq.new_vhost()
    assert other.queues() == {}
    assert rabbitmq.queues() == {}
    other.delete()
    with pytest.raises(AMQPConnectionError):
        connect(other.url)


@pytest.mark.parametrize("end", [PrivateRabbitMQ.stop, PrivateRabbitMQ.kill], ids=["SIGTERM", "SIGKILL"])
def test_a_confirmed_message_outlives_the_node(
    node: PrivateRabbitMQ, end: Callable[[PrivateRabbitMQ], None]
) -> None:
    """After an end of either kind the node comes back at the same address with what it had confirmed."""
    vhost, pid = node.new_vhost(), node.pid
    publish(vhost.url, "orders", 5, QUORUM)
    node.flush()
    end(node)
    assert not alive(pid)
    with pytest.raises(AMQPConnectionError):
        connect(vhost.url)
    node.start()
    assert vhost.queues() == {"orders": QueueDepth(5, 5, 0, 0)}


def test_a_frozen_node_answers_nothing_until_it_is_thawed(node: PrivateRabbitMQ) -> None:
    """Frozen, it takes connections and is silent; thawed, it serves again."""
    node.freeze()
    try:
        with socket.create_connection(("127.0.0.1", node.port), 1) as client:
            client.sendall(b"AMQP\x00\x00\x09\x01")
            with pytest.raises(TimeoutError):
                client.recv(1)
    finally:
        node.thaw()
    connect(node.url).close()


def test_the_broker_may_stop_inside_the_running_vm(node: PrivateRabbitMQ) -> None:
    """`stop_app` refuses clients while the VM lives; `start_app` welcomes them."""
    pid = node.pid
    node.stop_app()
    with pytest.raises(AMQPConnectionError):
        connect(node.url)
    node.start_app()
    assert node.pid == pid
    connect(node.url).close()


def test_all_connections_are_closed_on_demand(node: PrivateRabbitMQ) -> None:
    """A client that was connected finds its connection closed."""
    with connect(node.url) as connection:
        node.close_all_connections()
        with pytest.raises(AMQPConnectionError):
            connection.process_data_events(time_limit=10)


def test_the_memory_alarm_blocks_publishers_until_it_is_lifted(
    node: PrivateRabbitMQ, eventually: Callable[..., object]
) -> None:
    """A publisher is told that it is blocked, and then that it is not."""
    told: list[str] = []
    with connect(node.url) as connection:
        connection.add_on_connection_blocked_callback(lambda *_: told.append("blocked"))
        connection.add_on_connection_unblocked_callback(lambda *_: told.append("unblocked"))
        channel = connection.channel()
        channel.queue_declare("alarm", exclusive=True)
        node.set_memory_watermark("0")

        def has_been(word: str) -> bool:
            connection.process_data_events(time_limit=0.05)
            return word in told

        def is_blocked() -> bool:
            # The alarm may come behind a message: the next one is blocked then.
            channel.basic_publish("", "alarm", b"order")
            return has_been("blocked")

        eventually(is_blocked)
        node.set_memory_watermark()
        eventually(lambda: has_been("unblocked"))


def test_lines_of_configuration_are_in_force(node: PrivateRabbitMQ) -> None:
    """What the constructor was given is what the broker works by."""
    assert (
        node.evaluate('{ok, Value} = application:get_env(rabbit, frame_max), io:format("~b", [Value])')
        == "8192"
    )


def test_a_wrong_command_is_an_error_with_its_words(rabbitmq: PrivateRabbitMQ) -> None:
    """Neither rabbitmqctl nor an Erlang expression fails in silence."""
    with pytest.raises(RabbitMQError, match="no_such_command"):
        rabbitmq.ctl("no_such_command")
    with pytest.raises(RabbitMQError, match="undef"):
        rabbitmq.evaluate("no_such:function()")
    with pytest.raises(RabbitMQError, match="did not evaluate"):
        rabbitmq.evaluate("this is no Erlang")


def test_a_second_node_joins_the_cluster_of_its_peer(rabbitmq: PrivateRabbitMQ) -> None:
    """Nodes with a peer form one cluster, so that a quorum queue can have copies."""
    with PrivateRabbitMQ() as first, PrivateRabbitMQ(peer=first) as second:
        running = first.evaluate('io:format("~p", [lists:sort(rabbit_nodes:all_running())])')
        assert running == f"[{', '.join(sorted([first.name, second.name]))}]".replace(", ", ",")
    assert rabbitmq.queues() == {}


def test_nothing_is_left_when_the_owner_is_killed(tmp_path: Path, eventually: Callable[..., object]) -> None:
    """SIGKILL of the owner ends node and epmd, and removes the folder."""
    program = (
        "import sys; from worker.demo.rabbitmq import PrivateRabbitMQ\n"
        "node = PrivateRabbitMQ(); node.start()\n"
        "print(node.folder, *(p.read_text() for p in node.folder.glob('*.pid')), flush=True)\n"
        "sys.stdin.read()"
    )
    root = Path(subject.__file__).parents[2]
    owner = subprocess.Popen(
        [sys.executable, "-c", program],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(root)},
    )
    with owner:
        assert owner.stdout is not None
        folder, *pids = owner.stdout.readline().split()
        assert len(pids) == 2
        assert all(alive(int(pid)) for pid in pids)
        owner.send_signal(signal.SIGKILL)
    eventually(lambda: not any(alive(int(pid)) for pid in pids))
    eventually(lambda: not Path(folder).exists())


def test_a_node_that_cannot_start_says_why_and_leaves_nothing() -> None:
    """A wrong line of configuration ends in an error with the node's log; the folder is gone."""
    node = PrivateRabbitMQ(["no.such.setting = 1"])
    with pytest.raises(RabbitMQError, match=r"no\.such\.setting"), node:
        pass
    with pytest.raises(RabbitMQError, match="was not started"):
        _ = node.folder


def test_a_missing_package_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Without the package the error says which to install, and how."""
    monkeypatch.setattr(subject, "BIN", tmp_path)
    with pytest.raises(RabbitMQError, match=r"make install.*apt-get install rabbitmq-server"):
        PrivateRabbitMQ().start()


def test_free_ports_are_different_and_free() -> None:
    """Ports given out together never collide."""
    assert len(set(free_ports(20))) == 20
