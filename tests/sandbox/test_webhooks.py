"""Checkbox calls the one URL of a register, signed, until it is answered."""

from __future__ import annotations

import base64
import hmac
import json
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import httpx2
import pytest

from tests.sandbox.driver import sale
from worker.demo.sandbox_process import SandboxProcess

Eventually = Callable[..., object]
OPTIONS = {"done_after": 0.1, "open_after": 0.1, "close_after": 0.1, "webhook_timeout": 2}


@dataclass
class Receiver:
    """Keeps what it is sent; answers with ``status``."""

    status: int = 200
    url: str = ""
    got: list[tuple[str | None, bytes]] = field(default_factory=list)

    def bodies(self, name: str) -> list[dict[str, Any]]:
        return [body[name] for _, raw in self.got for body in [json.loads(raw)] if name in body]


@pytest.fixture(scope="module")
def sandbox() -> Iterator[SandboxProcess]:
    with SandboxProcess(cashiers=1, options=OPTIONS) as process:
        yield process


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    kept = Receiver()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            kept.got.append((self.headers["x-request-signature"], body))
            self.send_response(kept.status)
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its name at the base class
            """Silent."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    kept.url = f"http://127.0.0.1:{server.server_port}/hook"
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    yield kept
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def checkbox(sandbox: SandboxProcess) -> Iterator[httpx2.Client]:
    sandbox.reset()
    with httpx2.Client(base_url=f"{sandbox.url}/api/v1", trust_env=False) as client:
        signed_in = client.post("/cashier/signin", json={"login": "c0001", "password": "secret-c0001"})
        client.headers["authorization"] = f"Bearer {signed_in.json()['access_token']}"
        client.headers["x-license-key"] = "test-c0001"
        yield client


def test_receipts_shifts_and_services_are_told(
    checkbox: httpx2.Client, receiver: Receiver, eventually: Eventually
) -> None:
    """Signed with the key that the registration alone has shown; a receipt names its shift and register."""
    key = checkbox.post("/webhook", json={"url": receiver.url}).json()["key"]
    sold = checkbox.post("/receipts/sell", json=sale()).json()
    checkbox.post("/receipts/service", json={"payment": {"value": 5_000}})
    eventually(lambda: len(receiver.got) == 2)
    (told,) = receiver.bodies("receipt")
    assert (told["id"], told["status"]) == (sold["id"], "DONE")
    assert told["shift"]["cash_register"]["id"] == told["cash_register"]["id"]
    (moved,) = receiver.bodies("service_receipt")
    assert (moved["type"], "transaction" in moved) == ("SERVICE_IN", False)
    for signature, raw in receiver.got:
        assert signature == base64.b64encode(hmac.digest(key.encode(), raw, "sha256")).decode()
    checkbox.post("/shifts/close")
    eventually(lambda: [shift["status"] for shift in receiver.bodies("shift")] == ["CLOSED"])
    checkbox.post("/shifts", json={})
    eventually(lambda: [shift["status"] for shift in receiver.bodies("shift")] == ["CLOSED", "OPENED"])


def test_what_is_not_taken_comes_again(
    checkbox: httpx2.Client, receiver: Receiver, sandbox: SandboxProcess, eventually: Eventually
) -> None:
    """After 1 s, 2 s and so on, by the sandbox's clock; the failure is shown; after 4 hours it is lost."""
    receiver.status = 500
    checkbox.post("/webhook", json={"url": receiver.url})
    checkbox.post("/receipts/sell", json=sale())
    eventually(lambda: len(receiver.got) == 1)
    eventually(lambda: checkbox.get("/webhook").json()["last_error_message"] == "HTTP 500")
    sandbox.advance(1)
    eventually(lambda: len(receiver.got) == 2)
    sandbox.advance(4 * 3600)
    receiver.status = 200
    checkbox.post("/receipts/sell", json=sale())
    eventually(lambda: len({told["id"] for told in receiver.bodies("receipt")}) == 2)
    told = [body["id"] for body in receiver.bodies("receipt")]
    assert told[0] == told[1] != told[2]


def test_a_new_url_replaces_the_old_one_without_a_word(
    checkbox: httpx2.Client, receiver: Receiver, sandbox: SandboxProcess, eventually: Eventually
) -> None:
    """The old one hears nothing more, and its key signs nothing more; no URL at all is possible too."""
    first = checkbox.post("/webhook", json={"url": "http://127.0.0.1:9/"}).json()
    second = checkbox.post("/webhook", json={"url": receiver.url}).json()
    assert first["key"] != second["key"]
    assert checkbox.get("/webhook").json()["url"] == receiver.url
    sandbox.fault("error_receipt", count=1)
    checkbox.post("/receipts/sell", json=sale())
    checkbox.post("/receipts/sell", json=sale())
    eventually(lambda: len(receiver.bodies("receipt")) == 1)
    sandbox.set_options(webhook_on_error=True)
    sandbox.fault("error_receipt", count=1)
    checkbox.post("/receipts/sell", json=sale())
    eventually(lambda: [told["status"] for told in receiver.bodies("receipt")] == ["DONE", "ERROR"])
    assert checkbox.delete("/webhook").json() == {"ok": True}
    assert checkbox.get("/webhook").status_code == 404
