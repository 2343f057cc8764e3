"""How fast the journal finds, sums up and writes: ``python -m tests.bench.journal --in postgresql``.

``--at URL`` measures a database that stays: it is filled first where it holds no journal yet.
"""

from __future__ import annotations

import argparse
import random
import statistics
import tempfile
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any
from uuid import uuid4

from sqlalchemy import Engine, select

from tests.bench.journal_rows import (
    A_DAY,
    ORDER,
    REQUEST_ID,
    day_of_order,
    doc_number,
    fill,
    fiscal_code,
    key,
)
from tests.builders import a_body
from tests.journal.messages import an_event
from tests.postgresql import PrivatePostgreSQL
from worker.journal import database
from worker.journal.day import day_of
from worker.journal.finding import find
from worker.journal.heard import rows_of_event, rows_of_request
from worker.journal.schema import migrate
from worker.journal.tables import REQUESTS
from worker.journal.writer import Writer

_BATCH = 500
_LOOKS = 50


def main() -> None:
    """Fill a database, and measure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--orders", type=int, default=1_000_000)
    parser.add_argument("--in", dest="kind", choices=["sqlite", "postgresql"], default="sqlite")
    parser.add_argument("--at", metavar="URL", help="a database that stays as it is afterwards")
    chosen = parser.parse_args()
    if chosen.at:
        measure(chosen.at, chosen.orders)
    elif chosen.kind == "sqlite":
        with tempfile.TemporaryDirectory() as folder:
            measure(f"sqlite:///{Path(folder) / 'journal.db'}", chosen.orders)
    else:
        options = "shared_buffers=512MB", "max_wal_size=8GB", "maintenance_work_mem=512MB"
        with PrivatePostgreSQL(options) as cluster:
            measure(cluster.new_database("journal"), chosen.orders)


def measure(url: str, orders: int) -> None:
    engine = database.writing(url)
    migrate(engine)
    began = time.monotonic()
    if _is_empty(engine):
        fill(engine, orders, lambda text: print(f"{time.monotonic() - began:.0f} s: {text}", flush=True))
        print(f"filled with {orders:,} orders in {time.monotonic() - began:.0f} s")
    reader = database.reading(url)
    numbers = random.sample(range(orders), _LOOKS)
    days = [
        day_of_order(number) for number in random.sample(range(0, orders, A_DAY), min(10, orders // A_DAY))
    ]
    for name, looks in (
        ("find by docNumber", [lambda n=n: find(reader, doc_number(n)) for n in numbers]),
        ("find by fiscal number", [lambda n=n: find(reader, fiscal_code(n)) for n in numbers]),
        ("find by uuid", [lambda n=n: find(reader, str(key(ORDER, n))) for n in numbers]),
        ("find by request id", [lambda n=n: find(reader, key(REQUEST_ID, n).hex) for n in numbers]),
        ("find by a beginning", [lambda n=n: find(reader, doc_number(n)[:-2]) for n in numbers]),
        ("find by three characters", [lambda: find(reader, "зп-")] * 5),
        ("a day of 100,000", [lambda day=day: day_of(reader, day) for day in days]),
    ):
        print(f"{name}: {milliseconds(looks)}", flush=True)
    print(f"written: {inserted(engine):.0f} orders/s")


def _is_empty(engine: Engine) -> bool:
    with engine.connect() as connection:
        return connection.execute(select(REQUESTS.c.key).limit(1)).first() is None


def milliseconds(looks: Iterable[Callable[[], Any]]) -> str:
    """Each looks for something else."""
    taken = []
    for look in looks:
        began = time.monotonic()
        assert look()
        taken.append(1000 * (time.monotonic() - began))
    return f"median {statistics.median(taken):.1f} ms, the first {taken[0]:.1f}, the slowest {max(taken):.1f}"


def inserted(engine: Engine) -> float:
    """Orders a second that one writer takes: a request and its outcome each, from the messages themselves."""
    count = 10_000
    messages = []
    for _ in range(count):
        order, request = str(uuid4()), str(uuid4())
        body = a_body(id=request, subject=order, data__order__uuid=order)
        messages.append((body, an_event(request=request, order=order, receipt__id=str(uuid4()))))
    writer = Writer(engine)
    began = time.monotonic()
    now = int(1000 * time.time())
    for start in range(0, count, _BATCH):
        rows = []
        for body, event in messages[start : start + _BATCH]:
            rows += [*rows_of_request(body, now), *rows_of_event(event, now)]
        writer.write(rows)
    return count / (time.monotonic() - began)


if __name__ == "__main__":
    main()
