"""What people did, for whoever asks later."""

from __future__ import annotations

from dataclasses import fields
from datetime import UTC, datetime

from sqlalchemy import Engine, RowMapping, func, select

from worker.journal.action import PAGE, Action, Done, DonePage
from worker.journal.finding import looking
from worker.journal.tables import ACTIONS

_NAMES = [field.name for field in fields(Action)]


def done_page(engine: Engine, wanted: int) -> DonePage:
    """The page of this number, or the last one. Raises ``JournalUnreadable``."""
    newest = select(ACTIONS).order_by(ACTIONS.c.done_at.desc(), ACTIONS.c.id)
    with looking(engine) as connection:
        count = connection.execute(select(func.count()).select_from(ACTIONS)).scalar_one()
        last = max(1, -(-count // PAGE))
        number = min(max(wanted, 1), last)
        rows = connection.execute(newest.limit(PAGE).offset((number - 1) * PAGE)).mappings().all()
    return DonePage([_done(row) for row in rows], number, last)


def _done(row: RowMapping) -> Done:
    at = datetime.fromtimestamp(row["done_at"] / 1000, UTC)
    return Done(at, Action(**{name: row[name] for name in _NAMES}))
