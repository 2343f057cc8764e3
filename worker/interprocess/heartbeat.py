"""The state of each worker process, shared by fork with the process that answers the probes."""

from __future__ import annotations

import time
from ctypes import c_char
from dataclasses import astuple, dataclass
from multiprocessing.sharedctypes import RawArray

#: Seconds without a beat after which a process is considered dead.
SILENCE = 60.0


@dataclass(frozen=True, slots=True)
class HeldCounts:
    """Requests of a process: in a thread now, or waiting until they are due.

    Times are in seconds since the epoch; 0 is none.
    """

    in_flight: int = 0
    follow_up: int = 0
    retry: int = 0
    oldest_first_seen: float = 0.0
    unknown: int = 0
    oldest_unknown: float = 0.0


_NONE = HeldCounts()
_WIDTH = len(astuple(_NONE))
#: Bytes for the name of what stands.
_NAME = 64


class Heartbeat:
    """A slot for each worker process. A slot that never beat is of a process that has not started."""

    def __init__(self, processes: int) -> None:
        self._beats = RawArray("d", processes)
        self._shown = RawArray("d", processes)
        self._consuming = RawArray("b", processes)
        self._held = RawArray("d", processes * _WIDTH)
        self._standing = RawArray(c_char * _NAME, processes)

    def beat(self, slot: int, consuming: bool) -> None:
        """The process's threads are alive and none is stuck."""
        self._beats[slot] = time.monotonic()
        self._shown[slot] = time.time()
        self._consuming[slot] = consuming
        self._standing[slot].value = b""

    def stand(self, slot: int, name: str) -> None:
        """This loop or thread of the process ended or is stuck: the heartbeat is left out."""
        self._standing[slot].value = name.encode()[: _NAME - 1]

    def hold(self, slot: int, held: HeldCounts) -> None:
        """What the process holds now."""
        self._held[slot * _WIDTH : (slot + 1) * _WIDTH] = astuple(held)

    def gone(self, slot: int) -> None:
        """The process ended; another one is started, and the broker has taken back what it held."""
        self._beats[slot] = time.monotonic()
        self._consuming[slot] = False
        self._standing[slot].value = b""
        self.hold(slot, _NONE)

    @property
    def silent(self) -> list[int]:
        """Processes that started and have been silent for too long."""
        now = time.monotonic()
        return [slot for slot, beat in enumerate(self._beats) if beat and now - beat > SILENCE]

    @property
    def standing(self) -> dict[int, str]:
        """What is stuck, by process."""
        return {slot: name.value.decode() for slot, name in enumerate(self._standing) if name.value}

    @property
    def last_beats(self) -> dict[int, float]:
        """When each process that has started beat last, in seconds since the epoch."""
        return {slot: shown for slot, shown in enumerate(self._shown) if shown}

    @property
    def held(self) -> HeldCounts:
        """What all processes have together."""
        rows = [HeldCounts(*self._held[at : at + _WIDTH]) for at in range(0, len(self._held), _WIDTH)]
        return HeldCounts(
            in_flight=int(sum(row.in_flight for row in rows)),
            follow_up=int(sum(row.follow_up for row in rows)),
            retry=int(sum(row.retry for row in rows)),
            oldest_first_seen=min(filter(None, (row.oldest_first_seen for row in rows)), default=0.0),
            unknown=int(sum(row.unknown for row in rows)),
            oldest_unknown=min(filter(None, (row.oldest_unknown for row in rows)), default=0.0),
        )

    @property
    def consuming(self) -> int:
        """Processes that consume every queue."""
        return sum(self._consuming)

    @property
    def processes(self) -> int:
        return len(self._beats)
