"""The operators' way to the dead letters: connected, and alone."""

from __future__ import annotations

import getpass
import os
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import pika

from config.settings import Settings
from worker.fiscal.instants import rfc3339
from worker.operators.connection import broker
from worker.operators.dead_letters.filter import Wanted
from worker.operators.dead_letters.lock import locked
from worker.operators.dead_letters.look_through import LookThrough, depth
from worker.rabbit.dead_letter import DeadLetter

#: Says that a look or a change is to end at the next good point.
Stopping = Callable[[], bool]
#: Hears how many letters were looked at.
Progress = Callable[[int], None]


def unseen(_: int) -> None:
    """Progress that nobody watches."""


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
        self, wanted: Wanted, stopping: Stopping, progress: Progress = unseen
    ) -> Iterator[Pass]:
        """One pass over them."""
        with LookThrough(self.connection, wanted, self.bound, stopping) as look:
            yield Pass(look, stopping, progress)


@dataclass(frozen=True, slots=True)
class Pass:
    """A pass under way."""

    queue: LookThrough
    stopping: Stopping
    _progress: Progress

    def letters(self) -> Iterator[DeadLetter]:
        """The wanted letters; one that is not removed stays."""
        for letter in self.queue.letters():
            self._progress(self.queue.looked_at)
            yield letter

    def wait(self, until: float) -> None:
        """Let time pass until ``time.monotonic()`` is there, or the pass is to stop."""
        while (left := until - time.monotonic()) > 0 and not self.stopping():
            self.queue.serve(min(left, 0.1))


@contextmanager
def letters_alone(command: str, *, changes: bool = False) -> Iterator[DeadLetters]:
    """Connect, and hold the lock. Raises ``BrokerUnreachable``, ``Locked`` and ``NoDeadLetterQueue``."""
    with broker() as (settings, connection), alone(settings, connection, command, changes=changes) as letters:
        yield letters


@contextmanager
def alone(
    settings: Settings, connection: pika.BlockingConnection, command: str, *, changes: bool = False
) -> Iterator[DeadLetters]:
    """The letters on a connection that outlives the lock. Raises ``Locked`` and ``NoDeadLetterQueue``."""
    with locked(connection, _holder(command), changes=changes, clock=time.monotonic):
        yield DeadLetters(settings, connection, depth(connection))


def person() -> str:
    """Who runs this process, for the lock and the audit log."""
    try:
        user = getpass.getuser()
    except (KeyError, OSError):
        user = f"user {os.getuid()}"  # a container without names
    return f"{user}@{socket.gethostname()}"


def _holder(command: str) -> str:
    since = rfc3339(time.time())
    return f"{command} by {person()}, process {os.getpid()}, since {since}"
