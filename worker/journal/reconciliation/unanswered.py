"""Requests that nobody answered: neither succeeded nor failed was heard of them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import Engine, exists, select

from worker.journal.day import bounds
from worker.journal.finding import looking
from worker.journal.found_order import shown_time
from worker.journal.reconciliation.difference import Kind
from worker.journal.tables import OUTCOMES, REQUESTS


@dataclass(frozen=True, slots=True)
class Unanswered:
    """A request; ``heard_at`` in milliseconds since the epoch."""

    request_id: str
    source: str | None
    order: UUID | None
    doc_number: str | None
    integration: str | None
    cashier: str | None
    heard_at: int

    @property
    def asked(self) -> tuple[str, str | None]:
        """What it is looked for by: two companies may have a request of the same id."""
        return self.request_id, str(self.order) if self.order else None

    def line(self, certain: bool) -> dict[str, Any]:
        """``certain``: everybody who may hold it was asked, and nobody does."""
        return {
            "kind": Kind.REQUEST_UNANSWERED.value,
            "requestId": self.request_id,
            "requestSource": self.source,
            "orderUuid": str(self.order) if self.order else None,
            "docNumber": self.doc_number,
            "integration": self.integration,
            "cashier": self.cashier,
            "heardAt": shown_time(self.heard_at),
            "certain": certain,
        }


def unanswered(engine: Engine, day: date, older_than: float, integrations: set[str]) -> list[Unanswered]:
    """Requests that were heard on the day and before ``older_than`` (seconds since the epoch).

    Of all integrations where none is named. Raises ``JournalUnreadable``.
    """
    first, following = bounds(day)
    c = REQUESTS.c
    answered = exists().where(OUTCOMES.c.request == c.key, OUTCOMES.c.outcome.in_(("succeeded", "failed")))
    query = (
        select(c.request_id, c.source, c.order_uuid, c.doc_number, c.integration, c.cashier, c.heard_at)
        .where(c.heard_at >= first, c.heard_at < min(following, int(older_than * 1000)), ~answered)
        .order_by(c.heard_at)
    )
    if integrations:
        query = query.where(c.integration.in_(integrations))
    with looking(engine) as connection:
        return [Unanswered(*row) for row in connection.execute(query)]
