"""How fast the journal writes, finds and sums up: ``python -m tests.bench.journal --in sqlite``."""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable
from datetime import date, datetime, timedelta
from datetime import time as clock_time
from pathlib import Path
from typing import Any
from uuid import UUID

from sqlalchemy import Engine, text

from tests.builders import a_body
from tests.journal.messages import an_event
from worker.demo.postgresql import PrivatePostgreSQL
from worker.fiscal.kyiv import KYIV
from worker.journal import database
from worker.journal.day import day_of
from worker.journal.finding import find
from worker.journal.heard import rows_of_event, rows_of_request
from worker.journal.schema import migrate
from worker.journal.tables import METADATA, OUTCOMES, RECEIPTS, REQUESTS
from worker.journal.writer import Writer

A_DAY = 100_000
FIRST = date(2026, 1, 1)
_AT_ONCE = 100_000
_BATCH = 500
_MEANS = '[["CASHLESS", "Картка"]]'
_PAYMENTS = '[["CASHLESS", "Картка", 27000]]'


def main() -> None:
    """Fill a database, and measure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--orders", type=int, default=1_000_000)
    parser.add_argument("--in", dest="kind", choices=["sqlite", "postgresql"], default="sqlite")
    chosen = parser.parse_args()
    if chosen.kind == "sqlite":
        with tempfile.TemporaryDirectory() as folder:
            measure(f"sqlite:///{Path(folder) / 'journal.db'}", chosen.orders)
        return
    with PrivatePostgreSQL(
        ("shared_buffers=512MB", "max_wal_size=8GB", "maintenance_work_mem=512MB")
    ) as cluster:
        measure(cluster.new_database("journal"), chosen.orders)


def measure(url: str, orders: int) -> None:
    engine = database.writing(url)
    migrate(engine)
    began = time.monotonic()
    fill(engine, orders)
    print(f"filled with {orders:,} orders in {time.monotonic() - began:.0f} s")
    reader = database.reading(url)
    last = orders - 1
    for name, work in (
        ("find by docNumber", lambda: find(reader, f"ЗП-{last // 2:09}")),
        ("find by fiscal number", lambda: find(reader, f"TEST-{last // 3:09}")),
        ("find by uuid", lambda: find(reader, str(UUID(int=last // 4)))),
        ("find by a beginning", lambda: find(reader, f"ЗП-{last // 2:09}"[:-2])),
        ("a day of 100,000", lambda: day_of(reader, FIRST + timedelta(days=orders // A_DAY // 2))),
    ):
        print(f"{name}: {milliseconds(work)}")
    print(f"written: {inserted(engine):.0f} orders/s")


def milliseconds(work: Callable[[], Any]) -> str:
    """The first of its kind, and the median of ten."""
    taken = []
    for _ in range(11):
        began = time.monotonic()
        assert work()
        taken.append(1000 * (time.monotonic() - began))
    return f"first {taken[0]:.1f} ms, then {statistics.median(taken[1:]):.1f} ms"


def inserted(engine: Engine) -> float:
    """Orders a second that one writer takes: a request and its outcome each, from the messages themselves."""
    count = 10_000
    messages = []
    for number in range(count):
        order = f"10000000-0000-4000-8000-{number:012}"
        body = a_body(id=f"new-{number}", subject=order, data__order__uuid=order)
        receipt = f"20000000-0000-4000-8000-{number:012}"
        messages.append((body, an_event(request=f"new-{number}", order=order, receipt__id=receipt)))
    writer = Writer(engine)
    began = time.monotonic()
    for start in range(0, count, _BATCH):
        rows = []
        for body, event in messages[start : start + _BATCH]:
            rows += [*rows_of_request(body, start), *rows_of_event(event, start)]
        writer.write(rows)
    return count / (time.monotonic() - began)


def fill(engine: Engine, orders: int) -> None:
    """Orders of 270.00, each asked for once and fiscalized; the indexes are made afterwards."""
    indexes = [index for table in METADATA.tables.values() for index in table.indexes]
    with engine.begin() as connection:
        for index in indexes:
            index.drop(connection)
    for start in range(0, orders, _AT_ONCE):
        numbers = range(start, min(start + _AT_ONCE, orders))
        if engine.dialect.name == "postgresql":
            _copy(engine, numbers)
        else:
            with engine.begin() as connection:
                for table, row in ((REQUESTS, _request), (OUTCOMES, _outcome), (RECEIPTS, _receipt)):
                    connection.execute(table.insert(), [row(number) for number in numbers])
    with engine.begin() as connection:
        for index in indexes:
            index.create(connection)
    with engine.connect() as connection:
        connection.execution_options(isolation_level="AUTOCOMMIT").execute(text("ANALYZE"))


def _copy(engine: Engine, numbers: range) -> None:
    with engine.begin() as connection:
        cursor = connection.connection.cursor()
        for table, row in ((REQUESTS, _request), (OUTCOMES, _outcome), (RECEIPTS, _receipt)):
            names = list(row(0))
            with cursor.copy(f"COPY {table.name} ({', '.join(names)}) FROM STDIN") as copy:
                for number in numbers:
                    copy.write_row(list(row(number).values()))


def _at(number: int) -> int:
    day = FIRST + timedelta(days=number // A_DAY)
    morning = datetime.combine(day, clock_time(8), KYIV).timestamp()
    return int(1000 * morning) + number % A_DAY * 500


def _key(kind: int, number: int) -> UUID:
    """Spread over the whole range, as real ones are."""
    return UUID(int=(number * 0x9E3779B97F4A7C15F39CC0605CEDC835 + kind) % (1 << 128))


def _request(number: int) -> dict[str, Any]:
    return {
        **_row_of(number), "key": _key(1, number), "heard_at": _at(number), "asked_at": _at(number),
        "order_uuid": UUID(int=number), "doc_search": f"зп-{number:09}", "source": "/companies/000001398",
        "company": "000001398", "request_id": str(_key(2, number)), "id_search": str(_key(2, number)),
        "payments": _PAYMENTS,
    }  # fmt: skip


def _row_of(number: int) -> dict[str, Any]:
    return {
        "subject": UUID(int=number), "doc_number": f"ЗП-{number:09}", "integration": f"shop-{number % 20}",
        "cashier": f"cashier-{number % 3}", "operation": "SELL", "total": 270_00, "means": _MEANS,
    }  # fmt: skip


def _outcome(number: int) -> dict[str, Any]:
    return {
        "id": _key(3, number), "heard_at": _at(number) + 2500, "told_at": _at(number) + 2000,
        "request": _key(1, number), "subject": UUID(int=number), "outcome": "succeeded", "attempts": 1,
        "already": False, "receipts": f'["{_key(4, number)}"]',
    }  # fmt: skip


def _receipt(number: int) -> dict[str, Any]:
    code, receipt = f"TEST-{number:09}", _key(4, number)
    return {
        **_row_of(number), "id": receipt, "heard_at": _at(number) + 2500, "fiscal_at": _at(number) + 2000,
        "request": _key(1, number), "already": False, "fiscal_code": code, "fiscal_search": code.lower(),
        "shift": str(_key(5, number // 500)), "register": "TEST102567", "offline": False,
        "tax_url": f"https://cabinet.tax.gov.ua/cashregs/check?id={code}",
        "link": f"https://api.checkbox.ua/api/v1/receipts/{receipt}/html",
    }  # fmt: skip


if __name__ == "__main__":
    main()
