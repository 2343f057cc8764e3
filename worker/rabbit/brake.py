"""A deploy gone wrong must not pour the queue into the dead letters.

Past a number of dead letters in a row that speak of a fault of ours, the whole worker stops consuming, until
somebody resumes it or the pause is over. The count is one for all processes of the worker.
"""

from __future__ import annotations

import fcntl
import json
import time
from multiprocessing.sharedctypes import RawValue
from pathlib import Path
from typing import IO, Any

from worker.fiscal.outcomes import Code

PAUSE = 600.0


class Brake:
    """Shared by fork. The count lies in a file under ``flock``, which a killed process lets go of."""

    def __init__(self, folder: Path, limit: int) -> None:
        self._limit = limit
        self._file = folder / "brake.json"
        self._file.write_text("{}")
        self._until = RawValue("d", 0.0)
        self._counting = RawValue("b", 0)

    @property
    def is_engaged(self) -> bool:
        return bool(self._until.value > time.time())

    @property
    def released_at(self) -> float:
        """Seconds since the epoch; in the past when the brake is not engaged."""
        return float(self._until.value)

    @property
    def seconds_left(self) -> float:
        return max(0.0, self.released_at - time.time())

    def release(self) -> None:
        with self._file.open("r+") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            self._write(file, {})
            self._until.value = 0.0
            self._counting.value = 0

    def note(self, code: Code | None, cashier: str | None) -> bool:
        """Count what came of a request; ``code`` None is a success. True when this one engaged the brake."""
        suspicious = code in (Code.INTERNAL_ERROR, Code.CASHIER_CREDENTIALS_REJECTED)
        if not suspicious and not self._counting.value:
            return False
        with self._file.open("r+") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            row = self._read(file) if suspicious else {}
            if code is Code.INTERNAL_ERROR:
                row["errors"] = row.get("errors", 0) + 1
            elif suspicious:
                row["cashiers"] = sorted({*row.get("cashiers", ()), str(cashier)})
            reached = row.get("errors", 0) + len(row.get("cashiers", ())) >= self._limit
            self._write(file, {} if reached else row)
            self._counting.value = int(bool(row) and not reached)
            if reached:
                self._until.value = time.time() + PAUSE
            return bool(reached)

    @staticmethod
    def _read(file: IO[str]) -> dict[str, Any]:
        try:
            row: dict[str, Any] = json.load(file)
        except ValueError:
            return {}  # a process was killed while it wrote
        return row

    @staticmethod
    def _write(file: IO[str], row: dict[str, Any]) -> None:
        file.seek(0)
        file.truncate()
        json.dump(row, file)
