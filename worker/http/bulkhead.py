"""Bulkheads: no partner takes all threads of a process, however long it is silent."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from itertools import count
from queue import Empty, SimpleQueue

from worker.interprocess.rate_limiter import Reservations

#: Seconds that a thread waits for a place behind a pass: one that takes longer is slow and not waited for.
PATIENCE = 0.5
#: Seconds of a pass, until it is known; and at most, for the estimate.
_TYPICAL_USE = 0.3
_LONGEST_USE = 8.0


class BulkheadFull(Exception):
    """Nothing was sent."""

    def __init__(self, seconds: float) -> None:
        super().__init__("bulkhead full")
        #: Until there may be a place.
        self.seconds = seconds


class _Compartment:
    def __init__(self, limit: int) -> None:
        self.limit = limit
        #: When each pass began, the oldest first.
        self.began: dict[int, float] = {}
        self.reservations = Reservations()
        self.typical_use = _TYPICAL_USE
        #: A pass that ends wakes one of those that wait, and the others sleep on.
        self.free: SimpleQueue[None] = SimpleQueue()
        for _ in range(limit):
            self.free.put(None)


class Bulkhead:
    """The compartments of a process; for any thread."""

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._compartments: dict[str, _Compartment] = {}
        self._numbers = count()

    @contextmanager
    def within(self, limits: Mapping[str, int]) -> Iterator[None]:
        """Around a pass: a place in each compartment, of so many. Raises ``BulkheadFull``."""
        number = next(self._numbers)
        entered: list[_Compartment] = []
        try:
            for name, limit in limits.items():
                entered.append(self._enter(name, limit, number))
            yield
        finally:
            for compartment in entered:
                self._leave(compartment, number)

    def _enter(self, name: str, limit: int, number: int) -> _Compartment:
        with self._lock:
            compartment = self._compartments.get(name)
            if compartment is None:
                compartment = self._compartments[name] = _Compartment(limit)
        self._await(compartment)
        with self._lock:
            compartment.began[number] = self._monotonic()
        return compartment

    def _leave(self, compartment: _Compartment, number: int) -> None:
        with self._lock:
            use = min(self._monotonic() - compartment.began.pop(number), _LONGEST_USE)
            compartment.typical_use += (use - compartment.typical_use) / 8
        compartment.free.put(None)

    def _await(self, compartment: _Compartment) -> None:
        patience = 0.0
        while True:
            with suppress(Empty):
                return compartment.free.get(timeout=patience)
            with self._lock:
                now = self._monotonic()
                patience = next(iter(compartment.began.values()), now) + PATIENCE - now
                if patience <= 0:
                    spacing = compartment.typical_use / compartment.limit
                    raise BulkheadFull(PATIENCE + compartment.reservations.reserve(now, spacing))
