"""The thread in which a process's connections to the broker live.

A connection of pika's belongs to one thread. Those that consume and publish share this one, so that a
confirm leads to its acknowledgement without another thread being woken.
"""

from __future__ import annotations

import threading
from collections.abc import Callable

from pika.adapters.select_connection import IOLoop

from worker.telemetry.logs import logger
from worker.telemetry.quiet import Quietly

_log = logger(__name__)
#: Seconds that the thread has to end.
_GOODBYE = 2.0


class Loop:
    """Runs what it is given, one after the other, in its thread."""

    def __init__(self) -> None:
        self.io = IOLoop()
        #: What is told, in the thread, that a step broke: whichever it was, every connection is replaced.
        self.broken: set[Callable[[], None]] = set()
        self._is_closing = False
        self._thread = threading.Thread(target=self._run, name="rabbitmq", daemon=True)
        self._thread.start()

    @property
    def is_alive(self) -> bool:
        return self._thread.is_alive()

    def soon(self, step: Callable[[], None]) -> None:
        """By any thread."""
        self.io.add_callback_threadsafe(step)

    def here(self, step: Callable[[], None]) -> None:
        """By any thread: at once in the loop's own."""
        if threading.get_ident() == self._thread.ident:
            step()
        else:
            self.soon(step)

    def close(self) -> None:
        """Connections are to be closed before."""
        self.soon(self._stop)
        self._thread.join(_GOODBYE)

    def _stop(self) -> None:
        self._is_closing = True
        self.io.stop()

    def _run(self) -> None:
        while not self._is_closing:
            try:
                self.io.start()
            except Exception as error:  # whatever it is, what comes after it has connections of its own
                with Quietly():
                    _log.error("broker_connections_broke", exc_info=error)
                for tell in tuple(self.broken):
                    tell()
        self.io.close()
