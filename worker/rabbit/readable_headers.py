"""A message whose headers pika cannot read comes without them.

A time in milliseconds where seconds were due is in the year 57,000, which is beyond Python. pika breaks off
at such a message, at each redelivery again, and nothing else would be consumed.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import Any

import pika
from pika.adapters.utils.nbio_interface import AbstractStreamProtocol, AbstractStreamTransport
from pika.adapters.utils.selector_ioloop_adapter import SelectorIOServicesAdapter
from pika.frame import Header
from pika.spec import FRAME_END_SIZE, FRAME_HEADER, FRAME_HEADER_SIZE

#: Type, channel and length of a frame.
_FRAME = struct.Struct(">BHL")
#: Class, weight and length of the body, before a message's properties.
_CONTENT = struct.Struct(">HHQ")


class ReadableHeaders(SelectorIOServicesAdapter):  # type: ignore[misc]
    """What a ``SelectConnection`` does its input and output by, on a loop."""

    def create_streaming_connection(
        self,
        protocol_factory: Callable[[], Any],
        sock: Any,
        on_done: Callable[[Any], None],
        *tls: Any,
        **more: Any,
    ) -> Any:
        """As the library's, with a sieve before the protocol."""

        def done(result: Any) -> None:
            on_done(result if isinstance(result, BaseException) else (result[0], result[1].behind))

        return super().create_streaming_connection(
            lambda: _Sieve(protocol_factory()), sock, done, *tls, **more
        )


class _Sieve(AbstractStreamProtocol):  # type: ignore[misc]
    """Passes on whole frames."""

    def __init__(self, behind: AbstractStreamProtocol) -> None:
        self.behind = behind
        self._received = b""

    def connection_made(self, transport: AbstractStreamTransport) -> None:
        self.behind.connection_made(transport)

    def connection_lost(self, error: BaseException | None) -> None:
        self.behind.connection_lost(error)

    def eof_received(self) -> bool | None:
        ended: bool | None = self.behind.eof_received()
        return ended

    def data_received(self, data: bytes) -> None:
        received, at = self._received + data, 0
        frames = []
        while (end := _end_of_frame(received, at)) <= len(received):
            frames.append(readable(received[at:end]))
            at = end
        self._received = received[at:]
        if frames:
            self.behind.data_received(b"".join(frames))


def _end_of_frame(received: bytes, at: int) -> int:
    """As far as is known."""
    head = at + int(FRAME_HEADER_SIZE)
    if len(received) < head:
        return head
    length: int = _FRAME.unpack_from(received, at)[2]
    return head + length + int(FRAME_END_SIZE)


def readable(frame: bytes) -> bytes:
    """The frame itself if pika can read it, or if it is not a header."""
    kind, channel, _ = _FRAME.unpack_from(frame)
    if kind != FRAME_HEADER:
        return frame
    properties = pika.BasicProperties()
    try:
        properties.decode(frame, FRAME_HEADER_SIZE + _CONTENT.size)
    except Exception:  # whatever the bytes are good for
        properties.headers = None
        body_size = _CONTENT.unpack_from(frame, FRAME_HEADER_SIZE)[2]
        replaced: bytes = Header(channel, body_size, properties).marshal()
        return replaced
    return frame
