"""A journal full of orders, written by the database itself: 10,000,000 of them would take Python an hour."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import date, datetime, timedelta
from datetime import time as clock_time
from uuid import UUID

from sqlalchemy import Connection, Engine, Table, event, text

from worker.fiscal.kyiv import KYIV
from worker.journal.tables import OUTCOMES, RECEIPTS, REQUESTS

A_DAY = 100_000
FIRST = date(2026, 1, 1)
#: The first of an order's keys; each kind is spread over the whole range, as real ones are.
REQUEST, REQUEST_ID, OUTCOME, RECEIPT, ORDER, SHIFT = "qiorus"


def key(kind: str, number: int) -> UUID:
    """As the database makes it."""
    return UUID(hashlib.md5(f"{kind}{number}".encode(), usedforsecurity=False).hexdigest())


def doc_number(number: int) -> str:
    return f"ЗП-{number:09}"


def fiscal_code(number: int) -> str:
    return f"TEST-{number:09}"


def day_of_order(number: int) -> date:
    return FIRST + timedelta(days=number // A_DAY)


def fill(engine: Engine, orders: int, say: Callable[[str], None]) -> None:
    """Orders of 270.00, each asked for once and fiscalized; the indexes are made afterwards.

    PostgreSQL fills its tables side by side.
    """
    is_postgresql = engine.dialect.name == "postgresql"
    if not is_postgresql:
        event.listen(engine, "connect", _teach_md5)
        engine.dispose()  # connections that were made before have not learned it
    with ThreadPoolExecutor(len(_COLUMNS) if is_postgresql else 1) as threads:
        for table in threads.map(lambda table: _fill_table(engine, table, orders), _COLUMNS):
            say(f"{orders:,} rows of {table.name}")
    with engine.connect() as connection:
        connection.execution_options(isolation_level="AUTOCOMMIT")
        connection.execute(text("SET statement_timeout = 0" if is_postgresql else "SELECT 1"))
        connection.execute(text("VACUUM ANALYZE" if is_postgresql else "ANALYZE"))


def _fill_table(engine: Engine, table: Table, orders: int) -> Table:
    with _unlimited(engine) as connection:
        for index in table.indexes:
            index.drop(connection)
        _primary_key(connection, table, "DROP CONSTRAINT {name}")
        _insert(connection, table, orders)
    for index in table.indexes:
        with _unlimited(engine) as connection:
            index.create(connection)
    with _unlimited(engine) as connection:
        _primary_key(connection, table, "ADD CONSTRAINT {name} PRIMARY KEY ({column})")
    return table


@contextmanager
def _unlimited(engine: Engine) -> Iterator[Connection]:
    """A transaction that may take its time."""
    with engine.begin() as connection:
        if engine.dialect.name == "postgresql":
            connection.exec_driver_sql("SET LOCAL statement_timeout = 0")
        yield connection


def _primary_key(connection: Connection, table: Table, change: str) -> None:
    """PostgreSQL makes its index faster afterwards, too."""
    if connection.dialect.name == "postgresql":
        (column,) = table.primary_key
        what = change.format(name=f"{table.name}_pkey", column=column.name)
        connection.exec_driver_sql(f"ALTER TABLE {table.name} {what}")


def _insert(connection: Connection, table: Table, orders: int) -> None:
    if connection.dialect.name == "postgresql":
        # In the transaction that emptied the table they need no log where `wal_level` is `minimal`.
        connection.exec_driver_sql(f"TRUNCATE {table.name}")
        series, cast = f"SELECT * FROM generate_series(0, CAST({orders - 1} AS bigint))", "::uuid"  # noqa: S608
    else:
        series, cast = f"SELECT 0 UNION ALL SELECT n + 1 FROM series WHERE n < {orders - 1}", ""  # noqa: S608
    keys = {name: f"md5('{kind}' || n){cast}" for name, kind in _KEYS.items()}
    columns = _COLUMNS[table]
    values = ", ".join(one.format(**keys, at=_AT) for one in columns.values())
    insert = f"INSERT INTO {table.name} ({', '.join(columns)}) SELECT {values} FROM series"  # noqa: S608
    connection.exec_driver_sql(f"WITH RECURSIVE series(n) AS ({series}) {insert}")


def _teach_md5(connection: object, _: object) -> None:
    connection.create_function(
        "md5", 1, lambda text: hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()
    )  # type: ignore[attr-defined]


_KEYS = {"request": REQUEST, "outcome": OUTCOME, "receipt": RECEIPT, "order": ORDER}
_MORNING = int(1000 * datetime.combine(FIRST, clock_time(8), KYIV).timestamp())
#: From eight in the morning on, one each half a second.
_AT = f"{_MORNING} + n / {A_DAY} * 86400000 + (n - n / {A_DAY} * {A_DAY}) * 500"
_NUMBER = "substr(CAST(1000000000 + n AS text), 2)"
_OF_ORDER = {
    "subject": "{order}",
    "doc_number": f"'ЗП-' || {_NUMBER}",
    "integration": "'shop-' || (n - n / 20 * 20)",
    "cashier": "'cashier-' || (n - n / 3 * 3)",
    "operation": "'SELL'",
    "total": "27000",
    "means": """'[["CASHLESS", "Картка"]]'""",
}
_COLUMNS = {
    REQUESTS: {
        "key": "{request}",
        "heard_at": "{at}",
        "asked_at": "{at}",
        "order_uuid": "{order}",
        "doc_search": f"'зп-' || {_NUMBER}",
        "source": "'/companies/000001398'",
        "company": "'000001398'",
        "request_id": f"md5('{REQUEST_ID}' || n)",
        "id_search": f"md5('{REQUEST_ID}' || n)",
        "payments": """'[["CASHLESS", "Картка", 27000]]'""",
        **_OF_ORDER,
    },
    OUTCOMES: {
        "id": "{outcome}",
        "heard_at": "{at} + 2500",
        "told_at": "{at} + 2000",
        "request": "{request}",
        "subject": "{order}",
        "outcome": "'succeeded'",
        "attempts": "1",
        "already": "false",
        "receipts": """'["' || {receipt} || '"]'""",
    },
    RECEIPTS: {
        "id": "{receipt}",
        "heard_at": "{at} + 2500",
        "fiscal_at": "{at} + 2000",
        "request": "{request}",
        "already": "false",
        "fiscal_code": f"'TEST-' || {_NUMBER}",
        "fiscal_search": f"'test-' || {_NUMBER}",
        "shift": f"md5('{SHIFT}' || (n / 500))",
        "register": "'TEST102567'",
        "offline": "false",
        "tax_url": f"'https://cabinet.tax.gov.ua/cashregs/check?id=TEST-' || {_NUMBER}",
        "link": "'https://api.checkbox.ua/api/v1/receipts/' || {receipt} || '/html'",
        **_OF_ORDER,
    },
}
