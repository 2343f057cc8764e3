"""A lock for what processes share by fork. It needs no file, and the death of its holder frees it."""

from __future__ import annotations

import fcntl
import os
import threading
import time
from contextlib import suppress
from types import TracebackType

#: Seconds until a holder counts as stopped (a debugger, a frozen container): the lock guards only rates, and
#: a moment without it is better than an order that waits.
_PATIENCE = 0.05
_LOOK_EVERY = 0.001


class ForkLock:
    """Made before the fork, by a process of one thread; then used by any thread of any of the processes.

    A record lock on anonymous memory: it belongs to the process and not to the descriptor, so that each fork
    has its own, and the kernel drops it when the process ends. Never fails: where the kernel gives no lock,
    the holder has only the threads of his own process kept out.
    """

    def __init__(self) -> None:
        self._file = os.memfd_create("fork-lock")
        self._threads = threading.Lock()

    def __enter__(self) -> None:
        self._threads.acquire()
        give_up_at = time.monotonic() + _PATIENCE
        while not self._is_taken() and time.monotonic() < give_up_at:
            time.sleep(_LOOK_EVERY)

    def _is_taken(self) -> bool:
        try:
            fcntl.lockf(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return False
        return True

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with suppress(OSError):
            fcntl.lockf(self._file, fcntl.LOCK_UN)
        self._threads.release()
