"""Finds orders by whatever a person has of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Engine, Select, select, union_all
from sqlalchemy.exc import SQLAlchemyError

from worker.journal.found_order import FoundOrder
from worker.journal.heard import searched
from worker.journal.history import found_orders
from worker.journal.tables import OUTCOMES, RECEIPTS, REQUESTS

#: Orders that are listed.
MOST = 20
#: Rows that are looked at for these: one order may have several requests.
_LOOKED_AT = 500
#: Sorts after whatever a docNumber may go on with.
_LAST = chr(0x10FFFF)


class JournalUnreadable(Exception):
    """The database is away, or holds no journal."""


def find(engine: Engine, text: str) -> list[FoundOrder]:
    """Orders by uuid, docNumber, receipt id, fiscal number or request id, that of the latest request first.

    Case and spaces do not count. Where nothing bears the text as a whole, orders are found whose docNumber
    begins with it; at most ``MOST`` in all. Raises ``JournalUnreadable``.
    """
    with looking(engine) as connection:
        subjects = _subjects(connection, searched(text))
        found = found_orders(connection, subjects) if subjects else []
    return sorted(found, key=lambda one: one.heard_at, reverse=True)


@contextmanager
def looking(engine: Engine) -> Iterator[Connection]:
    """A connection that only reads. Raises ``JournalUnreadable``, in plain words."""
    try:
        with engine.connect() as connection:
            yield connection
    except SQLAlchemyError as error:
        raise JournalUnreadable(f"the journal cannot be read ({type(error).__name__})") from None


def _subjects(connection: Connection, text: str) -> list[UUID]:
    if not text:
        return []
    exact = [REQUESTS.c.doc_search == text, REQUESTS.c.id_search == text, RECEIPTS.c.fiscal_search == text]
    if (uuid := _uuid(text)) is not None:
        exact += [table.c.subject == uuid for table in (REQUESTS, OUTCOMES, RECEIPTS)]
        exact += [RECEIPTS.c.id == uuid]
    queries = [select(one.left.table.c.subject, one.left.table.c.heard_at).where(one) for one in exact]
    begins = (REQUESTS.c.doc_search >= text) & (REQUESTS.c.doc_search < text + _LAST)
    begun = select(REQUESTS.c.subject, REQUESTS.c.heard_at).where(begins)
    return _latest(connection, queries) or _latest(connection, [begun])


def _latest(connection: Connection, queries: Sequence[Select[Any]]) -> list[UUID]:
    """Asked at once: what a person waits for is mostly the way to the database and back."""
    newest = [one.order_by(one.selected_columns.heard_at.desc()).limit(_LOOKED_AT) for one in queries]
    rows = connection.execute(union_all(*(select(one.subquery()) for one in newest))).all()
    latest_first = sorted(rows, key=lambda row: int(row.heard_at), reverse=True)
    return list(dict.fromkeys(row.subject for row in latest_first))[:MOST]


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None
