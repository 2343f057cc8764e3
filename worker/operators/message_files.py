"""Files that hold messages, as ``publish`` and ``validate`` read them.

A file is one message, byte for byte. A file that begins with a line of ``dead-letters export``, and any
``*.jsonl``, holds a message on each line.
"""

from __future__ import annotations

import base64
import json
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from worker.rabbit.topology import CLOUD_EVENT

STDIN = "-"


@dataclass(frozen=True, slots=True)
class FileMessage:
    """A message, and where it was read: a file, or a file and its line."""

    source: str
    body: bytes
    content_type: str | None = CLOUD_EVENT


class UnreadableFile(Exception):
    """A file cannot be read, or a line of it holds no message."""


def check_readable(names: Sequence[str]) -> None:
    """Before anything is done with the first. Raises ``UnreadableFile``."""
    for name in names:
        if name != STDIN and not (os.access(name, os.R_OK) and not Path(name).is_dir()):
            raise UnreadableFile(f"{name}: not a file that can be read")


def read_messages(names: Sequence[str]) -> Iterator[FileMessage]:
    """The messages of these files, read as they are taken; ``-`` is stdin. Raises ``UnreadableFile``."""
    for name in names:
        with ExitStack() as stack:
            try:
                file = sys.stdin.buffer if name == STDIN else stack.enter_context(Path(name).open("rb"))
                yield from _of_file(name, file)
            except OSError as error:
                raise UnreadableFile(f"{name}: {error.strerror}") from None


def _of_file(name: str, file: IO[bytes]) -> Iterator[FileMessage]:
    first = file.readline()
    if name.endswith(".jsonl") or _is_letter(_object(first)):
        yield from _of_lines(name, first, file)
    elif first or name != STDIN:  # an export of nothing, through a pipe, is not a message
        yield FileMessage(name, first + file.read())


def _of_lines(name: str, first: bytes, rest: IO[bytes]) -> Iterator[FileMessage]:
    line, number = first, 1
    while line:
        if line.strip():
            yield _of_line(f"{name}:{number}", line.rstrip(b"\r\n"))
        line, number = rest.readline(), number + 1


def _of_line(source: str, line: bytes) -> FileMessage:
    row = _object(line)
    if not _is_letter(row):
        return FileMessage(source, line)
    body, encoded, content_type = row.get("body"), row.get("bodyBase64"), row.get("contentType")
    try:
        if isinstance(body, str):
            return FileMessage(source, body.encode(), content_type)
        if isinstance(encoded, str):
            return FileMessage(source, base64.b64decode(encoded, validate=True), content_type)
    except ValueError:
        raise UnreadableFile(f"{source}: the body cannot be decoded") from None
    raise UnreadableFile(f"{source}: has no body; `dead-letters export` writes lines with one")


def _is_letter(row: dict[str, Any]) -> bool:
    """Whether it is a line of the dead-letter commands; a message has other members."""
    return "failedAt" in row and "code" in row and "specversion" not in row


def _object(line: bytes) -> dict[str, Any]:
    try:
        row = json.loads(line)
    except (ValueError, RecursionError):
        return {}
    return row if isinstance(row, dict) else {}
