"""The open shifts as they were seen last: asked for in the background while somebody looks at the page."""

from __future__ import annotations

import threading
import time
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime

from config import settings as configuration
from config.errors import ConfigurationError
from worker.app import read_integrations
from worker.checkbox.client import CheckboxClient
from worker.operators.open_shifts import OpenShifts, open_shifts

#: Seconds for which Checkbox is not asked again; a look that takes long is made again after so many times.
_FOR, _RARELY = 120.0, 10
#: Seconds that a page waits for the first look.
_PATIENCE = 1.0


@dataclass(frozen=True, slots=True)
class SeenShifts:
    """A look, and when it ended."""

    shifts: OpenShifts
    seen_at: datetime


class OpenShiftsLook:
    """For any thread. One look at a time: each cashier without a licence key is signed in for it."""

    def __init__(self) -> None:
        self._due_at = 0.0
        self._seen: SeenShifts | None = None
        self._stopping = threading.Event()
        self._looking = threading.Thread()
        self._beginning = threading.Lock()

    def last(self) -> SeenShifts | None:
        """The last look; a new one is begun where that was long ago."""
        with self._beginning:
            if time.monotonic() >= self._due_at and not self._looking.is_alive():
                self._looking = threading.Thread(target=self._look, name="open shifts", daemon=True)
                self._looking.start()
        if self._seen is None:
            self._looking.join(_PATIENCE)
        return self._seen

    def end(self) -> None:
        """Stop a look under way, so that nobody stays signed in."""
        self._stopping.set()
        if self._looking.is_alive():
            self._looking.join(10)

    def _look(self) -> None:
        began = time.monotonic()
        try:
            integrations = read_integrations(configuration.load()).integrations.in_force
            with closing(CheckboxClient()) as client:
                shifts = open_shifts(client, integrations, time.time(), self._stopping.is_set)
            self._seen = SeenShifts(shifts, datetime.now(UTC))
        except ConfigurationError:
            pass  # the page of letters and `doctor` name it
        finally:
            self._due_at = time.monotonic() + max(_FOR, _RARELY * (time.monotonic() - began))
