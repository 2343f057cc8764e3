"""A console in the test's process, a browser's way to it, and dead letters to look at."""

from __future__ import annotations

import io
import re
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from html import unescape
from pathlib import Path
from typing import Any, Self

import httpx2
import pytest
import uvicorn

from tests.system.shop import CONTRACT
from worker.console import letter_jobs
from worker.console.application import Console
from worker.console.sign_in import Access
from worker.demo.sandbox_process import SandboxProcess
from worker.journal import database
from worker.journal.writer import Writer
from worker.telemetry import logs

TOKEN, READ_TOKEN = "a-token-of-a-test", "a-token-to-look-with"


@contextmanager
def serving(token: str, log: Any = None) -> Iterator[str]:
    """The address of a console."""
    log = log or logs.apart("json", io.StringIO(), "console")
    listening = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(
        uvicorn.Config(
            Console(Access(token, READ_TOKEN, trusts_forwarded_user=True), log).application(),
            log_level="warning",
            access_log=False,
        )
    )
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{listening.getsockname()[1]}"
    server.should_exit = True
    thread.join(20)


class Visitor(httpx2.Client):
    """Sends forms as a browser does: with the origin, and the hidden fields of the page."""

    @classmethod
    def of(cls, url: str) -> Self:
        return cls(base_url=url, headers={"Origin": url}, trust_env=False, timeout=30)

    def sign_in(self, token: str = TOKEN) -> httpx2.Response:
        return self.post("/sign-in", data={"token": token})

    def submit(self, page: str, **changes: str) -> httpx2.Response:
        """Send the last form of a page, with other values where they are given."""
        text = self.get(page).text
        form = r'<form method="post" action="([^"]+)"[^>]*>(.*?)</form>'
        action, fields = re.findall(form, text, re.DOTALL)[-1]
        hidden = dict(re.findall(r'type="hidden" name="([^"]+)" value="([^"]*)"', unescape(fields)))
        return self.post(action, data={**hidden, **changes})


@pytest.fixture(scope="module")
def checkbox() -> Iterator[SandboxProcess]:
    with SandboxProcess(integrations=CONTRACT / "integrations.yaml") as sandbox:
        yield sandbox


@pytest.fixture
def console(
    amqp_url: str, checkbox: SandboxProcess, monkeypatch: pytest.MonkeyPatch, audit: io.StringIO
) -> Iterator[str]:
    """The address of a console on an empty virtual host."""
    checkbox.reset()
    monkeypatch.setenv("FISCAL_RABBITMQ_URL", amqp_url)
    monkeypatch.setenv("FISCAL_CHECKBOX_URL", checkbox.url)
    monkeypatch.setenv("FISCAL_INTEGRATIONS_FILE", str(CONTRACT / "integrations.yaml"))
    monkeypatch.setattr(letter_jobs, "WAIT", 0.5)
    with serving(TOKEN, logs.apart("json", audit, "console")) as url:
        yield url


@pytest.fixture
def audit() -> io.StringIO:
    """What the console logs."""
    return io.StringIO()


@pytest.fixture
def visitor(console: str) -> Iterator[Visitor]:
    """Signed in."""
    with Visitor.of(console) as one:
        assert one.sign_in().status_code == 303
        yield one


@pytest.fixture
def kept(console: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Writer]:
    """Writes into the journal that the console reads."""
    url = f"sqlite:///{tmp_path / 'journal.db'}"
    monkeypatch.setenv("FISCAL_JOURNAL_URL", url)
    engine = database.writing(url)
    writer = Writer(engine)
    writer.write([])
    yield writer
    engine.dispose()
