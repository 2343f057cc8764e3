"""The journal as a process: what is published is in the database, whatever is killed or away."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from uuid import uuid4

import pika
import pytest
from pika.adapters.blocking_connection import BlockingChannel as Channel
from sqlalchemy import func, select
from sqlalchemy.exc import SQLAlchemyError

from tests.builders import a_body
from tests.journal.messages import an_event
from tests.journal.process import JournalProcess
from tests.postgresql import PrivatePostgreSQL
from tests.system.shop import CONTRACT, Shop
from worker.demo.rabbitmq import PrivateRabbitMQ
from worker.demo.sandbox_process import SandboxProcess
from worker.demo.vhost import VirtualHost
from worker.demo.worker_process import WorkerProcess
from worker.journal import database, subscription
from worker.journal.tables import OUTCOMES, RECEIPTS, REQUESTS
from worker.rabbit.topology import EVENTS_EXCHANGE, EVENTS_QUEUE, JOURNAL_QUEUE, ORDERS_EXCHANGE, Topology


@pytest.fixture(scope="module")
def vhost(rabbitmq: PrivateRabbitMQ) -> Iterator[VirtualHost]:
    """One for all tests of the module; each has a journal, and begins with its queue removed."""
    rabbitmq.start()
    vhost = rabbitmq.new_vhost()
    yield vhost
    rabbitmq.start()
    vhost.delete()


@pytest.fixture
def bimp(vhost: VirtualHost) -> Iterator[Channel]:
    """A channel on a broker where a worker has been."""
    with pika.BlockingConnection(pika.URLParameters(vhost.url)) as connection:
        channel = connection.channel()
        channel.confirm_delivery()
        channel.queue_delete(JOURNAL_QUEUE)
        Topology().declare(channel)
        yield channel


@pytest.fixture
def journal(vhost: VirtualHost, journal_url: str, tmp_path: Path) -> Iterator[JournalProcess]:
    environment = {"FISCAL_RABBITMQ_URL": vhost.url, "FISCAL_JOURNAL_URL": journal_url}
    with JournalProcess(tmp_path / "journal.log", environment) as process:
        yield process


def publish(channel: Channel, exchange: str, key: str, body: bytes) -> None:
    channel.basic_publish(exchange, key, body, pika.BasicProperties(delivery_mode=2), mandatory=True)


def is_bound(vhost: VirtualHost) -> set[str]:
    """The exchanges that the journal's queue is bound to."""
    return set(vhost.evaluate(_BOUND.format(vhost=vhost.name)).split())


_BOUND = """
lists:foreach(fun({{binding, {{resource, _, exchange, Name}}, _, _, _}}) -> io:format("~ts~n", [Name]) end,
    rabbit_binding:list_for_destination({{resource, <<"{vhost}">>, queue, <<"fiscal.journal">>}}))
"""


class Rows:
    """A look into the database."""

    def __init__(self, url: str) -> None:
        self._engine = database.reading(url)

    def counts(self) -> list[int]:
        try:
            with self._engine.connect() as connection:
                tables = (REQUESTS, OUTCOMES, RECEIPTS)
                return [
                    connection.execute(select(func.count()).select_from(table)).scalar_one()
                    for table in tables
                ]
        except SQLAlchemyError:  # not there yet
            return [-1, -1, -1]


def heard_everything(vhost: VirtualHost) -> Callable[[], bool]:
    return lambda: vhost.queues()[JOURNAL_QUEUE].messages == 0


