"""The network layer that httpcore2 is given: it keeps to the deadline, and hands out one answer at a time."""

from __future__ import annotations

import math
import re
import ssl
from collections.abc import Iterable
from typing import Any

import httpcore2

from worker.http.deadline import Deadline
from worker.http.names import Resolver
from worker.http.sockets import Tls, Wire, connected

#: Ends a head, and a body in chunks; as h11, httpcore2's parser, reads it.
_BLANK_LINE = re.compile(b"\n\r?\n")


class Backend(httpcore2.NetworkBackend):
    """Makes connections; name look-up and all addresses of a host share one time-out."""

    def __init__(self) -> None:
        self._resolver = Resolver()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore2.SOCKET_OPTION] | None = None,
    ) -> httpcore2.NetworkStream:
        try:
            with Deadline(timeout):
                return Stream(connected(self._resolver.addresses(host, port)))
        except TimeoutError as error:
            raise httpcore2.ConnectTimeout(str(error)) from error
        except OSError as error:
            raise httpcore2.ConnectError(str(error)) from error


class Stream(httpcore2.NetworkStream):
    """What the library reads and writes.

    Its parser keeps what was read behind the end of an answer, where nobody can see it, and takes it for the
    answer to the next request, perhaps another cashier's. So nothing is read ahead for it: a piece ends at
    each blank line, where a head and a body in chunks end, and a body of a known length by ``limit``. What
    is behind stays here, makes the stream readable, and so the library ends the connection.
    """

    def __init__(self, wire: Wire) -> None:
        self._wire = wire
        self._unsent = bytearray()
        self._write_timeout: float | None = None
        self._received = b""
        #: The end of the last piece, where a blank line may have begun.
        self._tail = b""
        self._allowed: float = math.inf

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        """Head and body of a request leave together, when the answer is awaited."""
        self._unsent += buffer
        self._write_timeout = timeout
        self._tail, self._allowed = b"", math.inf

    def limit(self, length: int) -> None:
        """The rest of this answer is so long."""
        self._allowed = length

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        if self._unsent:
            self._send()
        if not self._received:
            self._receive(timeout)
        end = min(len(self._received), max_bytes, self._allowed)
        sought = self._tail + self._received[: int(end)]
        if found := _BLANK_LINE.search(sought):
            end, self._tail = found.end() - len(self._tail), b""
        else:
            self._tail = sought[-2:]
        piece, self._received = self._received[: int(end)], self._received[int(end) :]
        self._allowed -= len(piece)
        return piece

    def close(self) -> None:
        self._wire.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore2.NetworkStream:
        try:
            with Deadline(timeout):
                return Stream(Tls(self._wire, ssl_context, server_hostname))
        except OSError as error:
            self.close()
            kind = httpcore2.ConnectTimeout if isinstance(error, TimeoutError) else httpcore2.ConnectError
            raise kind(str(error)) from error

    def get_extra_info(self, info: str) -> Any:
        match info:
            case "ssl_object":
                return self._wire.tls
            case "is_readable":
                return bool(self._received) or self._wire.is_readable()
        return None

    def _send(self) -> None:
        unsent, self._unsent = bytes(self._unsent), bytearray()
        try:
            with Deadline(self._write_timeout):
                self._wire.send(unsent)
        except TimeoutError as error:
            raise httpcore2.WriteTimeout(str(error)) from error
        except OSError:
            pass  # a peer that refuses a request halfway may have answered it: the next read shows

    def _receive(self, timeout: float | None) -> None:
        try:
            with Deadline(timeout):
                self._received = self._wire.receive()
        except TimeoutError as error:
            raise httpcore2.ReadTimeout(str(error)) from error
        except OSError as error:
            raise httpcore2.ReadError(str(error)) from error
