"""Looks again at shifts that have been open for long, so that the metrics stay true.

A person closes a shift at Checkbox, and where no order follows nothing else shows it: the morning after, the
worker would still report yesterday's shift as open, and an alert would fire for each cashier.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping

from worker.checkbox.sessions import Sessions
from worker.fiscal.integrations import Integration
from worker.fiscal.outcomes import Verdict
from worker.telemetry.logs import logger

_log = logger(__name__)
#: Some minutes before the alert that warns of the end of the day.
LONG = 22.75 * 3600
#: Seconds between two looks.
EVERY = 300.0


class ShiftWatch:
    """Run in a loop of each worker process: each looks after what it shows itself."""

    def __init__(self, integrations: Callable[[], Mapping[str, Integration]], sessions: Sessions) -> None:
        self._integrations = integrations
        self._sessions = sessions

    def look(self, stop: threading.Event, progress: Callable[[], None]) -> None:
        """Look once at each shift that was opened long ago; one whose cashier is gone is shown no more.

        ``progress`` is called after each. Raises what went wrong with one, after the others had their look.
        """
        broken: Exception | None = None
        for name, cashier_name in self._sessions.shown_for_longer_than(LONG):
            if stop.is_set():
                break
            try:
                self._look_at(name, cashier_name)
            except Exception as error:
                broken = error
            progress()
        if broken is not None:
            raise broken

    def _look_at(self, name: str, cashier_name: str) -> None:
        integration = self._integrations().get(name)
        cashier = integration.cashiers.get(cashier_name) if integration is not None else None
        if integration is None or cashier is None:
            self._sessions.show_no_shift(name, cashier_name)
            return
        try:
            with self._sessions.enter(integration, cashier) as session:
                session.shift(LONG)
        except Verdict as verdict:  # the session is in use, and shows the shift; or Checkbox is away
            reason = type(verdict).__name__
            _log.info("shift_not_looked_at", integration=name, cashier=cashier_name, reason=reason)
