"""Who may go when: promises of turns a fixed time apart."""

from __future__ import annotations

import threading


class Turns:
    """Turns at least ``spacing`` seconds apart, each promised to one asker. Times are monotonic seconds."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._free_from = 0.0
        self._promised = 0.0

    def wait(self, now: float) -> float:
        """Seconds until the next one may go; 0 is now."""
        return max(0.0, self._free_from - now)

    def took(self, now: float, spacing: float) -> None:
        """Somebody went; the next may go ``spacing`` after ``now``."""
        with self._lock:
            self._free_from = now + spacing

    def reserve(self, now: float, spacing: float) -> float:
        """Seconds until a turn that nobody else was promised.

        A promise only spreads the askers: what keeps the distance is ``wait``.
        """
        with self._lock:
            self._promised = max(self._promised + spacing, self._free_from, now)
            return self._promised - now
