"""Lines that leave by a thread of their own."""

from __future__ import annotations

import fcntl
import os
import select
import time
from collections.abc import Callable, Iterator

import pytest

from tests.telemetry.test_logs import output  # noqa: F401 - what the writer itself logs
from worker.telemetry import log_writer, logs
from worker.telemetry.log_writer import LogWriter


@pytest.fixture
def pipe() -> Iterator[tuple[int, int]]:
    """A pipe of one page."""
    reading, writing = os.pipe()
    fcntl.fcntl(writing, fcntl.F_SETPIPE_SZ, 4096)
    yield reading, writing
    for end in (reading, writing):
        try:
            os.close(end)
        except OSError:
            continue


def test_lines_are_whole_and_in_order(pipe: tuple[int, int]) -> None:
    """Drained means written."""
    writer = LogWriter(pipe[1])
    for number in range(20):
        writer.write(f"{number} Ї \udc80\n")
    writer.drain()
    assert os.read(pipe[0], 4096).decode().splitlines() == [f"{number} Ї \\udc80" for number in range(20)]


@pytest.mark.usefixtures("output")
def test_what_has_no_room_is_dropped_and_told_once(pipe: tuple[int, int]) -> None:
    """No call blocks; the drain has an end; when all is written the number follows."""
    writer = LogWriter(pipe[1])
    logs.configure("json", "INFO", writer)
    for _ in range(6000):
        writer.write("x" * 1023 + "\n")
    began = time.monotonic()
    writer.drain(0.1)
    assert time.monotonic() - began < 5
    seen = bytearray()
    while b'"log_lines_dropped"' not in seen[-8192:]:
        assert select.select([pipe[0]], [], [], 10)[0]
        seen.extend(os.read(pipe[0], 4096))
    assert seen.count(b'"log_lines_dropped"') == 1
    assert 0 < seen.count(b"x\n") < 6000


def test_a_line_that_breaks_is_dropped_and_the_next_one_follows(
    pipe: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever the error: the thread goes on."""
    writer = LogWriter(pipe[1])
    errors: list[Exception] = [ValueError(), RuntimeError()]
    write = os.write

    def write_later(descriptor: int, data: bytes) -> int:
        if errors:
            raise errors.pop()
        return write(descriptor, data)

    monkeypatch.setattr(log_writer.os, "write", write_later)
    for number in range(3):
        writer.write(f"{number}\n")
    writer.drain()
    assert os.read(pipe[0], 4096).startswith(b"2\n")
    assert not writer.has_ended


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_thread_that_ended_is_seen_and_another_takes_its_place(
    pipe: tuple[int, int], monkeypatch: pytest.MonkeyPatch, eventually: Callable[..., object]
) -> None:
    """The heartbeat stops meanwhile; the next line starts the thread that writes it."""

    def end(*_: object) -> int:
        raise SystemExit

    writer = LogWriter(pipe[1])
    assert not writer.has_ended
    with monkeypatch.context() as broken:
        broken.setattr(log_writer.os, "write", end)
        writer.write("lost\n")
        eventually(lambda: writer.has_ended)
    writer.write("next\n")
    assert os.read(pipe[0], 4096) == b"next\n"
    assert not writer.has_ended


@pytest.mark.usefixtures("output")
def test_a_forked_child_writes_its_own_lines_alone(pipe: tuple[int, int]) -> None:
    """The thread of the parent blocks; the child has none of its lines, and starts a thread of its own."""
    parent = LogWriter(pipe[1])
    for _ in range(100):
        parent.write("parent" * 100 + "\n")
    other_reading, other_writing = os.pipe()
    if not (pid := os.fork()):
        os.dup2(other_writing, pipe[1])
        parent.write("child\n")
        parent.drain()
        os._exit(0)
    assert os.waitpid(pid, 0)[1] == 0
    os.close(other_writing)
    assert os.read(other_reading, 4096) == b"child\n"
    os.close(other_reading)
