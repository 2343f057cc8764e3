"""Keeps a bad deployment from emptying the queue into the dead letters.

After a number of dead letters in a row that point to a fault of ours, the whole worker stops consuming, until
it is resumed or the pause is over. The count is one for all processes of the worker.
"""

from __future__ import annotations

import fcntl
import json
import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing.sharedctypes import RawValue
from typing import Any

from worker.fiscal.outcomes import Code

PAUSE = 600.0
_LONGEST_ROW = 1 << 24


class StopLimit:
    """Shared by fork. The count is in memory, safe from a full or cleaned folder.

    It is guarded by a record lock, which a killed process lets go of.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._memory = os.memfd_create("stop_limit")
        self._threads = threading.Lock()
        #: By the monotonic clock, which is one for all processes of a machine.
        self._until = RawValue("d", 0.0)
        self._counting = RawValue("b", 0)

    @property
    def is_engaged(self) -> bool:
        return bool(self._until.value > time.monotonic())

    @property
    def released_at(self) -> float:
        """Seconds since the epoch; in the future only while the worker is stopped."""
        return time.time() + self.seconds_left

    @property
    def seconds_left(self) -> float:
        return max(0.0, float(self._until.value) - time.monotonic())

    def release(self) -> None:
        with self._locked():
            self._write({})
            self._until.value = 0.0
            self._counting.value = 0

    def note(self, code: Code | None, cashier: str | None) -> bool:
        """Count what came of a request; ``code`` None is a success. True when this one reached the limit."""
        suspicious = code in (Code.INTERNAL_ERROR, Code.CASHIER_CREDENTIALS_REJECTED)
        if not suspicious and not self._counting.value:
            return False
        with self._locked():
            row = self._read() if suspicious else {}
            if code is Code.INTERNAL_ERROR:
                row["errors"] = row.get("errors", 0) + 1
            elif suspicious:
                row["cashiers"] = sorted({*row.get("cashiers", ()), str(cashier)})
            reached = row.get("errors", 0) + len(row.get("cashiers", ())) >= self._limit
            self._write({} if reached else row)
            self._counting.value = int(bool(row) and not reached)
            if reached:
                self._until.value = time.monotonic() + PAUSE
            return bool(reached)

    @contextmanager
    def _locked(self) -> Iterator[None]:
        # A record lock belongs to a process, and so does not keep its threads apart.
        with self._threads:
            fcntl.lockf(self._memory, fcntl.LOCK_EX)
            try:
                yield
            finally:
                fcntl.lockf(self._memory, fcntl.LOCK_UN)

    def _read(self) -> dict[str, Any]:
        try:
            row: dict[str, Any] = json.loads(os.pread(self._memory, _LONGEST_ROW, 0))
        except ValueError:
            return {}  # nothing is counted, or a process was killed while it wrote
        return row

    def _write(self, row: dict[str, Any]) -> None:
        os.ftruncate(self._memory, 0)
        os.pwrite(self._memory, json.dumps(row).encode(), 0)
