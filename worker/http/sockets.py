"""TCP sockets that keep to the deadline: name look-up, connecting, sending, receiving, and TLS on top.

The sockets do not block. A time-out of Python's costs three system calls a step; here a socket is waited for
only where it has to be.
"""

from __future__ import annotations

import errno
import os
import select
import socket
import ssl
from collections.abc import Callable
from functools import partial
from typing import Protocol, TypeVar

from worker.http.deadline import Deadline, remaining
from worker.http.names import Address, Addresses

_CHUNK = 64 * 1024
_Result = TypeVar("_Result")


class Wire(Protocol):
    """Bytes to and from the other side. Raises ``OSError``, which ``TimeoutError`` is one of."""

    @property
    def tls(self) -> ssl.SSLObject | None:
        """What was agreed on by TLS."""

    def send(self, data: bytes) -> None:
        """Returns when the system has all of it."""

    def receive(self) -> bytes:
        """What is there, at least a byte; nothing at the end."""

    def is_readable(self) -> bool:
        """Whether there is something to receive, or the end."""

    def close(self) -> None: ...


class Tcp:
    """A connected socket."""

    tls = None

    def __init__(self, connected: socket.socket) -> None:
        self._socket = connected
        self._arrivals = _watch(connected, select.POLLIN)

    def send(self, data: bytes) -> None:
        unsent = memoryview(data)
        while unsent:
            try:
                unsent = unsent[self._socket.send(unsent) :]
            except BlockingIOError:
                _wait(_watch(self._socket, select.POLLOUT))

    def receive(self) -> bytes:
        while True:
            _wait(self._arrivals)
            try:
                return self._socket.recv(_CHUNK)
            except BlockingIOError:
                continue

    def is_readable(self) -> bool:
        return self._socket.fileno() < 0 or bool(self._arrivals.poll(0))

    def close(self) -> None:
        self._socket.close()


class Tls:
    """TLS over a wire, which may be TLS itself: the way to an ``https://`` site by an ``https://`` proxy."""

    def __init__(self, wire: Wire, context: ssl.SSLContext, server_name: str | None) -> None:
        self._wire = wire
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.tls = context.wrap_bio(self._incoming, self._outgoing, server_hostname=server_name)
        self._step(self.tls.do_handshake)

    def send(self, data: bytes) -> None:
        unsent = memoryview(data)
        while unsent:
            unsent = unsent[self._step(partial(self.tls.write, unsent)) :]

    def receive(self) -> bytes:
        try:
            return self._step(partial(self.tls.read, _CHUNK))
        except ssl.SSLEOFError:  # closed without a farewell, as many servers do
            return b""

    def is_readable(self) -> bool:
        return bool(self.tls.pending() or self._incoming.pending) or self._wire.is_readable()

    def close(self) -> None:
        self._wire.close()

    def _step(self, step: Callable[[], _Result]) -> _Result:
        """Repeat a step of TLS, carrying bytes to and fro, until it needs no more of them."""
        while True:
            try:
                result = step()
            except ssl.SSLWantReadError:
                self._flush()
                if received := self._wire.receive():
                    self._incoming.write(received)
                else:
                    self._incoming.write_eof()
            else:
                self._flush()
                return result

    def _flush(self) -> None:
        if self._outgoing.pending:
            self._wire.send(self._outgoing.read())


def connected(addresses: Addresses) -> Tcp:
    """The first address that answers; each one tried has an equal share of the time that is left.

    Raises ``OSError``: that of the last address.
    """
    fault: OSError = ConnectionError("the name has no address")
    for tried, (family, address) in enumerate(addresses):
        left = remaining()
        try:
            with Deadline(None if left is None else left / (len(addresses) - tried)):
                return Tcp(_connected(family, address))
        except OSError as error:
            fault = error
    raise fault


def _connected(family: int, address: Address) -> socket.socket:
    one = socket.socket(family, socket.SOCK_STREAM)
    try:
        one.setblocking(False)
        one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        code = one.connect_ex(address)
        if code == errno.EINPROGRESS:
            _wait(_watch(one, select.POLLOUT))
            code = one.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        if code:
            raise OSError(code, os.strerror(code))
    except BaseException:
        one.close()
        raise
    return one


def _watch(one: socket.socket, event: int) -> select.poll:
    poll = select.poll()
    poll.register(one, event)
    return poll


def _wait(awaited: select.poll) -> None:
    """Raises ``TimeoutError`` at the deadline."""
    left = remaining()
    if not awaited.poll(None if left is None else left * 1000):
        raise TimeoutError("the other side keeps silent")
