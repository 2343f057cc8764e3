"""What people did: kept by the journal, whoever did it, and shown in the console."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from html import unescape
from pathlib import Path
from typing import Any

import pytest

from tests.cli import commands
from tests.cli.letters import SECRET_PHONE, put
from tests.console.conftest import Visitor
from tests.journal.process import JournalProcess

Eventually = Callable[..., Any]


@pytest.fixture
def journal(amqp_url: str, console: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A journal beside the console; its address."""
    url = f"sqlite:///{tmp_path / 'journal.db'}"
    put(amqp_url, [])
    monkeypatch.setenv("FISCAL_JOURNAL_URL", url)
    environment = {"FISCAL_RABBITMQ_URL": amqp_url, "FISCAL_JOURNAL_URL": url}
    with JournalProcess(tmp_path / "journal.log", environment):
        yield url


def test_who_did_what_is_kept_and_shown(
    amqp_url: str, journal: str, visitor: Visitor, eventually: Eventually, tmp_path: Path
) -> None:
    """Of consoles and commands: a replay, a copy, a discard, a shift; no phone that was searched for."""
    eventually(lambda: "Nobody has changed anything yet" in visitor.get("/done").text)
    put(amqp_url, [1, 2])
    put(amqp_url, [3], code="TOTALS_MISMATCH")
    visitor.headers = [*visitor.headers.raw, (b"X-Forwarded-User", "Оксана".encode())]
    eventually(lambda: "2 letters would be replayed" in visitor.get("/replay").text)
    over(visitor, visitor.submit("/replay?cashier=olena&code=SHIFT_NOT_OPEN").headers["location"], eventually)
    csrf = visitor.get("/jobs").text.split('name="csrf" value="')[1].split('"')[0]
    visitor.post("/export", data={"csrf": csrf, "order": SECRET_PHONE})
    commands.run(amqp_url, "dead-letters", "discard", "--code", "TOTALS_MISMATCH", "--yes")
    commands.run(amqp_url, "shifts", "close", "--cashier", "petro", "--yes")
    text = eventually(lambda: complete(visitor))
    rows = text.split("<tr>")[2:]
    assert ["Closing of a shift" in rows[0], "closed" in rows[0], "cashier petro" in rows[0]] == [True] * 3
    assert ["Discard" in rows[1], "code TOTALS_MISMATCH" in rows[1]] == [True] * 2
    assert "Copy of letters" in rows[2]
    assert ["Replay" in rows[3], "Оксана" in rows[3], "code SHIFT_NOT_OPEN, cashier olena" in rows[3]] == [
        True
    ] * 3
    assert "0 fiscalized, 0 came back, 2 still waiting" in rows[3]
    assert SECRET_PHONE not in text
    files = b"".join(path.read_bytes() for path in tmp_path.glob("journal.db*"))
    assert SECRET_PHONE[1:].encode() not in files


def over(visitor: Visitor, job: str, eventually: Eventually) -> None:
    eventually(lambda: visitor.get(f"{job}.json").json()["over"])


def complete(visitor: Visitor) -> str | None:
    """The page, once all four are there."""
    text = unescape(visitor.get("/done").text)
    return text if text.count("<tr>") == 5 else None


def test_without_a_journal_the_page_says_so(
    visitor: Visitor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """None is kept, or it cannot be read now."""
    answer = visitor.get("/done")
    assert answer.status_code == 200
    assert "No journal is kept" in answer.text
    monkeypatch.setenv("FISCAL_JOURNAL_URL", f"sqlite:///{tmp_path / 'none.db'}")
    assert "the journal cannot be read" in visitor.get("/done").text
