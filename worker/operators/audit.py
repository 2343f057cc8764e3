"""Who did what: a line in the log for each change by a person, kept by the journal where there is one."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pika

from worker.journal.action import Action
from worker.operators.connection import broker
from worker.operators.dead_letters.changes import Report
from worker.operators.dead_letters.outcomes import Outcomes
from worker.operators.shifts import Result
from worker.operators.unreachable import BrokerUnreachable
from worker.rabbit.topology import JOURNAL_QUEUE


class Audit:
    """Reports on behalf of one person."""

    def __init__(self, logger: Any, actor: str) -> None:
        self._logger = logger
        self._actor = actor

    def letters(self, event: str, wanted: str, report: Report, outcomes: Outcomes | None = None) -> None:
        """``wanted`` is the filter in words; ``event`` is ``dead_letters_replayed``, say."""
        counts = {"count": report.done, "failed": report.failed, "withheld": report.withheld}
        outcome = outcomes.described() if outcomes else None
        self._logger.info(event, actor=self._actor, wanted=wanted, outcome=outcome, **counts)
        self._keep(Action(event=event, actor=self._actor, wanted=wanted, outcome=outcome, **counts))

    def shift(self, event: str, result: Result) -> None:
        """``event`` is ``shift_close_asked`` or ``shift_open_asked``."""
        named = result.named
        self._logger.info(event, actor=self._actor, **named)
        outcome = named.pop("outcome")
        wanted = ", ".join(f"{name} {value}" for name, value in named.items() if value is not None)
        failed = int(result.is_failed)
        counts = {"count": 1 - failed, "failed": failed}
        self._keep(Action(event=event, actor=self._actor, wanted=wanted, outcome=outcome, **counts))

    def _keep(self, action: Action) -> None:
        """Where no journal is kept there is no such queue, and the broker drops it."""
        try:
            with broker() as (_, connection):
                channel = connection.channel()
                channel.confirm_delivery()
                properties = pika.BasicProperties(content_type="application/json", delivery_mode=2)
                channel.basic_publish("", JOURNAL_QUEUE, action.body(datetime.now(UTC)), properties)
        except BrokerUnreachable as fault:
            self._logger.warning("audit_not_kept", reason=str(fault))
