"""Writes rows, a batch in a transaction; a row that is there already is left as it is."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import Connection, Engine, bindparam, delete, select, update
from sqlalchemy.dialects import postgresql, sqlite

from worker.journal.database import REFUSALS, is_fault_of_row
from worker.journal.heard import Row
from worker.journal.schema import migrate
from worker.journal.tables import ACTIONS, OUTCOMES, RECEIPTS, RECONCILIATIONS, REQUESTS
from worker.telemetry.logs import logger

_log = logger(__name__)
#: Rows that one transaction of the retention takes away: writing goes on between two.
_CHUNK = 5000


class Writer:
    """For one thread. The database is asked for nothing before the first batch."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._is_migrated = False
        insert = postgresql.insert if engine.dialect.name == "postgresql" else sqlite.insert
        once = (REQUESTS, OUTCOMES, ACTIONS)
        self._inserts = {table: insert(table).on_conflict_do_nothing() for table in once}
        receipts = insert(RECEIPTS)
        # The request that made a receipt is the one whose payments it has; another may be heard before it.
        self._inserts[RECEIPTS] = receipts.on_conflict_do_update(
            index_elements=["id"],
            set_={
                name: receipts.excluded[name]
                for name in ("request", "already", "means", "operation", "relation")
            },
            where=RECEIPTS.c.already & ~receipts.excluded.already,
        )
        compared = insert(RECONCILIATIONS)
        self._inserts[RECONCILIATIONS] = compared.on_conflict_do_update(
            index_elements=["key"],
            set_={name: compared.excluded[name] for name in ("heard_at", "compared_at", "ok", "report")},
            where=RECONCILIATIONS.c.compared_at < compared.excluded.compared_at,
        )

    def write(self, rows: Sequence[Row]) -> None:
        """Commit the rows. Raises ``SQLAlchemyError`` while the database is away: nothing was written.

        A row that the database refuses for what it holds is left out and logged: it holds up no other.
        """
        self._prepare()
        try:
            self._commit(rows)
        except REFUSALS as error:
            if not is_fault_of_row(error):
                self._is_migrated = False  # it may come back empty
                raise
            for row in rows:
                self._write_alone(row)

    def forget(self, before: int) -> bool:
        """Take away some of the rows that were heard before, in ms; whether there may be more."""
        self._prepare()
        removed = 0
        with self._engine.begin() as connection:
            for table in self._inserts:
                (key,) = table.primary_key
                old = select(key).where(table.c.heard_at < before).limit(_CHUNK)
                removed = max(removed, connection.execute(delete(table).where(key.in_(old))).rowcount)
        return removed == _CHUNK

    def _prepare(self) -> None:
        if not self._is_migrated:
            migrate(self._engine)
            self._is_migrated = True

    def _commit(self, rows: Sequence[Row]) -> None:
        with self._engine.begin() as connection:
            for table, insert in self._inserts.items():
                values = [row.values for row in rows if row.table is table]
                if values:
                    connection.execute(insert, values)
            _fill_in_means(connection, rows)

    def _write_alone(self, row: Row) -> None:
        try:
            self._commit([row])
        except REFUSALS as error:
            if not is_fault_of_row(error):
                raise
            _log.error("journal_row_refused", kind=row.table.name, **{"error.type": type(error).__name__})


def _fill_in_means(connection: Connection, rows: Iterable[Row]) -> None:
    """The payments stand with the receipt, so that a day is summed up without looking at its requests.

    Of two journals, one may hear the request while the other hears the outcome: neither sees the other's row,
    and the reader of a day looks at the request itself.
    """
    keys = {_request_of(row) for row in rows if row.table in (REQUESTS, RECEIPTS)}
    if not keys:
        return
    means = select(REQUESTS.c.means).where(REQUESTS.c.key == RECEIPTS.c.request).scalar_subquery()
    connection.execute(
        update(RECEIPTS)
        .where(RECEIPTS.c.request.in_(bindparam("keys", expanding=True)), RECEIPTS.c.means.is_(None))
        .values(means=means),
        {"keys": list(keys)},
    )


def _request_of(row: Row) -> Any:
    return row.values["key" if row.table is REQUESTS else "request"]
