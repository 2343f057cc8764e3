"""Questions to the processes of a worker about what they hold in memory; while nobody asks, nothing runs.

Each process answers on a Unix socket of its own in the folder that they share; the one that serves the pages
asks all of them.
"""

from __future__ import annotations

import json
import socket
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from worker.telemetry.logs import logger

_log = logger(__name__)
#: Seconds and bytes of a question; an answer may take as long as a look at all that is held.
_QUESTION = 1.0
_LONGEST_QUESTION = 1024
_ANSWER = 3.0
_WAIT = 1.0

Rows = list[dict[str, Any]]


def answer(
    folder: Path, slot: int, find: Callable[[str], Rows], supervise: Callable[[Callable[[], None]], None]
) -> None:
    """``supervise`` is given what waits a second for a question and answers it, for a loop."""
    path = _path(folder, slot)
    path.unlink(missing_ok=True)  # of a process that died
    listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        listening.bind(str(path))
        listening.listen()
    except OSError as error:
        # The folder's path may be too long for a socket's. Only `explain` knows less then.
        listening.close()
        _log.warning("inquiries_not_answered", **{"error.type": type(error).__name__})
        return
    listening.settimeout(_WAIT)
    supervise(lambda: _serve(listening, find))


def ask(folder: Path, slots: int, question: str) -> dict[str, Any]:
    """What the processes answer, and how many of them did."""
    rows: Rows = []
    answered = 0
    for slot in range(slots):
        with suppress(OSError, ValueError):  # it is on its way, or too busy
            rows += _ask(_path(folder, slot), question)
            answered += 1
    return {"processes": slots, "answered": answered, "waiting": rows}


def _path(folder: Path, slot: int) -> Path:
    return folder / f"inquiries-{slot}.sock"


def _serve(listening: socket.socket, find: Callable[[str], Rows]) -> None:
    try:
        connection, _ = listening.accept()
    except TimeoutError:
        return
    with connection, suppress(OSError):
        connection.settimeout(_QUESTION)
        question = _read(connection, _LONGEST_QUESTION).decode("utf-8", "replace")
        connection.settimeout(_ANSWER)
        connection.sendall(json.dumps(find(question)).encode())


def _ask(path: Path, question: str) -> Rows:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
        connection.settimeout(_ANSWER)
        connection.connect(str(path))
        connection.sendall(question.encode())
        connection.shutdown(socket.SHUT_WR)
        rows: Rows = json.loads(_read(connection, None))
        return rows


def _read(connection: socket.socket, longest: int | None) -> bytes:
    data = b""
    while (longest is None or len(data) < longest) and (more := connection.recv(65536)):
        data += more
    return data
