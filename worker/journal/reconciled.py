"""What the comparisons of closed shifts came to, as the journal heard of them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Engine, select

from worker.journal.finding import looking
from worker.journal.tables import RECONCILIATIONS


@dataclass(frozen=True, slots=True)
class ReconciledShift:
    """The newest comparison of a shift, for one integration: ``report`` is the notice's data."""

    compared_at: datetime
    report: Mapping[str, Any]


def reconciled_shifts(engine: Engine, most: int, *, since: float = 0.0) -> list[ReconciledShift]:
    """Shifts that were closed since, in seconds since the epoch, the last one first.

    Raises ``JournalUnreadable``.
    """
    c = RECONCILIATIONS.c
    query = select(c.compared_at, c.report).where(c.closed_at >= int(since * 1000))
    with looking(engine) as connection:
        rows = connection.execute(query.order_by(c.closed_at.desc(), c.key).limit(most)).all()
    return [ReconciledShift(datetime.fromtimestamp(at / 1000, UTC), json.loads(text)) for at, text in rows]
