"""A time limit over a whole call: name look-up aside, from connecting to the last byte.

httpcore2's own time-outs start anew with every read, so that an answer that drips a byte at a time would hold
a thread for ever. Here every wait on the socket is cut to what is left of the call.

And it makes three system calls of each step, since Python's time-outs do: each lets another thread take the
interpreter's lock. Here the socket does not block, and is waited for where it has to be.
"""

from __future__ import annotations

import select
import ssl
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from contextvars import ContextVar
from typing import Any

import httpcore2
import httpx2

_until: ContextVar[float | None] = ContextVar("deadline", default=None)


class Deadline:
    """Every wait of this thread's calls ends ``seconds`` from now at the latest, as a time-out."""

    __slots__ = ("_seconds", "_token")

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds

    def __enter__(self) -> None:
        self._token = _until.set(time.monotonic() + self._seconds)

    def __exit__(self, *_: object) -> None:
        _until.reset(self._token)


def keep_to_deadlines(client: httpx2.Client) -> None:
    """Has every call of a new client's end with the ``Deadline`` around it, through proxies too."""
    backend = Backend()
    for transport in (client._transport, *client._mounts.values()):
        if transport is not None:
            pool_of(transport)._network_backend = backend


def pool_of(transport: httpx2.BaseTransport) -> httpcore2.ConnectionPool:
    """httpx2 hands neither its pools out nor a network backend in; tests fail when this ceases to work."""
    assert isinstance(transport, httpx2.HTTPTransport)
    return transport._pool


def _left(timeout: float | None, expired: Callable[[str], Exception]) -> float | None:
    until = _until.get()
    if until is None:
        return timeout
    left = until - time.monotonic()
    if left <= 0:
        raise expired("the whole call took too long")
    return left if timeout is None else min(timeout, left)


class Backend(httpcore2.SyncBackend):
    """Connections that keep to the deadline."""

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore2.SOCKET_OPTION] | None = None,
    ) -> httpcore2.NetworkStream:
        left = _left(timeout, httpcore2.ConnectTimeout)
        return _Socket(super().connect_tcp(host, port, left, local_address, socket_options))


class _Stream(httpcore2.NetworkStream):
    """Any of the library's."""

    def __init__(self, stream: httpcore2.NetworkStream) -> None:
        self._stream = stream

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._stream.read(max_bytes, _left(timeout, httpcore2.ReadTimeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._stream.write(buffer, _left(timeout, httpcore2.WriteTimeout))

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore2.NetworkStream:
        left = _left(timeout, httpcore2.ConnectTimeout)
        return _Stream(self._stream.start_tls(ssl_context, server_hostname, left))

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)


class _Socket(_Stream):
    """A socket of the system's, or of TLS on one."""

    def __init__(self, stream: httpcore2.NetworkStream) -> None:
        super().__init__(stream)
        self._socket = stream.get_extra_info("socket")
        self._socket.setblocking(False)
        self._is_tls = isinstance(self._socket, ssl.SSLSocket)
        self._unsent = bytearray()
        self._send_timeout: float | None = None

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        """Head and body of a request leave together, when the answer is awaited."""
        self._unsent += buffer
        self._send_timeout = timeout

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        if self._unsent:
            self._send()
        if not (self._is_tls and self._socket.pending()):
            self._wait(select.POLLIN, timeout, httpcore2.ReadTimeout)
        while True:
            try:
                received: bytes = self._socket.recv(max_bytes)
                return received
            except (BlockingIOError, ssl.SSLWantReadError):
                self._wait(select.POLLIN, timeout, httpcore2.ReadTimeout)
            except ssl.SSLWantWriteError:
                self._wait(select.POLLOUT, timeout, httpcore2.ReadTimeout)
            except OSError as error:
                raise httpcore2.ReadError(str(error)) from error

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore2.NetworkStream:
        stream = super().start_tls(ssl_context, server_hostname, timeout)
        # TLS within TLS, to a proxy that is spoken to in private, is no socket.
        return stream if self._is_tls else _Socket(stream)

    def _send(self) -> None:
        unsent, self._unsent = memoryview(self._unsent), bytearray()
        # Who refuses a request halfway may have answered it: the answer tells, or the lack of one.
        with suppress(httpcore2.WriteError):
            while unsent:
                unsent = unsent[self._sent(unsent) :]

    def _sent(self, unsent: memoryview) -> int:
        try:
            sent: int = self._socket.send(unsent)
            return sent
        except (BlockingIOError, ssl.SSLWantWriteError):
            self._wait(select.POLLOUT, self._send_timeout, httpcore2.WriteTimeout)
        except ssl.SSLWantReadError:
            self._wait(select.POLLIN, self._send_timeout, httpcore2.WriteTimeout)
        except OSError as error:
            raise httpcore2.WriteError(str(error)) from error
        return 0

    def _wait(self, event: int, timeout: float | None, expired: Callable[[str], Exception]) -> None:
        left = _left(timeout, expired)
        poll = select.poll()
        poll.register(self._socket, event)
        if not poll.poll(None if left is None else left * 1000):
            raise expired("the other side keeps silent")