def test_orders_and_events_are_written(
    bimp: Channel,
    vhost: VirtualHost,
    journal: JournalProcess,
    journal_url: str,
    eventually: Callable[..., object],
) -> None:
    """From the two exchanges, whatever else comes by them, and SIGTERM ends it with 0."""
    eventually(lambda: is_bound(vhost) == {ORDERS_EXCHANGE, EVENTS_EXCHANGE})
    publish(bimp, ORDERS_EXCHANGE, "order.ready_to_fiscalize.shop-main.olena", a_body())
    publish(bimp, ORDERS_EXCHANGE, "order.ready_to_fiscalize.shop-main.olena", b"no JSON at all")
    publish(bimp, EVENTS_EXCHANGE, "fiscalization.succeeded", an_event())
    publish(bimp, EVENTS_EXCHANGE, "fiscalization.failed", b"no event")
    publish(bimp, EVENTS_EXCHANGE, "fiscalization.failed", b"[" * 100_000)
    endless = an_event(request="another", receipt__id=str(uuid4()), attempts=10**30)
    publish(bimp, EVENTS_EXCHANGE, "fiscalization.succeeded", endless)
    publish(bimp, EVENTS_EXCHANGE, "fiscalization.delayed", an_event("delayed"))
    rows = Rows(journal_url)
    eventually(lambda: rows.counts()[:2] == [1, 2])
    eventually(heard_everything(vhost))
    assert journal.terminate() == 0


def test_it_is_bound_only_beside_those_who_act(bimp: Channel, vhost: VirtualHost) -> None:
    """Without the worker's queue Bimp's mandatory publish is returned; without Bimp's the worker's is."""

    def bound() -> set[str]:
        with pika.BlockingConnection(pika.URLParameters(vhost.url)) as connection:
            subscription.declare(connection)
            subscription.follow(connection, "fiscalize")
        return is_bound(vhost)

    assert bound() == {ORDERS_EXCHANGE, EVENTS_EXCHANGE}
    bimp.queue_delete("fiscalize")
    assert bound() == {EVENTS_EXCHANGE}
    with pytest.raises(pika.exceptions.UnroutableError):
        publish(bimp, ORDERS_EXCHANGE, "order.ready_to_fiscalize.shop-main.olena", a_body())
    bimp.queue_delete(EVENTS_QUEUE)
    assert bound() == set()
    bimp.exchange_delete(ORDERS_EXCHANGE)
    assert bound() == set()
    Topology().declare(bimp)
    assert bound() == {ORDERS_EXCHANGE, EVENTS_EXCHANGE}


def test_its_queue_is_removed(vhost: VirtualHost, bimp: object) -> None:
    """By `--remove`; exit 3 where there is none."""
    command = [sys.executable, "-m", "worker", "journal", "--remove"]
    environment = {"FISCAL_RABBITMQ_URL": vhost.url, "PATH": "/usr/bin"}
    with pika.BlockingConnection(pika.URLParameters(vhost.url)) as connection:
        connection.channel().queue_declare(JOURNAL_QUEUE, durable=True)
    assert subprocess.run(command, env=environment, check=False).returncode == 0
    assert JOURNAL_QUEUE not in vhost.queues()
    assert subprocess.run(command, env=environment, check=False).returncode == 3
    kept = subprocess.run(command[:-1], env=environment, check=False, capture_output=True, text=True)
    assert kept.returncode == 2
    assert kept.stderr == "FISCAL_JOURNAL_URL: is not set, so there is no journal\n"


