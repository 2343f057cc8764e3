"""Where the broker is, how long it is waited for, and how messages are written to it."""

from __future__ import annotations

import ssl
from abc import ABC, abstractmethod
from collections.abc import Sequence
from contextlib import suppress
from typing import Any
from urllib.parse import urlsplit

import pika
from pika.adapters.select_connection import IOLoop
from pika.channel import Channel

#: A dead network is noticed after about three heartbeats; the server's 60 s would mean minutes.
_HEARTBEAT = 20
#: An alarm of the broker blocks publishers; waiting longer would hold the thread past a shutdown.
_BLOCKED = 15


class _Properties(pika.BasicProperties):  # type: ignore[misc]
    """Headers may be beyond Python: a time in milliseconds where seconds were due is in the year 57,000.

    pika breaks off at that, at each redelivery again, and nothing else is consumed: read them as none.
    """

    def decode(self, encoded: bytes, offset: int = 0) -> pika.BasicProperties:
        try:
            super().decode(encoded, offset)
        except Exception:  # whatever the bytes are good for
            self.headers = None
        return self


pika.spec.props[pika.BasicProperties.INDEX] = _Properties


class WholeWrites(pika.SelectConnection):  # type: ignore[misc]
    """A connection's implementation that hands a message to the socket in one piece, and at once.

    pika writes a message's method, header and body one by one: three system calls, and the broker wakes up
    three times. Who waits for each confirm sends about a tenth more messages a second with one. And it asks
    the loop first whether the socket takes anything, which is three more.
    """

    def _output_marshaled_frames(self, marshaled_frames: Sequence[bytes]) -> None:
        super()._output_marshaled_frames([b"".join(marshaled_frames)])

    def _adapter_emit_data(self, data: bytes) -> None:
        transport = self._transport
        if not transport.get_write_buffer_size() and not isinstance(transport._sock, ssl.SSLSocket):
            with suppress(OSError):  # pika meets it again
                data = data[transport._sock.send(data) :]
        if data:
            super()._adapter_emit_data(data)


class Link(ABC):
    """A connection on a loop, used in the loop's thread only; the first address that answers is taken."""

    def __init__(self, io: IOLoop, params: list[pika.URLParameters]) -> None:
        self._connection: Any = None
        self._why: BaseException | None = None
        self._is_let_go = False
        WholeWrites.create_connection(params, self._connected, custom_ioloop=io)

    @abstractmethod
    def opened(self, connection: pika.SelectConnection) -> None:
        """There is a connection; its channels are still to be opened."""

    @abstractmethod
    def ended(self, why: BaseException) -> None:
        """There is none, or none any more."""

    def close(self) -> None:
        """``ended`` follows."""
        if self._connection is not None and self._connection.is_open:
            self._connection.close()

    def let_go(self) -> None:
        """Close it, or do not open it; nothing follows."""
        self._is_let_go = True
        self.close()

    def end_with(self, channel: Channel) -> None:
        """One channel closed is all closed."""
        channel.add_on_close_callback(self._channel_closed)

    def _connected(self, opened: Any) -> None:
        if isinstance(opened, BaseException):
            self._tell(opened)
            return
        self._connection = opened
        if self._is_let_go:
            self.close()
            return
        opened.add_on_close_callback(lambda _, why: self._tell(self._why or why))
        self.opened(opened)

    def _channel_closed(self, _: Channel, why: BaseException) -> None:
        self._why = self._why or why
        self.close()

    def _tell(self, why: BaseException) -> None:
        if not self._is_let_go:
            self.ended(why)


def parameters(urls: str, name: str) -> list[pika.URLParameters]:
    """Connection parameters for one or several URLs with ``;`` between, tried in turn."""
    found = []
    for url in urls.split(";"):
        one = pika.URLParameters(url.strip())
        query = urlsplit(url).query
        if "heartbeat" not in query:
            one.heartbeat = _HEARTBEAT
        if "blocked_connection_timeout" not in query:
            one.blocked_connection_timeout = _BLOCKED
        if "socket_timeout" not in query:
            one.socket_timeout = 5
        one.stack_timeout = 10
        one.client_properties = {"connection_name": name, "product": "fiscal-worker"}
        found.append(one)
    return found
