"""The thread in which a process's connections to the broker live.

A connection of pika's belongs to one thread. Those that consume and publish share this one, so that a
confirm leads to its acknowledgement without another thread being woken.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import suppress

from pika.adapters.select_connection import IOLoop

from worker.telemetry.supervised import SupervisedLoop

#: Seconds that the thread has to end.
_GOODBYE = 2.0
_TICK = 1.0
#: Seconds from a step that broke to the next one.
_PAUSE = 0.05


class Loop:
    """Runs what it is given, one after the other, in its thread."""

    def __init__(self) -> None:
        self.io = IOLoop()
        #: Called in the thread when a step broke: whichever it was, every connection is replaced.
        self.broken: set[Callable[[], None]] = set()
        self._closing = threading.Event()
        self._ticks: object = None
        self.supervised = SupervisedLoop(
            "rabbitmq", lambda _: self._serve(), self._closing, pause=lambda: _PAUSE, after=self.io.close
        )
        self.supervised.start()

    def soon(self, step: Callable[[], None]) -> None:
        """By any thread."""
        self.io.add_callback_threadsafe(step)

    def here(self, step: Callable[[], None]) -> None:
        """By any thread: at once in the loop's own."""
        if self.supervised.is_own_thread:
            step()
        else:
            self.soon(step)

    def close(self) -> None:
        """Connections are to be closed before."""
        self.soon(self._stop)
        self.supervised.join(_GOODBYE)

    def _stop(self) -> None:
        self._closing.set()
        self.io.stop()

    def _serve(self) -> None:
        self._tick()
        try:
            self.io.start()
        except Exception:  # whatever it is, what comes after it has connections of its own
            for end in tuple(self.broken):
                with suppress(Exception):
                    end()
            raise

    def _tick(self) -> None:
        """Show that the loop turns."""
        if self._ticks is not None:
            self.io.remove_timeout(self._ticks)
        self.supervised.progress()
        self._ticks = self.io.call_later(_TICK, self._tick)
