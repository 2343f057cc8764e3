"""A document that one process writes and others read, in memory shared by fork."""

from __future__ import annotations

import mmap
import struct
from ctypes import c_char
from hashlib import blake2b
from multiprocessing.sharedctypes import RawArray

#: How often it was written, the bytes of name and text, and the digest of both.
_HEAD = struct.Struct("=QHQ32s")
#: Bytes of a reason.
_REFUSAL = 512
_VERSION = struct.Struct("=Q")


class SharedDocument:
    """Created before the fork; uses memory for the longest text that was written.

    A reader sees no document while one is written, or if its writer died on the way.
    """

    def __init__(self, longest: int) -> None:
        """``longest`` is the limit for name and text together, in bytes."""
        self._memory = mmap.mmap(-1, _HEAD.size + longest)
        self._refusal = RawArray(c_char, _REFUSAL)

    @property
    def version(self) -> int:
        """How often it was written; 0 is never."""
        return int(_VERSION.unpack_from(self._memory)[0])

    def write(self, name: bytes, text: bytes) -> None:
        """``name`` is kept beside the text. For one process at a time."""
        version, start = self.version, _HEAD.size + len(name)
        _HEAD.pack_into(self._memory, 0, version, len(name), len(text), _digest(name, text))
        self._memory[_HEAD.size : start] = name
        self._memory[start : start + len(text)] = text
        _VERSION.pack_into(self._memory, 0, version + 1)

    def read(self) -> tuple[bytes, bytes] | None:
        """Name and text; None if there is no complete document."""
        _, length, size, digest = _HEAD.unpack_from(self._memory)
        start = _HEAD.size + length
        name, text = self._memory[_HEAD.size : start], self._memory[start : start + size]
        return (name, text) if digest == _digest(name, text) else None

    @property
    def refusal(self) -> str:
        """Why its readers cannot use it; empty if they can."""
        return self._refusal.value.decode("utf-8", "ignore")

    @refusal.setter
    def refusal(self, text: str) -> None:
        self._refusal.value = text.encode()[: _REFUSAL - 1]


def _digest(name: bytes, text: bytes) -> bytes:
    return blake2b(name + b"\0" + text, digest_size=32).digest()
