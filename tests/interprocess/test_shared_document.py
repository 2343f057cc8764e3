"""A document in memory that processes share: whole, or not there."""

from __future__ import annotations

import multiprocessing

from worker.interprocess.shared_document import SharedDocument


def test_what_another_process_wrote() -> None:
    """Each writing is another version, also a shorter one."""
    document = SharedDocument(1024)
    assert (document.version, document.read()) == (0, None)
    fork = multiprocessing.get_context("fork")
    for name, text in ((b"v1", b"x" * 1000), (b"", b"short")):
        process = fork.Process(target=document.write, args=(name, text))
        process.start()
        process.join()
        assert document.read() == (name, text)
    assert document.version == 2


def test_half_a_document_is_none() -> None:
    """A writer that died leaves the version as it was, and nothing to read; the next writer mends it."""
    document = SharedDocument(1024)
    document.write(b"v1", b"old text")
    document._memory[55] ^= 1  # noqa: SLF001 - as a process leaves it that is killed while it writes
    assert (document.version, document.read()) == (1, None)
    document.write(b"v2", b"new text")
    assert (document.version, document.read()) == (2, (b"v2", b"new text"))


def test_a_reason_crosses_processes() -> None:
    """Cut where it is long, also within a character."""
    document = SharedDocument(16)
    fork = multiprocessing.get_context("fork")
    process = fork.Process(target=lambda: setattr(document, "refusal", "ї" * 1000))
    process.start()
    process.join()
    assert document.refusal == "ї" * 255
    document.refusal = ""
    assert document.refusal == ""
