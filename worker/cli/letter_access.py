"""The commands' way to the dead letters: a refusal ends the command with its exit code."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pika
import typer

from config.settings import Settings
from worker.operators.connection import broker
from worker.operators.dead_letters.access import DeadLetters, Pass, alone
from worker.operators.dead_letters.filter import Filter
from worker.operators.dead_letters.lock import Locked
from worker.operators.dead_letters.look_through import NoDeadLetterQueue
from worker.operators.dead_letters.orders import SeveralOrders, one_order
from worker.operators.interruption import Interruption
from worker.operators.output import note, progress

_USAGE = 2


@contextmanager
def dead_letters(command: str, wanted: Filter) -> Iterator[tuple[DeadLetters, Filter]]:
    """The dead letters, for this command alone, and which of them are meant.

    Raises ``typer.Exit`` where there is no way to them, or a docNumber fits several orders.
    """
    with broker() as (settings, connection), held(settings, connection, command, wanted) as letters:
        yield letters


@contextmanager
def held(
    settings: Settings,
    connection: pika.BlockingConnection,
    command: str,
    wanted: Filter,
    *,
    changes: bool = False,
) -> Iterator[tuple[DeadLetters, Filter]]:
    """The same on a connection that is there."""
    try:
        with alone(settings, connection, f"dead-letters {command}", changes=changes) as letters:
            with Interruption() as stopping:
                meant = one_order(letters, wanted, stopping)
            _end_if(stopping())
            yield letters, meant
    except (Locked, NoDeadLetterQueue) as refusal:
        note(str(refusal))
        raise typer.Exit(1) from None
    except SeveralOrders as several:
        note(str(several))
        raise typer.Exit(_USAGE) from None


@contextmanager
def looked_through(letters: DeadLetters, wanted: Filter, label: str, *, bar: bool = True) -> Iterator[Pass]:
    """One pass over them, with a progress bar; Ctrl-C ends it."""
    with (
        Interruption() as stopping,
        progress(label, letters.bound, shown=bar) as shown,
        letters.looked_through(wanted, stopping, shown.at) as look,
    ):
        yield look


def end_if_stopped(look: Pass) -> None:
    """Raises ``typer.Exit``: what was asked is not done."""
    _end_if(look.stopping())


def _end_if(stopped: bool) -> None:
    if stopped:
        note("stopped")
        raise typer.Exit(1)
