"""The commands' way to the dead letters: a refusal ends the command with its exit code."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import typer

from worker.operators.dead_letters.access import DeadLetters, letters_alone
from worker.operators.dead_letters.lock import Locked
from worker.operators.dead_letters.look_through import NoDeadLetterQueue
from worker.operators.output import note


@contextmanager
def dead_letters(command: str, *, changes: bool = False) -> Iterator[DeadLetters]:
    """The dead letters, for this command alone. Raises ``typer.Exit`` where there is no way to them."""
    try:
        with letters_alone(command, changes=changes) as letters:
            yield letters
    except (Locked, NoDeadLetterQueue) as refusal:
        note(str(refusal))
        raise typer.Exit(1) from None
