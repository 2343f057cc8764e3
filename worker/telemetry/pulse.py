"""The heartbeat of the worker processes, shared by fork with the process that answers the probes."""

from __future__ import annotations

import time
from multiprocessing.sharedctypes import RawArray

#: Seconds without a beat after which a process is held for dead.
SILENCE = 60.0


class Pulse:
    """A slot for each worker process. A slot that never beat is of a process that has not started."""

    def __init__(self, processes: int) -> None:
        self._beats = RawArray("d", processes)
        self._consuming = RawArray("b", processes)

    def beat(self, slot: int, consuming: bool) -> None:
        """The process's threads are alive and none is stuck."""
        self._beats[slot] = time.monotonic()
        self._consuming[slot] = consuming

    def gone(self, slot: int) -> None:
        """The process ended; another one is on its way."""
        self._beats[slot] = time.monotonic()
        self._consuming[slot] = False

    @property
    def silent(self) -> list[int]:
        """Processes that started and have been silent for too long."""
        now = time.monotonic()
        return [slot for slot, beat in enumerate(self._beats) if beat and now - beat > SILENCE]

    @property
    def consuming(self) -> int:
        """Processes that consume every queue."""
        return sum(self._consuming)

    @property
    def processes(self) -> int:
        return len(self._beats)
