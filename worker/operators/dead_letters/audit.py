"""A line in the log for each replay and each discard: who, what, how many, and what came of it."""

from __future__ import annotations

from typing import Any

from worker.operators.dead_letters.changes import Report
from worker.operators.dead_letters.outcomes import Outcomes


class Audit:
    """Writes such lines on behalf of one person."""

    def __init__(self, logger: Any, actor: str) -> None:
        self._logger = logger
        self._actor = actor

    def __call__(self, event: str, wanted: str, report: Report, outcomes: Outcomes | None = None) -> None:
        """``wanted`` is the filter in words; ``event`` is ``dead_letters_replayed`` or ``…_discarded``."""
        self._logger.info(
            event,
            actor=self._actor,
            wanted=wanted,
            count=report.done,
            failed=report.failed,
            withheld=report.withheld,
            outcome=outcomes.described() if outcomes else None,
        )
