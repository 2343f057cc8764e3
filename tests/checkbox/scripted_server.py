"""A server that answers exactly as a test says, down to the bytes and the moment the connection ends."""

from __future__ import annotations

import json
import socket
import struct
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Self


@dataclass(frozen=True, slots=True)
class Received:
    """A request as it arrived; header names in lower case."""

    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


Script = Callable[[socket.socket, threading.Event], None]


def answer(status: int, body: bytes | str | object = b"", headers: Mapping[str, str] | None = None) -> Script:
    """A whole answer; what is neither bytes nor text is sent as JSON."""
    content = body if isinstance(body, bytes) else body.encode() if isinstance(body, str) else dumps(body)
    kind = "text/html" if isinstance(body, str) else "application/json"
    lines = {"content-type": kind, "content-length": str(len(content)), **(headers or {})}
    head = f"HTTP/1.1 {status} X\r\n" + "".join(f"{name}: {value}\r\n" for name, value in lines.items())
    return raw(head.encode() + b"\r\n" + content)


def raw(data: bytes) -> Script:
    """These bytes, and then the end of the connection where they are no whole answer."""

    def script(connection: socket.socket, _: threading.Event) -> None:
        connection.sendall(data)

    return script


def cut(data: bytes) -> Script:
    """These bytes, and then the end of the connection."""

    def script(connection: socket.socket, _: threading.Event) -> None:
        connection.sendall(data)
        connection.close()

    return script


def silence(connection: socket.socket, done: threading.Event) -> None:
    """Nothing, until the test is over."""
    done.wait(30)


def reset(connection: socket.socket, _: threading.Event) -> None:
    """The connection is reset, as by a process that died."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


def drip(head: bytes) -> Script:
    """A byte now and then, for ever, after ``head``."""

    def script(connection: socket.socket, done: threading.Event) -> None:
        connection.sendall(head)
        while not done.wait(0.02):
            connection.sendall(b" ")

    return script


def dumps(document: object) -> bytes:
    return json.dumps(document, ensure_ascii=False).encode()


class ScriptedServer:
    """Answers the requests in turn, each with its own script, the last for all that follow."""

    def __init__(self, *scripts: Script) -> None:
        self.received: list[Received] = []
        self.connections = 0
        self._scripts = list(scripts)
        self._done = threading.Event()
        self._socket = socket.create_server(("127.0.0.1", 0))
        self._threads = [threading.Thread(target=self._accept, daemon=True)]

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._socket.getsockname()[1]}"

    def __enter__(self) -> Self:
        self._threads[0].start()
        return self

    def __exit__(self, *_: object) -> None:
        self._done.set()
        self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        for thread in self._threads:
            thread.join(5)

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                connection, _ = self._socket.accept()
                self.connections += 1
                thread = threading.Thread(target=self._serve, args=(connection,), daemon=True)
                self._threads.append(thread)
                thread.start()

    def _serve(self, connection: socket.socket) -> None:
        with suppress(OSError), connection:
            while (request := self._read(connection)) is not None:
                self.received.append(request)
                script = self._scripts.pop(0) if len(self._scripts) > 1 else self._scripts[0]
                connection.settimeout(30)
                script(connection, self._done)

    def _read(self, connection: socket.socket) -> Received | None:
        connection.settimeout(0.05)
        data = self._until(connection, b"", lambda data: b"\r\n\r\n" in data)
        if data is None:
            return None
        head, _, body = data.partition(b"\r\n\r\n")
        first, *lines = head.decode("latin-1").split("\r\n")
        headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
        length = int(headers.get("content-length", 0))
        whole = self._until(connection, body, lambda data: len(data) >= length)
        method, target, _ = first.split(" ")
        return Received(method, target, headers, whole or b"")

    def _until(
        self, connection: socket.socket, data: bytes, is_enough: Callable[[bytes], bool]
    ) -> bytes | None:
        while not is_enough(data):
            try:
                more = connection.recv(65536)
            except TimeoutError:
                if self._done.is_set():
                    return None
                continue
            if not more:
                return None
            data += more
        return data
