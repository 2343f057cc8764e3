"""Looks again at shifts that have been open for long, so that what the metrics tell of them is true.

A person closes a shift at Checkbox, and where no order follows nothing else shows it: the morning after, the
worker would still hold yesterday's shift for open, and an alarm would go off for each cashier.
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
_ROUND = 300.0


class ShiftWatch:
    """Run in a thread of each worker process: each looks after what it shows itself."""

    def __init__(self, integrations: Callable[[], Mapping[str, Integration]], sessions: Sessions) -> None:
        self._integrations = integrations
        self._sessions = sessions

    def run(self, stop: threading.Event) -> None:
        """Until ``stop``."""
        while not stop.wait(_ROUND):
            self.look(stop)

    def look(self, stop: threading.Event) -> None:
        """Look once at each shift that was opened long ago; one whose cashier is gone is shown no more."""
        for name, cashier_name in self._sessions.shown_for_longer_than(LONG):
            if stop.is_set():
                return
            integration = self._integrations().get(name)
            cashier = integration.cashiers.get(cashier_name) if integration is not None else None
            if integration is None or cashier is None:
                self._sessions.show_no_shift(name, cashier_name)
                continue
            try:
                with self._sessions.enter(integration, cashier) as session:
                    session.shift(LONG)
            except Verdict as verdict:  # whoever has the session sees the shift, and Checkbox may be away
                reason = type(verdict).__name__
                _log.info("shift_not_looked_at", integration=name, cashier=cashier_name, reason=reason)
