"""What the fleet's last checks found: workers are asked over the broker, and nobody signs in."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from config.errors import ConfigurationError
from worker.app import topology_of
from worker.operators.connection import broker
from worker.operators.fleet_inquiry import ask_checks
from worker.operators.unreachable import BrokerUnreachable

#: Seconds for which the fleet is not asked again.
_FOR = 2.0
#: Seconds that a page waits for the answer.
_PATIENCE = 0.7
#: Seconds after which nobody waits any more for a check that was asked for.
_LONGEST_CHECK = 60.0


@dataclass(frozen=True, slots=True)
class Heard:
    """Reports as `worker/checks/report.py` makes them, by integration; None: nobody was asked yet."""

    reports: Sequence[Mapping[str, Any]] | None = None
    trouble: str | None = None


class FleetChecks:
    """For any thread."""

    def __init__(self) -> None:
        self._heard = Heard()
        self._asking = threading.Lock()
        self._asked_at = -_FOR
        #: When a check of an integration was asked for, and the time of the one that was known.
        self._wanted: dict[str, tuple[float, str | None]] = {}

    def heard(self) -> Heard:
        """What is known now, or was a moment ago."""
        if time.monotonic() - self._asked_at >= _FOR and not self._asking.locked():
            self._ask("")
        return self._heard

    def again(self, integration: str) -> None:
        """Have it checked now."""
        self._wanted[integration] = time.monotonic(), self._checked_at(integration)
        self._ask(integration)

    def is_awaited(self, integration: str) -> bool:
        """Whether a check was asked for that is not over."""
        asked_at, known = self._wanted.get(integration, (-_LONGEST_CHECK, None))
        return time.monotonic() - asked_at < _LONGEST_CHECK and self._checked_at(integration) == known

    def _checked_at(self, integration: str) -> str | None:
        reports = self._heard.reports or ()
        return next((one["checkedAt"] for one in reports if one["integration"] == integration), None)

    def _ask(self, integration: str) -> None:
        self._asked_at = time.monotonic()
        thread = threading.Thread(target=self._read, args=(integration,), name="checks", daemon=True)
        thread.start()
        thread.join(_PATIENCE)

    def _read(self, integration: str) -> None:
        with self._asking:
            try:
                with broker() as (settings, connection):
                    self._heard = Heard(ask_checks(connection, topology_of(settings).queue, integration))
            except (BrokerUnreachable, ConfigurationError) as fault:
                self._heard = Heard(self._heard.reports, str(fault))
