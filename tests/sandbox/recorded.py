"""The sandbox as a program that leaves the names of the options which its code reads: see tracing.py.

A file of its own for each process, in the folder that ``SANDBOX_READS`` names; ``reset`` is a new beginning.
"""

from __future__ import annotations

import inspect
import os
from collections.abc import Callable
from dataclasses import fields
from pathlib import Path
from typing import Any

from worker.cli import main
from worker.sandbox import options, parties
from worker.sandbox.clock import Clock
from worker.sandbox.state import State

RESET = "reset"
#: Noted where a test moves the clock, or has a shift be open for long.
TIME = "time"
NAMES = frozenset(field.name for field in fields(options.Options))


class Reads:
    """Each name once between two resets."""

    def __init__(self, folder: Path) -> None:
        self._file = (folder / str(os.getpid())).open("w", buffering=1)
        self._seen: set[str] = set()

    def note(self, name: str) -> None:
        if name not in self._seen:
            self._seen.add(name)
            self._file.write(f"{name}\n")

    def forget(self) -> None:
        self._seen.clear()
        self._file.write(f"{RESET}\n")


def record(reads: Reads) -> None:
    """From now on the sandbox of this process is recorded."""

    class Recorded(options.Options):
        __slots__ = ()

        def __getattribute__(self, name: str) -> Any:
            frame = inspect.currentframe()
            reader = frame.f_back if frame else None
            if (
                name in NAMES and reader and reader.f_globals["__name__"] != "dataclasses"
            ):  # a copy is no read
                reads.note(name)
            return super().__getattribute__(name)

    options.Options = Recorded  # type: ignore[misc]
    _before(State, "forget", lambda _: reads.forget())
    _before(Clock, "advance", lambda _: reads.note(TIME))
    _before(parties, "open_by_hand", lambda opened_at: reads.note(TIME) if opened_at else None)


def _before(owner: Any, name: str, first: Callable[[Any], None]) -> None:
    """Call ``first`` with the last argument, and then what is there."""
    then = getattr(owner, name)

    def both(*arguments: Any) -> Any:
        first(arguments[-1])
        return then(*arguments)

    setattr(owner, name, both)


if __name__ == "__main__":
    record(Reads(Path(os.environ["SANDBOX_READS"])))
    main()
