"""Log lines leave through a bounded queue and a thread of its own: who reads them never blocks an order.

The reader of the pipe behind stdout may be slow or gone: what is not written is dropped and counted.

The thread is not a ``SupervisedLoop``: that one would log a bad round by this very thread, and a write that
blocks must not stop the heartbeat. A line that cannot be written is dropped and counted, whatever the error,
and the next one follows. If the thread ends all the same, the heartbeat stops as for any other loop
(``has_ended``) until the next line starts a new thread.
"""

from __future__ import annotations

import os
import select
import threading
import time
from collections import deque
from contextlib import suppress

from worker.telemetry import metrics
from worker.telemetry.logs import logger

_log = logger(__name__)
#: What waits for a reader, at most.
_MOST_LINES = 10_000
_MOST_BYTES = 4 << 20
#: Seconds that an orderly end waits for what is queued.
_FLUSH = 1.0


class LogWriter:
    """A stream of whole lines, for structlog and for ``logging``. No call raises or blocks.

    A forked child begins with an empty queue: what its parent queued is the parent's to write.
    """

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._reset()
        os.register_at_fork(
            before=lambda: self._changed.acquire(),
            after_in_parent=lambda: self._changed.release(),
            after_in_child=self._reset,
        )

    def _reset(self) -> None:
        self._changed = threading.Condition(threading.Lock())
        self._lines: deque[bytes] = deque()
        self._bytes = 0
        self._untold = 0
        self._is_writing = False
        self._thread: threading.Thread | None = None

    def write(self, line: str) -> None:
        """Queue a line, which ends in a line feed; drop it where the queue is full."""
        data = line.encode("utf-8", "backslashreplace")
        with self._changed:
            has_room = len(self._lines) < _MOST_LINES and self._bytes + len(data) <= _MOST_BYTES
            if has_room:
                self._lines.append(data)
                self._bytes += len(data)
                self._start()
                self._changed.notify_all()
        if not has_room:
            self._drop()

    @property
    def has_ended(self) -> bool:
        """A thread was started, and is there no more."""
        thread = self._thread
        return thread is not None and not thread.is_alive()

    def flush(self) -> None:
        """A handler calls it for each line; the thread writes at once anyway."""

    def drain(self, seconds: float = _FLUSH) -> None:
        """Wait until all is written, but not longer than ``seconds``; call it at the end of a process."""
        deadline = time.monotonic() + seconds
        with self._changed:
            while (self._lines or self._is_writing) and (left := deadline - time.monotonic()) > 0:
                self._changed.wait(left)

    def _start(self) -> None:
        """Also in the place of a thread that ended."""
        if self._thread is None or not self._thread.is_alive():
            thread = threading.Thread(target=self._work, name="log", daemon=True)
            try:
                thread.start()
            except RuntimeError:  # the limit of threads: the next line tries again
                return
            self._thread = thread

    def _work(self) -> None:
        while True:
            with self._changed:
                self._is_writing = False
                self._changed.notify_all()
                while not self._lines:
                    self._changed.wait()
                line = self._lines.popleft()
                self._bytes -= len(line)
                self._is_writing = True
            try:
                self._put(line)
                self._report()
            except Exception:  # mostly: the reader is gone, or the disk is full
                self._drop()

    def _put(self, line: bytes) -> None:
        """One call for a line, so that lines of several processes stay whole."""
        while line:
            try:
                line = line[os.write(self._descriptor, line) :]
            except BlockingIOError:  # another owner of the pipe made it so
                select.select((), (self._descriptor,), ())

    def _drop(self) -> None:
        with self._changed:
            self._untold += 1
        with suppress(Exception):  # it only counts
            metrics.LOG_LINES_DROPPED.inc()

    def _report(self) -> None:
        """Once for many: a reader that is merely slow must not get a line about each."""
        with self._changed:
            if self._lines:
                return
            dropped, self._untold = self._untold, 0
        if dropped:
            _log.warning("log_lines_dropped", count=dropped)
