"""A TCP proxy between worker, broker and Checkbox that makes the faults of a network on demand."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
import threading
from collections.abc import Callable, Coroutine
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlsplit, urlunsplit

_CHUNK = 65_536
_CALL_TIMEOUT = 10.0
_RESET_INSTEAD_OF_FIN = struct.pack("ii", 1, 0)


class FaultProxy:
    """Passes TCP connections on to a target, on a free port of loopback that stays the same.

    A context manager with a thread of its own. Faults are called from any thread and in force on return.
    """

    def __init__(
        self, host: str, port: int, tap: Callable[[], Callable[[bytes], None]] | None = None
    ) -> None:
        """``tap`` is called for each connection; what it returns gets all that the client sends."""
        self._target = (host, port)
        self._tap = tap
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="fault-proxy", daemon=True)
        self._server: asyncio.Server | None = None
        self._links: set[asyncio.Task[None]] = set()
        self._flowing = asyncio.Event()
        self._stall_end: asyncio.TimerHandle | None = None
        self._latency = 0.0
        self.port = 0

    @classmethod
    def before(cls, url: str, tap: Callable[[], Callable[[bytes], None]] | None = None) -> Self:
        """A proxy for the host and port of a URL that names both."""
        parts = urlsplit(url)
        if parts.hostname is None or parts.port is None:
            raise ValueError("the URL names no host and port")
        return cls(parts.hostname, parts.port, tap)

    def __enter__(self) -> Self:
        self._thread.start()
        self.resume()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.refuse()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def through(self, url: str) -> str:
        """The same URL by way of this proxy."""
        parts = urlsplit(url)
        credentials, at, _ = parts.netloc.rpartition("@")
        return urlunsplit(parts._replace(netloc=f"{credentials}{at}127.0.0.1:{self.port}"))

    @property
    def connections(self) -> int:
        """How many clients are connected now."""
        return len(self._links)

    def resume(self) -> None:
        """End every fault: listen, pass on what a stall held back, without delay."""
        self._do(self._resume())

    def cut(self) -> None:
        """Reset all connections of this moment, on both sides; new ones are welcome."""
        self._do(self._cut())

    def stall(self, seconds: float | None = None) -> None:
        """Pass nothing on for a while, or until `resume`: connections stay open, new ones get no answer."""
        self._do(self._stall(seconds))

    def refuse(self) -> None:
        """Reset all connections and refuse new ones until `resume`, as a host does whose process is gone."""
        self._do(self._refuse())

    def delay(self, seconds: float) -> None:
        """Hold every chunk back for so long, in each direction, until `resume`."""
        self._do(self._delay(seconds))

    def _do(self, fault: Coroutine[Any, Any, None]) -> None:
        asyncio.run_coroutine_threadsafe(fault, self._loop).result(_CALL_TIMEOUT)

    async def _resume(self) -> None:
        self._latency = 0.0
        self._flow()
        if self._server is None:
            self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port)
            self.port = self._server.sockets[0].getsockname()[1]

    async def _cut(self) -> None:
        links = list(self._links)
        for link in links:
            link.cancel()
        await asyncio.gather(*links, return_exceptions=True)
        await asyncio.sleep(0)  # the loop closes aborted sockets in its next round

    async def _stall(self, seconds: float | None) -> None:
        self._flow()
        self._flowing.clear()
        if seconds is not None:
            self._stall_end = self._loop.call_later(seconds, self._flow)

    async def _refuse(self) -> None:
        if self._server is not None:
            self._server.close()
            self._server = None
        await self._cut()

    async def _delay(self, seconds: float) -> None:
        self._latency = seconds

    def _flow(self) -> None:
        if self._stall_end is not None:
            self._stall_end.cancel()
            self._stall_end = None
        self._flowing.set()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        link = asyncio.current_task()
        assert link is not None
        self._links.add(link)
        sides = [writer]
        try:
            await self._flowing.wait()
            target_reader, target_writer = await asyncio.open_connection(*self._target)
            sides.append(target_writer)
            async with asyncio.TaskGroup() as both:
                tapped = self._tap() if self._tap is not None else None
                both.create_task(self._pump(reader, target_writer, tapped))
                both.create_task(self._pump(target_reader, writer))
        except (OSError, ExceptionGroup, asyncio.CancelledError):
            for side in sides:
                _reset(side)
        finally:
            self._links.discard(link)
            for side in sides:
                side.close()

    async def _pump(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        tapped: Callable[[bytes], None] | None = None,
    ) -> None:
        while chunk := await reader.read(_CHUNK):
            if tapped is not None:
                tapped(chunk)
            if self._latency:
                await asyncio.sleep(self._latency)
            await self._flowing.wait()
            writer.write(chunk)
            await writer.drain()
        await self._flowing.wait()
        if writer.can_write_eof():
            writer.write_eof()


def _reset(side: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        side.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_INSTEAD_OF_FIN)
    side.transport.abort()
