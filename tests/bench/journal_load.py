"""The journal as a process under load: ``python -m tests.bench.journal_load --in sqlite``.

``pace``: 500 orders a second on one core, beside a worker that fiscalizes on the same core; broker, sandbox,
publisher and database have the other one. ``killed``: SIGKILL every three seconds under 1,000 messages a
second.
``away``: PostgreSQL is away for a minute while the worker fiscalizes.
"""

from __future__ import annotations

import argparse
import os
import statistics
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

import pika
from sqlalchemy import Engine, func, select
from sqlalchemy.exc import SQLAlchemyError

from tests.bench import machine
from tests.builders import AN_ORDER, a_body
from tests.chaos import orders
from tests.chaos.bimp import Bimp
from tests.chaos.orders import CashierRow, a_request, write_integrations
from tests.journal.messages import an_event
from tests.journal.process import JournalProcess
from tests.postgresql import PrivatePostgreSQL
from worker.demo.rabbitmq import PrivateRabbitMQ
from worker.demo.sandbox_process import SandboxProcess
from worker.demo.worker_process import WorkerProcess
from worker.journal import database
from worker.journal.tables import OUTCOMES, RECEIPTS, REQUESTS
from worker.rabbit.connection import parameters
from worker.rabbit.topology import EVENTS_EXCHANGE, EVENTS_QUEUE, JOURNAL_QUEUE, ORDERS_EXCHANGE, Topology

_TABLES = (REQUESTS, OUTCOMES, RECEIPTS)
#: Heard by the journal alone: ``fiscalize`` is not bound to it.
_KEY = "order.measured"
_REQUEST, _RECEIPT = "measured-request", "3f0c5f7e-9a51-5f7e-8a44-2c1f0a9be001"
_MEASURED, _OTHERS = {0}, {1}


@dataclass(frozen=True, slots=True)
class Place:
    """A broker, a database, and a worker with its sandbox."""

    node: PrivateRabbitMQ
    url: str
    folder: Path
    environment: dict[str, str]
    rows: list[CashierRow]
    cluster: PrivatePostgreSQL | None

    def journal(self) -> JournalProcess:
        environment = {"FISCAL_RABBITMQ_URL": self.node.url, "FISCAL_JOURNAL_URL": self.url}
        return JournalProcess(self.folder / "journal.log", environment)

    def waiting(self) -> int:
        queue = self.node.queues().get(JOURNAL_QUEUE)
        return queue.messages if queue else 0

    def wait_until_heard(self) -> None:
        while self.waiting():
            time.sleep(0.05)


@contextmanager
def place(kind: str) -> Iterator[Place]:
    """Everything but the journal runs."""
    os.sched_setaffinity(0, _OTHERS)
    with ExitStack() as stack:
        enter = stack.enter_context
        folder = Path(enter(tempfile.TemporaryDirectory()))
        node, cluster = enter(PrivateRabbitMQ()), None
        url = f"sqlite:///{folder / 'journal.db'}"
        if kind == "postgresql":
            cluster = enter(PrivatePostgreSQL())
            url = cluster.new_database("journal")
        rows = orders.rows(20)
        integrations = write_integrations(folder / "integrations.yaml", rows)
        sandbox = enter(SandboxProcess(integrations=integrations, options={"throttle": False}))
        environment = {
            "FISCAL_RABBITMQ_URL": node.url,
            "FISCAL_CHECKBOX_URL": sandbox.url,
            "FISCAL_INTEGRATIONS_FILE": str(integrations),
            "FISCAL_REGISTER_RATE": "100",
            "FISCAL_PROCESSES": "1",
        }
        with pika.BlockingConnection(parameters(node.url, "bench")) as connection:
            Topology().declare(connection.channel())
        worker = WorkerProcess(environment, folder / "worker.log").start(wait=False)
        stack.callback(worker.kill)
        assert worker.process is not None
        os.sched_setaffinity(worker.process.pid, _MEASURED)
        worker.wait_until_ready(60)
        yield Place(node, url, folder, environment, rows, cluster)


def counts(url: str) -> list[int]:
    engine: Engine = database.reading(url)
    try:
        with engine.connect() as connection:
            query = [select(func.count()).select_from(table) for table in _TABLES]
            return [connection.execute(one).scalar_one() for one in query]
    except SQLAlchemyError:
        return [0, 0, 0]
    finally:
        engine.dispose()


def pour(url: str, number_of: int, per_second: float) -> float:
    """Orders that the journal alone hears, with their events; the seconds that it took."""
    body, event = a_body(id=_REQUEST), an_event(request=_REQUEST, receipt__id=_RECEIPT)
    event_id = event[event.index(b'"id": "') + 7 :][:36]
    properties = pika.BasicProperties(delivery_mode=2)
    with pika.BlockingConnection(parameters(url, "bench")) as connection:
        channel = connection.channel()
        began = time.monotonic()
        for number in range(number_of):
            changed = [
                (str(AN_ORDER).encode(), f"00000000-0000-4000-8000-{number:012}".encode()),
                (_REQUEST.encode(), f"measured-{number}".encode()),
                (_RECEIPT.encode(), f"00000000-0000-4000-9000-{number:012}".encode()),
                (event_id, f"00000000-0000-4000-a000-{number:012}".encode()),
            ]
            for exchange, key, message in (
                (ORDERS_EXCHANGE, _KEY, body),
                (EVENTS_EXCHANGE, "fiscalization.succeeded", event),
            ):
                for old, new in changed:
                    message = message.replace(old, new)
                channel.basic_publish(exchange, key, message, properties)
            ahead = began + (number + 1) / per_second - time.monotonic()
            if ahead > 0.01:
                connection.sleep(ahead)
        took = time.monotonic() - began
        channel.queue_purge(EVENTS_QUEUE)
    return took