def test_killed_under_load_it_loses_and_doubles_nothing(
    bimp: Channel,
    vhost: VirtualHost,
    journal: JournalProcess,
    journal_url: str,
    tmp_path: Path,
    eventually: Callable[..., object],
) -> None:
    """SIGKILL while messages pour in, a second journal beside it: each message is one row."""
    eventually(lambda: is_bound(vhost) == {ORDERS_EXCHANGE, EVENTS_EXCHANGE})
    count, rows = 800, Rows(journal_url)
    pouring = threading.Thread(target=pour, args=(vhost.url, count))
    pouring.start()
    environment = {"FISCAL_RABBITMQ_URL": vhost.url, "FISCAL_JOURNAL_URL": journal_url}
    with JournalProcess(tmp_path / "second.log", environment):
        for part in (1, 2):
            eventually(lambda part=part: rows.counts()[0] >= part * count // 4)
            journal.kill()
            journal.start()
        pouring.join()
        eventually(lambda: rows.counts() == [count, count, count])
        eventually(heard_everything(vhost))
    assert rows.counts() == [count, count, count]


def pour(url: str, count: int) -> None:
    """Orders and their events, each of an order of its own."""
    with pika.BlockingConnection(pika.URLParameters(url)) as connection:
        channel = connection.channel()
        for number in range(count):
            order = f"00000000-0000-4000-8000-{number:012}"
            body = a_body(id=f"r{number}", subject=order, data__order__uuid=order)
            receipt = f"00000000-0000-4000-9000-{number:012}"
            event = an_event(request=f"r{number}", order=order, receipt__id=receipt)
            publish(channel, ORDERS_EXCHANGE, "order.ready_to_fiscalize.shop-main.olena", body)
            publish(channel, EVENTS_EXCHANGE, "fiscalization.succeeded", event)


@pytest.mark.parametrize("journal_url", ["postgresql"], indirect=True)
def test_a_database_and_a_broker_that_are_away_are_waited_for(
    bimp: Channel,
    vhost: VirtualHost,
    rabbitmq: PrivateRabbitMQ,
    postgresql: PrivatePostgreSQL,
    journal: JournalProcess,
    journal_url: str,
    eventually: Callable[..., object],
) -> None:
    """What is published meanwhile stays in the queue, is written afterwards, and the journal never ends."""
    rows = Rows(journal_url)
    eventually(lambda: is_bound(vhost) == {ORDERS_EXCHANGE, EVENTS_EXCHANGE})
    publish(bimp, ORDERS_EXCHANGE, "order.ready_to_fiscalize.shop-main.olena", a_body(id="first"))
    eventually(lambda: rows.counts()[0] == 1)
    postgresql.stop()
    for number in range(50):
        body = a_body(id=f"r{number}")
        publish(bimp, ORDERS_EXCHANGE, "order.ready_to_fiscalize.shop-main.olena", body)
    eventually(lambda: "journal_database_away" in journal.log.read_text())
    eventually(lambda: vhost.queues()[JOURNAL_QUEUE].messages_unacknowledged == 50)
    bimp.connection.close()
    rabbitmq.stop()
    eventually(lambda: "journal_broker_away" in journal.log.read_text())
    assert journal.is_running
    rabbitmq.start()
    postgresql.start()
    eventually(lambda: rows.counts()[0] == 51)
    assert journal.terminate() == 0


@pytest.mark.parametrize("journal_url", ["postgresql"], indirect=True)
def test_orders_are_fiscalized_while_the_database_is_away(
    bimp: Channel,
    vhost: VirtualHost,
    postgresql: PrivatePostgreSQL,
    journal: JournalProcess,
    journal_url: str,
    tmp_path: Path,
    eventually: Callable[..., object],
) -> None:
    """The worker asks no journal; what it published meanwhile is written once the database is back."""
    rows, integrations = Rows(journal_url), CONTRACT / "integrations.yaml"
    eventually(lambda: is_bound(vhost) == {ORDERS_EXCHANGE, EVENTS_EXCHANGE})
    for name in vhost.queues():
        if name.startswith("fiscalize") or name == EVENTS_QUEUE:  # what other tests left
            bimp.queue_purge(name)
    options = {"done_after": 0.1, "throttle": "false"}
    with SandboxProcess(integrations=integrations, options=options) as sandbox:
        environment = {
            "FISCAL_RABBITMQ_URL": vhost.url,
            "FISCAL_CHECKBOX_URL": sandbox.url,
            "FISCAL_INTEGRATIONS_FILE": str(integrations),
            "FISCAL_JOURNAL_URL": journal_url,
            "FISCAL_REGISTER_RATE": "100",
        }
        with WorkerProcess(environment, tmp_path / "worker.log") as worker:
            shop = Shop(vhost, sandbox, worker)
            for number in range(10):
                if number == 2:
                    eventually(lambda: rows.counts() == [2, 2, 2])
                    postgresql.stop()
                order = f"00000000-0000-4000-8000-{number:012}"
                shop.publish(a_body(id=f"away-{number}", subject=order, data__order__uuid=order))
                assert shop.outcome(f"away-{number}", 60)["routing_key"] == "fiscalization.succeeded"
            assert vhost.queues()[JOURNAL_QUEUE].messages == 16
            postgresql.start()
            eventually(lambda: rows.counts() == [10, 10, 10])
            shop.close()
    assert journal.terminate() == 0
