"""How many passes a process makes at once.

Threads that only wait for a place of a bulkhead cost processor time, and hold up what has waited longer: an
order whose receipt is there stood behind orders that are still to be sold. So half of the threads are a
reserve, and each of those takes the place of a pass that takes long.
"""

from __future__ import annotations

import heapq
import threading
from collections.abc import Callable
from itertools import count
from typing import Generic, TypeVar

#: Seconds after which a pass takes long, and another one begins beside it.
SLOW_AFTER = 0.5

M = TypeVar("M")


class Passes(Generic[M]):
    """Messages that threads have, or have next; for any thread."""

    def __init__(self, at_once: int, threads: int, monotonic: Callable[[], float]) -> None:
        """``at_once`` quick passes are made, and never more than there are ``threads``."""
        self._at_once = at_once
        self.threads = threads
        self._monotonic = monotonic
        #: Gives a message to a thread that is free.
        self.begin: Callable[[M], None]
        self._lock = threading.Lock()
        self._waiting: list[tuple[int, int, M]] = []
        self._order = count()
        #: Monotonic seconds, the oldest first.
        self._began: dict[int, float] = {}

    @property
    def under_way(self) -> int:
        return len(self._began)

    @property
    def waiting(self) -> int:
        return len(self._waiting)

    @property
    def longest(self) -> float:
        """Seconds that the longest pass under way has taken."""
        with self._lock:
            return self._monotonic() - next(iter(self._began.values())) if self._began else 0.0

    def add(self, message: M, priority: int) -> None:
        """It begins at once where there is room; of those that wait the lowest ``priority`` goes first."""
        with self._lock:
            heapq.heappush(self._waiting, (priority, next(self._order), message))
            next_ones = self._next_ones()
        self._begin(next_ones)

    def end(self, message: M) -> None:
        """A thread is done with it, whatever came of it."""
        with self._lock:
            self._began.pop(id(message), None)
            next_ones = self._next_ones()
        self._begin(next_ones)

    def go_on(self) -> None:
        """Begin what slow passes make room for."""
        with self._lock:
            next_ones = self._next_ones()
        self._begin(next_ones)

    def _next_ones(self) -> list[M]:
        now, found = self._monotonic(), []
        while self._waiting and self._has_room(now):
            message = heapq.heappop(self._waiting)[2]
            self._began[id(message)] = now
            found.append(message)
        return found

    def _has_room(self, now: float) -> bool:
        if len(self._began) < self._at_once:
            return True
        quick = sum(now - began < SLOW_AFTER for began in self._began.values())
        return quick < self._at_once and len(self._began) < self.threads

    def _begin(self, messages: list[M]) -> None:
        """Without the lock: what cannot begin ends at once."""
        for message in messages:
            self.begin(message)
