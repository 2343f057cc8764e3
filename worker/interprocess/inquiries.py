"""Asks the processes of a worker what they hold in memory; costs nothing otherwise.

Each process answers on a Unix socket of its own; the one that serves the pages asks all of them.
"""

from __future__ import annotations

import json
import socket
from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import partial
from typing import Any

#: Seconds and bytes of a question; an answer may take as long as a look at all that is held.
_QUESTION = 1.0
_LONGEST_QUESTION = 1024
_ANSWER = 3.0
_WAIT = 1.0

Rows = list[dict[str, Any]]
#: Kinds of questions: what is held of an order; what the checks found.
WAITING, CHECKED = "waiting", "checked"


class Inquiries:
    """A socket for each process, made before they are forked.

    Its address is the kernel's choice in the abstract namespace: no folder is needed, and a process that
    replaces a dead one listens on the same socket.
    """

    def __init__(self, processes: int) -> None:
        self._listening = [_listening() for _ in range(processes)]

    def answering(self, slot: int, find: Mapping[str, Callable[[str], Rows]]) -> Callable[[], None]:
        """A function that waits a second for a question to this process and answers it, by its kind."""
        return partial(_serve, self._listening[slot], find)

    def ask(self, kind: str, question: str) -> dict[str, Any]:
        """What the processes answer, under the kind's name, and how many of them did."""
        rows: Rows = []
        answered = 0
        for listening in self._listening:
            with suppress(OSError, ValueError):  # it is on its way, or too busy
                rows += _ask(listening.getsockname(), f"{kind}\n{question}")
                answered += 1
        return {"processes": len(self._listening), "answered": answered, kind: rows}


def _listening() -> socket.socket:
    listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    listening.bind("")
    listening.listen()
    listening.settimeout(_WAIT)
    return listening


def _serve(listening: socket.socket, find: Mapping[str, Callable[[str], Rows]]) -> None:
    try:
        connection, _ = listening.accept()
    except TimeoutError:
        return
    with connection, suppress(OSError):
        connection.settimeout(_QUESTION)
        kind, _, question = _read(connection, _LONGEST_QUESTION).decode("utf-8", "replace").partition("\n")
        connection.settimeout(_ANSWER)
        connection.sendall(json.dumps(find[kind](question)).encode())


def _ask(address: bytes, question: str) -> Rows:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
        connection.settimeout(_ANSWER)
        connection.connect(address)
        connection.sendall(question.encode())
        connection.shutdown(socket.SHUT_WR)
        rows: Rows = json.loads(_read(connection, None))
        return rows


def _read(connection: socket.socket, longest: int | None) -> bytes:
    data = b""
    while (longest is None or len(data) < longest) and (more := connection.recv(65536)):
        data += more
    return data
