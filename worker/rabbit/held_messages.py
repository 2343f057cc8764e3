"""What a process holds unacknowledged, bounded in bytes: until it is due, and while threads work on it.

AMQP hands over whole bodies, and the number of messages bounds no memory. So a message that finds no room is
held without its body: its tag, when it is due, and what `explain` may be asked. When it is due, and there
is room, it is given back, and the broker delivers it again at once.
"""

from __future__ import annotations

import heapq
import itertools
import math
import threading
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

from worker.fiscal.attempt_state import AttemptState
from worker.rabbit.delivery import Delivery
from worker.rabbit.message.reading import RequestIdentity, identify

#: Bytes of messages that wait whole, and of those that threads have, or have next; in each process.
ROOM = 32 * 1024 * 1024
ROOM_AT_WORK = 16 * 1024 * 1024
#: Bytes that a message takes beside its body.
_OVERHEAD = 4096
#: A parsed order takes so many times its body.
_READ = 10


def weight(delivery: Delivery) -> int:
    """Bytes that a message takes in memory, estimated."""
    return len(delivery.body) * (_READ if delivery.is_kept else 1) + _OVERHEAD


class Held(Protocol):
    """A message that waits."""

    @property
    def delivery(self) -> Delivery: ...

    @property
    def tag(self) -> int: ...


M = TypeVar("M", bound=Held)


@dataclass(frozen=True, slots=True)
class Unloaded:
    """A message that is held without its body."""

    queue: str
    tag: int
    #: Bytes that it takes when it is back.
    weight: int
    due: float
    longest_wait: float
    last_state: AttemptState | None
    known: RequestIdentity

    @classmethod
    def of(cls, delivery: Delivery, tag: int) -> Unloaded:
        return cls(
            delivery.queue,
            tag,
            weight(delivery),
            delivery.due,
            delivery.longest_wait,
            delivery.last_state,
            identify(delivery.body),
        )

    def attempt_state(self, now: float) -> AttemptState:
        """What earlier passes left, or a new attempt state."""
        return self.last_state or AttemptState(first_seen=now)

    def wait(self, now: float) -> float:
        """Seconds until it may be worked on."""
        return min(self.due - now, self.longest_wait)


class HeldMessages(Generic[M]):
    """In the order in which they are due. For any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._heap: list[tuple[float, int, M | Unloaded]] = []
        self._order = itertools.count()
        self._bytes = 0
        #: Messages that a pass has kept in flight.
        self.kept = 0

    @property
    def has_room(self) -> bool:
        return self._bytes < ROOM

    def add(self, message: M, due: float) -> None:
        """Whole where there is room, or where a pass has kept it in flight: room was made sure of before.

        ``due`` is on the clock that ``take`` is called with.
        """
        delivery, taken = message.delivery, weight(message.delivery)
        held: M | Unloaded = message
        if not delivery.is_kept and self._bytes + taken > ROOM:
            held, taken = Unloaded.of(delivery, message.tag), 0
        with self._lock:
            self._bytes += taken
            self.kept += delivery.is_kept
            heapq.heappush(self._heap, (due, next(self._order), held))

    def take(self, until: float = math.inf) -> list[M | Unloaded]:
        """Those that are due by then, the first to be due first; they are held no longer."""
        taken: list[M | Unloaded] = []
        with self._lock:
            while self._heap and self._heap[0][0] <= until:
                held = heapq.heappop(self._heap)[2]
                taken.append(held)
                if not isinstance(held, Unloaded):
                    self._bytes -= weight(held.delivery)
                    self.kept -= held.delivery.is_kept
        return taken

    @property
    def first_due(self) -> float:
        with self._lock:
            return self._heap[0][0] if self._heap else math.inf

    @property
    def all(self) -> list[M | Unloaded]:
        with self._lock:
            return [held for _, _, held in self._heap]


class AtWork(Generic[M]):
    """Messages that threads have, or have next; and those that were turned away until there is room."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._weights: dict[tuple[str, int], int] = {}
        self._bytes = 0
        self._turned_away: deque[Unloaded] = deque()

    def admits(self, message: M) -> bool:
        """Whether it goes to work now. A single one always does, and so does one that was kept in flight."""
        taken = weight(message.delivery)
        with self._lock:
            if self._bytes + taken <= ROOM_AT_WORK or not self._bytes or message.delivery.is_kept:
                self._weights[message.delivery.queue, message.tag] = taken
                self._bytes += taken
                return True
        self.turn_away(Unloaded.of(message.delivery, message.tag))
        return False

    def turn_away(self, message: Unloaded) -> None:
        self._turned_away.append(message)

    def leaves(self, message: M) -> None:
        """A thread is done with it, or no thread got it."""
        with self._lock:
            self._bytes -= self._weights.pop((message.delivery.queue, message.tag), 0)

    def recalled(self) -> Iterator[Unloaded]:
        """Those that there is room for now; the broker delivers them again. By one thread at a time."""
        with self._lock:
            room = ROOM_AT_WORK - self._bytes
        while self._turned_away and (room == ROOM_AT_WORK or self._turned_away[0].weight <= room):
            message = self._turned_away.popleft()
            room -= message.weight
            yield message

    def take_turned_away(self) -> list[Unloaded]:
        taken = [*self._turned_away]
        self._turned_away.clear()
        return taken

    @property
    def turned_away(self) -> list[Unloaded]:
        return [*self._turned_away.copy()]