def pace(at: Place, seconds: int, per_second: int) -> None:
    """One core for journal and worker."""
    with at.journal() as journal, Bimp(at.node.url) as bimp:
        os.sched_setaffinity(journal.pid, _MEASURED)
        _wait_for_consumer(at)
        pouring = threading.Thread(target=pour, args=(at.node.url, seconds * per_second, per_second))
        selling = threading.Thread(target=_sell, args=(at, bimp, seconds, 20))
        used, began = machine.cpu_seconds([journal.pid]), time.monotonic()
        for thread in (pouring, selling):
            thread.start()
        depths = []
        while pouring.is_alive():
            depths.append(at.waiting())
            time.sleep(1)
        took = time.monotonic() - began
        at.wait_until_heard()
        caught_up = time.monotonic() - began - took
        selling.join()
        used = machine.cpu_seconds([journal.pid]) - used
        sold = sum(request.startswith("sold-") for request in bimp.heard.succeeded)
    print(
        f"pace: {seconds * per_second / took:.0f} orders/s for {took:.0f} s; waiting: median "
        f"{statistics.median(depths):.0f}, most {max(depths)} messages; empty {caught_up:.1f} s afterwards; "
        f"{1000 * used / (seconds * per_second):.2f} ms of CPU an order; the worker fiscalized {sold} "
        f"beside it; rows {counts(at.url)}"
    )


def backlog(at: Place, number_of: int) -> None:
    """How fast the journal is when it has to catch up, alone on its core."""
    before = counts(at.url)[0]
    pour(at.node.url, number_of, 1e9)
    began = time.monotonic()
    with at.journal() as journal:
        os.sched_setaffinity(journal.pid, _MEASURED)
        at.wait_until_heard()
        took = time.monotonic() - began
    print(f"backlog: {number_of:,} orders in {took:.1f} s, {number_of / took:.0f} orders/s; {before} before")


def killed(at: Place, seconds: int, per_second: int) -> None:
    """SIGKILL every three seconds; a second journal runs beside it."""
    number_of, kills = seconds * per_second // 2, 0
    with at.journal() as journal, at.journal():
        _wait_for_consumer(at)
        pouring = threading.Thread(target=pour, args=(at.node.url, number_of, per_second / 2))
        pouring.start()
        while pouring.is_alive():
            time.sleep(3)
            journal.kill()
            journal.start()
            kills += 1
        at.wait_until_heard()
    found = counts(at.url)
    verdict = "none lost, none doubled" if found == [number_of] * 3 else "WRONG"
    print(f"killed: {kills} times under {2 * number_of:,} messages in {seconds} s; rows {found}: {verdict}")


def away(at: Place, seconds: int) -> None:
    """The database ends and comes back; orders go on."""
    assert at.cluster is not None
    with at.journal(), Bimp(at.node.url) as bimp:
        _wait_for_consumer(at)
        selling = threading.Thread(target=_sell, args=(at, bimp, seconds + 20, 10))
        selling.start()
        time.sleep(10)
        at.cluster.stop()
        before = len(bimp.heard.succeeded)
        time.sleep(seconds)
        meanwhile, waiting = len(bimp.heard.succeeded) - before, at.waiting()
        at.cluster.start()
        began = time.monotonic()
        selling.join()
        while len(bimp.heard.succeeded) < (seconds + 20) * 10:
            time.sleep(0.1)
        at.wait_until_heard()
        print(
            f"away: {meanwhile} orders were fiscalized in {seconds} s without it, {waiting} messages waited, "
            f"all were heard {time.monotonic() - began:.0f} s later; rows {counts(at.url)}"
        )


def _sell(at: Place, bimp: Bimp, seconds: int, per_second: int) -> None:
    requests = (
        a_request(UUID(int=number + 1), f"N{number}", at.rows[number % len(at.rows)], f"sold-{number}")
        for number in range(seconds * per_second)
    )
    bimp.publish(requests, per_second)


def _wait_for_consumer(at: Place) -> None:
    while not ((queue := at.node.queues().get(JOURNAL_QUEUE)) and queue.consumers):
        time.sleep(0.1)
    time.sleep(1)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--in", dest="kind", choices=["sqlite", "postgresql"], default="sqlite")
    parser.add_argument("--seconds", type=int, default=60)
    chosen = parser.parse_args()
    with place(chosen.kind) as at:
        pace(at, chosen.seconds, 500)
    with place(chosen.kind) as at:
        with at.journal():
            _wait_for_consumer(at)
        backlog(at, 20_000)
    with place(chosen.kind) as at:
        killed(at, chosen.seconds, 1000)
    if chosen.kind == "postgresql":
        with place(chosen.kind) as at:
            away(at, chosen.seconds)


if __name__ == "__main__":
    main()
