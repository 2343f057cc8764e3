"""An exchange, a queue or a binding of ours that has disappeared is declared again, once for all messages."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from functools import partial

import pika
from pika.adapters.blocking_connection import BlockingChannel

from worker.rabbit.loop import Loop
from worker.rabbit.publishing_connection import Unconfirmed
from worker.rabbit.topology import Topology
from worker.telemetry.logs import logger
from worker.telemetry.quiet import Quietly

_log = logger(__name__)
#: Seconds in which the outcome of the last declaration holds.
_HOLDS_FOR = 5.0


def mend(topology: Topology, channel: BlockingChannel) -> None:
    """Declare everything, and return what had been missing. Raises ``AMQPError`` and ``TopologyMismatch``."""
    missing = topology.missing(channel.connection)
    topology.declare(channel)
    for name in missing:
        with Quietly():
            _log.error(
                "broker_object_missing",
                reason=f"{name} was deleted, and is declared again",
                message="find out who deletes it; what lay in a deleted queue is lost",
            )


class Mending:
    """Keeps unroutable messages until everything is declared, which a thread of its own does.

    All else happens in the loop's thread.
    """

    def __init__(
        self,
        loop: Loop,
        params: list[pika.URLParameters],
        redeclare: Callable[[BlockingChannel], None],
        mended: Callable[[list[Unconfirmed], str | None], None],
    ) -> None:
        """``mended`` gets the messages, and why it failed or None."""
        self._loop = loop
        self._params = params
        self._redeclare = redeclare
        self._mended = mended
        self._waiting: list[Unconfirmed] = []
        self._is_at_work = False
        self._why: str | None = None
        #: Monotonic seconds.
        self._holds_until = 0.0

    def wait_for(self, messages: list[Unconfirmed]) -> None:
        self._waiting += messages
        if self._is_at_work:
            return
        if time.monotonic() < self._holds_until:
            self._mended(self.waiting(), self._why)
            return
        try:
            threading.Thread(target=self._work, name="declaring", daemon=True).start()
        except RuntimeError as error:  # the limit of threads
            self._mended(self.waiting(), str(error))
        else:
            self._is_at_work = True

    def waiting(self) -> list[Unconfirmed]:
        """Hand out what waits: nothing waits any more."""
        waiting, self._waiting = self._waiting, []
        return waiting

    def _work(self) -> None:
        why = None
        try:
            with pika.BlockingConnection(self._params) as connection:
                self._redeclare(connection.channel())
        except Exception as error:  # whoever waits is notified, and it is no fault of the message
            why = f"{type(error).__name__}: {error}"
        self._loop.soon(partial(self._ended, why))

    def _ended(self, why: str | None) -> None:
        self._is_at_work = False
        self._why = why
        self._holds_until = time.monotonic() + _HOLDS_FOR
        self._mended(self.waiting(), why)
