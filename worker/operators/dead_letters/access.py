"""The operators' way to the dead letters: connected, and alone."""

from __future__ import annotations

import getpass
import os
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass

import pika
import typer

from config.settings import Settings
from worker.fiscal.instants import rfc3339
from worker.operators.connection import broker
from worker.operators.dead_letters.filter import Wanted
from worker.operators.dead_letters.lock import locked
from worker.operators.dead_letters.look_through import LookThrough, depth
from worker.operators.interruption import Interruption
from worker.operators.output import note, progress
from worker.rabbit.dead_letter import DeadLetter


@dataclass(frozen=True, slots=True)
class DeadLetters:
    """The letters that were there when the command began."""

    settings: Settings
    connection: pika.BlockingConnection
    bound: int

    @property
    def virtual_host(self) -> str:
        return str(pika.URLParameters(self.settings.rabbitmq_urls[0]).virtual_host)

    @contextmanager
    def looked_through(
        self, wanted: Wanted, label: str, *, bar: bool = True, stopping: Callable[[], bool] | None = None
    ) -> Iterator[Pass]:
        """One pass over them, with a progress bar. Where nothing else tells of its end, Ctrl-C does."""
        with (
            nullcontext(stopping) if stopping else Interruption() as stopping,
            progress(label, self.bound, shown=bar) as shown,
            LookThrough(self.connection, wanted, self.bound, stopping) as look,
        ):
            yield Pass(look, stopping, shown.at)


@dataclass(frozen=True, slots=True)
class Pass:
    """A pass under way."""

    queue: LookThrough
    stopping: Callable[[], bool]
    _at: Callable[[int], None]

    def letters(self) -> Iterator[DeadLetter]:
        """The wanted letters; one that is not removed stays."""
        for letter in self.queue.letters():
            self._at(self.queue.looked_at)
            yield letter

    def wait(self, until: float) -> None:
        """Let time pass until ``time.monotonic()`` is there, or Ctrl-C."""
        while (left := until - time.monotonic()) > 0 and not self.stopping():
            self.queue.serve(min(left, 0.1))

    def exit_if_stopped(self) -> None:
        """Raises ``typer.Exit``: what was asked is not done."""
        if self.stopping():
            note("stopped")
            raise typer.Exit(1)


@contextmanager
def letters_alone(command: str, *, changes: bool = False) -> Iterator[DeadLetters]:
    """The same. Raises ``BrokerUnreachable``, ``Locked`` and ``NoDeadLetterQueue``."""
    with (
        broker() as (settings, connection),
        locked(connection, _holder(command), changes=changes, clock=time.monotonic),
    ):
        yield DeadLetters(settings, connection, depth(connection))


def _holder(command: str) -> str:
    try:
        user = getpass.getuser()
    except (KeyError, OSError):
        user = f"user {os.getuid()}"  # a container without names
    since = rfc3339(time.time())
    return f"{command} by {user}@{socket.gethostname()}, process {os.getpid()}, since {since}"
