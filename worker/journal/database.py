"""The way to the journal's database: SQLite on one machine, PostgreSQL for more."""

from __future__ import annotations

from typing import Any

from sqlalchemy import URL, Engine, create_engine, event, make_url
from sqlalchemy.exc import DataError, DBAPIError, IntegrityError, SQLAlchemyError, StatementError

#: Seconds. Together they leave room for a last batch within the 25 s that a stop may take.
_CONNECT = 5
_LOCK = 5
_STATEMENT = 15
#: A host that dies while its answer is awaited is noticed after half a minute, and not after the system's two
#: hours: nothing of ours is on its way then, which alone the other limits see.
_ALIVE = {"keepalives": 1, "keepalives_idle": 15, "keepalives_interval": 5, "keepalives_count": 3}


def writing(url: str) -> Engine:
    """For the one who writes. An SQLite file is made where there is none."""
    return _engine(make_url(url), "BEGIN IMMEDIATE", {})


def reading(url: str) -> Engine:
    """For those who look. An SQLite file that is not there is an error, and is not made."""
    return _engine(make_url(url), "BEGIN", {"mode": "rw", "uri": "true"})


#: What a statement may end in. SQLite's driver has words of its own for a number of more than 64 bits.
REFUSALS = (SQLAlchemyError, OverflowError)


def is_fault_of_row(error: Exception) -> bool:
    """Whether the database refuses what a row holds.

    Any other error is waited out: the database is away, its tables are gone, or rights are missing, and what
    was heard must not be lost for that.
    """
    if isinstance(error, StatementError) and not isinstance(error, DBAPIError):
        return True
    return isinstance(error, DataError | IntegrityError | OverflowError)


def _engine(url: URL, begin: str, query: dict[str, str]) -> Engine:
    if url.get_backend_name() == "sqlite":
        path = f"file:{url.database}" if query else url.database
        engine = create_engine(url.set(database=path, query=query), connect_args={"timeout": _LOCK})
        _leave_transactions_to_us(engine, begin)
        return engine
    return create_engine(
        url.set(drivername="postgresql+psycopg"),
        pool_pre_ping=True,
        pool_size=2,
        connect_args={
            "connect_timeout": _CONNECT,
            "tcp_user_timeout": _STATEMENT * 1000,
            **_ALIVE,
            "options": f"-c statement_timeout={_STATEMENT}s -c timezone=UTC",
        },
    )


def _leave_transactions_to_us(engine: Engine, begin: str) -> None:
    """The driver would begin a transaction at the first write only: two writers could not wait in turn."""

    @event.listens_for(engine, "connect")
    def _connected(connection: Any, _: object) -> None:
        connection.isolation_level = None
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")

    @event.listens_for(engine, "begin")
    def _begin(connection: Any) -> None:
        connection.exec_driver_sql(begin)
