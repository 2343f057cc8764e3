"""Who may go when: turns a fixed time apart, and promises of turns to those who wait.

Checkbox takes at most some receipts a second from a register and pauses for seconds above that. The processes
of a worker share a register's turns through memory they got by fork, so that a request may come back to any
of them and still finds its turn.
"""

from __future__ import annotations

import fcntl
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from ctypes import Array, c_double
from multiprocessing.sharedctypes import RawArray
from pathlib import Path
from typing import BinaryIO
from zlib import crc32

#: A turn that was taken by a process that died is free again after this; longer than any call.
LEASE = 60.0

#: Registers whose names fall on one place share its turns: that is slower, and never too fast.
_PLACES = 1 << 15
#: Most requests of a register that may be under way at once.
_PERMITS = 10
_PROMISED, _PROMISED_AGAIN, _TYPICAL_USE, _FIRST_PERMIT = 0, 1, 2, 3
#: Seconds that a message takes to come back, so that the next turn is not missed by a moment.
_MARGIN = 0.02
_WIDTH = _FIRST_PERMIT + _PERMITS


class Row:
    """Spreads those who wait for something that one of them has at a time. Times are monotonic seconds."""

    def __init__(self) -> None:
        self._promised = 0.0

    def reserve(self, now: float, spacing: float) -> float:
        """Seconds until a moment that nobody else was promised."""
        self._promised = max(self._promised + spacing, now)
        return self._promised - now


class RegisterTurns:
    """The turns of all registers; made before the processes are forked.

    A register has one or more permits. Each is free again some time after the answer to the request that
    took it, so that two requests with one permit reach Checkbox at least that far apart. ``share`` is the
    receipts a second that this worker may give to one register; times are monotonic seconds.
    """

    def __init__(self, lock: Path) -> None:
        """``lock`` is a file that is made here; a killed process lets go of it."""
        self._lock = lock
        self._lock.touch()
        self._threads = threading.Lock()
        self._opened: tuple[int, BinaryIO] | None = None
        self._times: Array[c_double] = RawArray(c_double, _PLACES * _WIDTH)

    def take(self, register: str, now: float, share: float, again: bool) -> tuple[int | None, float]:
        """A permit, to be given back; or None and the seconds until it is worth asking again.

        ``again`` tells that a turn was promised before: whoever missed it stands in a row of his own, and not
        behind those who came later.
        """
        with self._locked() as times:
            place = _place(register)
            permits, spacing = _permits(place, share)
            permit = min(permits, key=times.__getitem__)
            if times[permit] > now:
                return None, self._promise(place, now, share, _PROMISED_AGAIN if again else _PROMISED)
            if now - max(times[place + _FIRST_PERMIT : place + _WIDTH]) > 2 * spacing:
                # Turns went by unused: whoever was promised them has gone elsewhere.
                times[place + _PROMISED] = times[place + _PROMISED_AGAIN] = now
            times[permit] = now + LEASE
            return permit, 0.0

    def used(self, permit: int, register: str, now: float, share: float) -> None:
        """The request of this permit was answered just now.

        Without the lock: nobody else writes to a permit that is in use, and what a use takes is an estimate.
        """
        place, times = _place(register), self._times
        use = now - (times[permit] - LEASE)
        times[place + _TYPICAL_USE] += (min(use, LEASE) - times[place + _TYPICAL_USE]) / 8
        times[permit] = now + _permits(place, share)[1]

    def unused(self, permit: int, now: float) -> None:
        """Nothing was sent with this permit."""
        self._times[permit] = now

    def promise(self, register: str, now: float, share: float) -> float:
        """Seconds until a turn that nobody else was promised. It only spreads those who wait."""
        with self._locked():
            return self._promise(_place(register), now, share, _PROMISED)

    def _promise(self, place: int, now: float, share: float, row: int) -> float:
        times = self._times
        permits, spacing = _permits(place, share)
        again_after = spacing + times[place + _TYPICAL_USE] + _MARGIN
        # One that is in use will be free at about that time from now.
        free = min(min(times[permit], now + again_after) for permit in permits)
        times[place + row] = max(times[place + row] + again_after / len(permits), free, now)
        return float(times[place + row] - now)

    @contextmanager
    def _locked(self) -> Iterator[Array[c_double]]:
        with self._threads:
            file = self._file()
            fcntl.flock(file, fcntl.LOCK_EX)
            try:
                yield self._times
            finally:
                fcntl.flock(file, fcntl.LOCK_UN)

    def _file(self) -> BinaryIO:
        """Opened once by each process: a lock belongs to what was opened, and a fork would share it."""
        pid = os.getpid()
        if self._opened is None or self._opened[0] != pid:
            self._opened = (pid, self._lock.open("r+b"))
        return self._opened[1]


def _place(register: str) -> int:
    return crc32(register.encode()) % _PLACES * _WIDTH


def _permits(place: int, share: float) -> tuple[range, float]:
    """The permits of a register, and the seconds until one that was used is free again.

    Whole uses of a permit in a second, so that no second ever sees more than ``share`` of them all.
    """
    count = max(1, min(_PERMITS, int(share)))
    permits = range(place + _FIRST_PERMIT, place + _FIRST_PERMIT + count)
    return permits, 1 / share if share < 1 else 1 / int(share / count)
