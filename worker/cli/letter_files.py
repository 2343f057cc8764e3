"""Dead letters in files: JSON lines that ``publish`` reads, for the eyes of their owner only."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from typing import IO

from worker.operators.output import json_text
from worker.rabbit.dead_letter import DeadLetter


def export_text(letter: DeadLetter) -> str:
    """A line with the whole message."""
    return json_text(letter.export_line()) + "\n"


@contextmanager
def whole_or_not_at_all(to: Path) -> Iterator[IO[str]]:
    """A file that is there when all of it is written. Raises ``OSError``."""
    part = to.with_name(f"{to.name}.part")
    part.unlink(missing_ok=True)  # of a run that was killed, perhaps readable for others
    try:
        descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            yield file
        part.replace(to)
    finally:
        part.unlink(missing_ok=True)


def kept(file: Path | None) -> AbstractContextManager[Callable[[DeadLetter], None]]:
    """Adds letters to the file, if one is given. Raises ``OSError``."""
    return nullcontext(lambda _: None) if file is None else _appended(file)


@contextmanager
def _appended(to: Path) -> Iterator[Callable[[DeadLetter], None]]:
    """Each letter is on the disk before it leaves the queue. Readable for its owner only."""
    descriptor = os.open(to, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    os.fchmod(descriptor, 0o600)  # also where it was there
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:

        def keep(letter: DeadLetter) -> None:
            file.write(export_text(letter))
            file.flush()
            os.fsync(descriptor)

        yield keep
