"""Bulkheads: no partner takes all threads of a process, however long it is silent."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from itertools import count

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
    def __init__(self) -> None:
        #: When each pass began, the oldest first.
        self.began: dict[int, float] = {}
        self.reservations = Reservations()
        self.typical_use = _TYPICAL_USE


class Bulkhead:
    """The compartments of a process; for any thread."""

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic
        self._left = threading.Condition()
        self._compartments: dict[str, _Compartment] = {}
        self._numbers = count()

    @contextmanager
    def within(self, limits: Mapping[str, int]) -> Iterator[None]:
        """Around a pass: a place in each compartment, of so many. Raises ``BulkheadFull``."""
        with ExitStack() as places:
            for name, limit in limits.items():
                places.enter_context(self._place(name, limit))
            yield

    @contextmanager
    def _place(self, name: str, limit: int) -> Iterator[None]:
        with self._left:
            compartment = self._compartments.setdefault(name, _Compartment())
            self._await(compartment, limit)
            number, began = next(self._numbers), self._monotonic()
            compartment.began[number] = began
        try:
            yield
        finally:
            with self._left:
                del compartment.began[number]
                use = min(self._monotonic() - began, _LONGEST_USE)
                compartment.typical_use += (use - compartment.typical_use) / 8
                self._left.notify_all()

    def _await(self, compartment: _Compartment, limit: int) -> None:
        while len(compartment.began) >= limit:
            now = self._monotonic()
            patience = next(iter(compartment.began.values())) + PATIENCE - now
            if patience <= 0:
                spacing = compartment.typical_use / limit
                raise BulkheadFull(PATIENCE + compartment.reservations.reserve(now, spacing))
            self._left.wait(patience)
