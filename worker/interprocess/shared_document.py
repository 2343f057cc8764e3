"""A document that one process writes and all read, in memory that they share by fork."""

from __future__ import annotations

import mmap
import struct
from hashlib import blake2b

#: How often it was written, the bytes of name and text, and the digest of both.
_HEAD = struct.Struct("QHQ32s")


class SharedDocument:
    """Made before the fork. Memory is used up to the longest text that was written.

    A reader that meets a writer, or what one left that died while it wrote, sees no document.
    """

    def __init__(self, longest: int) -> None:
        """``longest`` is the most bytes that a document may have, with its name."""
        self._memory = mmap.mmap(-1, _HEAD.size + longest)

    @property
    def version(self) -> int:
        """How often it was written; 0 is never."""
        return int(_HEAD.unpack_from(self._memory)[0])

    def write(self, name: bytes, text: bytes) -> None:
        """``name`` is kept beside the text. For one process at a time."""
        _HEAD.pack_into(self._memory, 0, self.version + 1, len(name), len(text), _digest(name, text))
        start = _HEAD.size + len(name)
        self._memory[_HEAD.size : start] = name
        self._memory[start : start + len(text)] = text

    def read(self) -> tuple[bytes, bytes] | None:
        """Name and text; None while there is no whole one."""
        _, length, size, digest = _HEAD.unpack_from(self._memory)
        start = _HEAD.size + length
        name, text = self._memory[_HEAD.size : start], self._memory[start : start + size]
        return (name, text) if digest == _digest(name, text) else None


def _digest(name: bytes, text: bytes) -> bytes:
    return blake2b(name + b"\0" + text, digest_size=32).digest()
