"""The rate limiter of registers, and reservations that spread waiting requests.

Checkbox takes at most some receipts a second from a register and pauses for seconds above that. The processes
of a worker share the limiter through memory they got by fork, so that a request may come back to any of them
and still finds its reservation.
"""

from __future__ import annotations

import mmap
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import blake2b

from worker.interprocess.fork_lock import ForkLock

#: A permit that was acquired by a process that died is free again after this; longer than any call.
LEASE = 60.0

#: Registers served within a lease; if there are more, the longest idle one loses its state.
PLACES = 1 << 15
#: Most requests of a register that may be under way at once.
_PERMITS = 10
#: A place, in words of eight bytes: the register's key (two words), reservations of those who come for the
#: first time and of those who come again, what a use takes, and when each permit is free again.
_RESERVED, _RESERVED_AGAIN, _TYPICAL_USE, _FIRST_PERMIT = 2, 3, 4, 5
_WIDTH = 16
_END = _FIRST_PERMIT + _PERMITS
#: Seconds that a message takes to come back, so that the next permit is not missed by a moment.
_MARGIN = 0.02


class Reservations:
    """Spaces out requests for something that only one may hold at a time. Times are monotonic seconds."""

    def __init__(self) -> None:
        self._reserved = 0.0

    def reserve(self, now: float, spacing: float) -> float:
        """Seconds until a moment that was given to no other request."""
        self._reserved = max(self._reserved + spacing, now)
        return self._reserved - now


class RegisterRateLimiter:
    """Of all registers; made before the processes are forked.

    A register has one or more permits. Each is free again some time after the answer to the request that
    acquired it, so that two requests with one permit reach Checkbox at least that far apart. ``rate`` is the
    receipts a second that this worker may give to one register; times are monotonic seconds.

    Its memory is a hash table with open addressing: no two registers share a place, and a place that was idle
    for longer than any lease goes to the next register that needs one. Nothing in it decides about an order:
    at worst a register is served too fast or too slowly for some seconds.
    """

    def __init__(self, places: int = PLACES) -> None:
        """``places`` is a power of two."""
        self.lock = ForkLock()
        self._places = places
        memory = memoryview(mmap.mmap(-1, places * _WIDTH * 8))
        self._times = memory.cast("d")
        self._keys = memory.cast("Q")

    def acquire(self, register: str, now: float, rate: float, again: bool) -> tuple[int | None, float]:
        """A permit, to be given back; or None and the seconds until it is worth asking again.

        ``again``: a permit was reserved before. A request that missed its permit queues with others like it,
        and not behind newer ones.
        """
        with self._place(register, now) as place:
            times = self._times
            permits, spacing = _permits(place, rate)
            permit = min(permits, key=times.__getitem__)
            if times[permit] > now:
                return None, self._reserve(place, now, rate, _RESERVED_AGAIN if again else _RESERVED)
            if now - max(times[place + _FIRST_PERMIT : place + _END]) > 2 * spacing:
                # Permits were free and unused: the requests that had reserved them have gone elsewhere.
                times[place + _RESERVED] = times[place + _RESERVED_AGAIN] = now
            times[permit] = now + LEASE
            return permit, 0.0

    def used(self, permit: int, register: str, now: float, rate: float) -> None:
        """The request of this permit was answered just now.

        Without the lock: no other writes to a permit that is in use, and the time of a use is an estimate.
        """
        place, times = permit // _WIDTH * _WIDTH, self._times
        if self._key_at(place) != _key(register):
            return  # it was held for longer than a lease, and the place is another register's
        use = now - (times[permit] - LEASE)
        times[place + _TYPICAL_USE] += (min(use, LEASE) - times[place + _TYPICAL_USE]) / 8
        times[permit] = now + _permits(place, rate)[1]

    def unused(self, permit: int, register: str, now: float) -> None:
        """Nothing was sent with this permit."""
        if self._key_at(permit // _WIDTH * _WIDTH) == _key(register):
            self._times[permit] = now

    def reserve(self, register: str, now: float, rate: float) -> float:
        """Seconds until a permit that is not reserved. It only spreads the waiting requests."""
        with self._place(register, now) as place:
            return self._reserve(place, now, rate, _RESERVED)

    def _reserve(self, place: int, now: float, rate: float, row: int) -> float:
        times = self._times
        permits, spacing = _permits(place, rate)
        again_after = spacing + times[place + _TYPICAL_USE] + _MARGIN
        # One that is in use will be free at about that time from now.
        free = min(min(times[permit], now + again_after) for permit in permits)
        times[place + row] = max(times[place + row] + again_after / len(permits), free, now)
        return times[place + row] - now

    @contextmanager
    def _place(self, register: str, now: float) -> Iterator[int]:
        """The register's place, for this thread alone."""
        with self.lock:
            yield self._found(_key(register), now)

    def _found(self, key: tuple[int, int], now: float) -> int:
        free: int | None = None
        oldest, oldest_used = 0, now + LEASE * self._places
        for step in range(self._places):
            place = (key[0] + step) % self._places * _WIDTH
            there = self._key_at(place)
            if there == key:
                return place
            if there == (0, 0):
                return self._give(place if free is None else free, key)
            last_used = self._last_used(place)
            if free is None and last_used < now - LEASE:
                free = place
            if last_used < oldest_used:
                oldest, oldest_used = place, last_used
        return self._give(oldest if free is None else free, key)

    def _give(self, place: int, key: tuple[int, int]) -> int:
        self._times[place + _RESERVED : place + _END] = _NOTHING
        self._keys[place], self._keys[place + 1] = key
        return place

    def _key_at(self, place: int) -> tuple[int, int]:
        return self._keys[place], self._keys[place + 1]

    def _last_used(self, place: int) -> float:
        """The latest of its times."""
        times = self._times
        return max(
            times[place + _RESERVED],
            times[place + _RESERVED_AGAIN],
            *times[place + _FIRST_PERMIT : place + _END],
        )


_NOTHING = memoryview(bytes((_END - _RESERVED) * 8)).cast("d")


def _key(register: str) -> tuple[int, int]:
    """Wide enough that no two registers ever share one; never that of an unused place."""
    digest = blake2b(register.encode(), digest_size=16).digest()
    return int.from_bytes(digest[:8], "little") | 1, int.from_bytes(digest[8:], "little")


def _permits(place: int, rate: float) -> tuple[range, float]:
    """The permits of a register, and the seconds until one that was used is free again.

    Whole uses of a permit in a second, so that no second ever sees more than ``rate`` of them all.
    """
    count = max(1, min(_PERMITS, int(rate)))
    permits = range(place + _FIRST_PERMIT, place + _FIRST_PERMIT + count)
    return permits, 1 / rate if rate < 1 else 1 / int(rate / count)
