"""Numbers in memory that the processes of a worker inherit: no file under them can be removed or full.

Each process writes to a part of its own; one that replaces a dead process goes on with that part, so that no
counter goes down.
"""

from __future__ import annotations

import json
import mmap
import os
import struct
import threading
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from types import MappingProxyType

from worker.telemetry.logs import logger

_log = logger(__name__)
#: Bytes of a process: some 100,000 label sets. Pages that were never written take no memory.
_SIZE = 1 << 24
#: A part is the end of its last record, then records: lengths of key and values, key, values.
_END = struct.Struct("=Q")
_LENGTHS = struct.Struct("=II")
_DOUBLE = struct.Struct("=d")

#: The values of each process, by the labels'.
Rows = Mapping[tuple[str, ...], Sequence[Sequence[float]]]
NONE: Mapping[int, float] = MappingProxyType({})


class _Part:
    """What one process counts."""

    def __init__(self) -> None:
        self._memory = mmap.mmap(-1, _SIZE)
        _END.pack_into(self._memory, 0, _END.size)

    def records(self) -> Iterator[tuple[bytes, int, int]]:
        """Key, place and number of the values of each record."""
        at, end = _END.size, self._end
        while at < end:
            length, width = _LENGTHS.unpack_from(self._memory, at)
            at += _LENGTHS.size
            place = at + length + -length % _DOUBLE.size
            yield self._memory[at : at + length], place, width
            at = place + width * _DOUBLE.size

    @property
    def _end(self) -> int:
        return int(_END.unpack_from(self._memory, 0)[0])

    def append(self, key: bytes, width: int) -> int | None:
        """The place of new values, which are 0; None where the part is full."""
        before = self._end
        at = before + _LENGTHS.size
        place = at + len(key) + -len(key) % _DOUBLE.size
        end = place + width * _DOUBLE.size
        if end > _SIZE:
            return None
        _LENGTHS.pack_into(self._memory, before, len(key), width)
        self._memory[at : at + len(key)] = key
        self._memory[place:end] = bytes(end - place)
        # Last: a process that is killed before leaves nothing half done.
        _END.pack_into(self._memory, 0, end)
        return place

    def read(self, place: int, index: int) -> float:
        return float(_DOUBLE.unpack_from(self._memory, place + index * _DOUBLE.size)[0])

    def write(self, place: int, index: int, value: float) -> None:
        _DOUBLE.pack_into(self._memory, place + index * _DOUBLE.size, value)


class Tally:
    """The parts of all processes; the process that makes it writes to a part of its own."""

    def __init__(self) -> None:
        self._parts = [_Part()]
        self._write_to(self._parts[0])
        os.register_at_fork(after_in_child=self._renew_lock)

    def share(self, processes: int) -> None:
        """Make room for so many processes, before they are forked."""
        self._parts += [_Part() for _ in range(processes)]

    def write_as(self, process: int) -> None:
        """Count for this process, from 0, and go on where a dead one of this number ended."""
        self._write_to(self._parts[1 + process])

    def _write_to(self, part: _Part) -> None:
        self._renew_lock()
        self._own = part
        self._places = {key: place for key, place, _ in part.records()}
        self._is_full = False

    def _renew_lock(self) -> None:
        """Another thread may have held it at a fork."""
        self._lock = threading.Lock()

    def change(
        self, key: bytes, width: int, added: Mapping[int, float] = NONE, put: Mapping[int, float] = NONE
    ) -> None:
        """Add to and set values of a record by their index; a part that is full takes no new records."""
        with self._lock:
            place = self._place(key, width)
            if place is not None:
                for index, amount in added.items():
                    self._own.write(place, index, self._own.read(place, index) + amount)
                for index, value in put.items():
                    self._own.write(place, index, value)
            is_news = place is None and not self._is_full
            self._is_full = self._is_full or is_news
        if is_news:
            _log.warning("metrics_full")

    def _place(self, key: bytes, width: int) -> int | None:
        place = self._places.get(key)
        if place is None and (place := self._own.append(key, width)) is not None:
            self._places[key] = place
        return place

    def own(self, name: str) -> list[tuple[str, ...]]:
        """The label values that this process, or a dead one before it, has a record of."""
        with self._lock:
            keys = [json.loads(key) for key in self._places]
        return [tuple(values) for found, *values in keys if found == name]

    def rows(self) -> Mapping[str, Rows]:
        """The records of all processes by metric and label values."""
        found: dict[str, dict[tuple[str, ...], list[list[float]]]] = defaultdict(lambda: defaultdict(list))
        for part in self._parts:
            for key, place, width in part.records():
                name, *values = json.loads(key)
                row = [part.read(place, index) for index in range(width)]
                found[name][tuple(values)].append(row)
        return found


TALLY = Tally()
