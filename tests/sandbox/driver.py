"""The sandbox without a network: calls go straight to the application, and the clock stands until moved.

Each answer, and each request that was accepted, is held against Checkbox's OpenAPI document on the way.
"""

from __future__ import annotations

import asyncio
import json
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from tests.contracts.openapi import NO_BODY, OpenApi
from worker.sandbox.clock import Clock
from worker.sandbox.faults import Fault
from worker.sandbox.options import Options
from worker.sandbox.routes import application
from worker.sandbox.seeding import Seed, generated
from worker.sandbox.state import State

DOCUMENT = OpenApi.load()
START = 1_795_000_000.0


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    headers: Mapping[str, str]
    raw: bytes

    @property
    def body(self) -> Any:
        return json.loads(self.raw)

    @property
    def media_type(self) -> str:
        return self.headers.get("content-type", "")


class Checkbox:
    """Two cashiers with open shifts unless a seed says otherwise; options as for the command."""

    def __init__(self, seed: Seed | None = None, **options: Any) -> None:
        self.time = START
        self.state = State(Clock(lambda: self.time), Options().with_changes(options), seed=1)
        self._application = application(self.state, seed or generated(2))
        #: Operations that were accepted, and the JSON of their answers.
        self.seen: set[str] = set()
        self.answers: defaultdict[tuple[str, int], list[Any]] = defaultdict(list)

    def fault(self, text: str) -> None:
        self.state.faults.add(Fault.parse(text))

    def sign_in(self, login: str = "c0001") -> str:
        body = {"login": login, "password": f"secret-{login}"}
        token: str = self.post("/cashier/signin", body).body["access_token"]
        return token

    def get(self, path: str, token: str | None = None, **more: Any) -> Answer:
        return self.call("GET", path, token=token, **more)

    def post(self, path: str, body: Any = NO_BODY, token: str | None = None, **more: Any) -> Answer:
        return self.call("POST", path, body, token=token, **more)

    def sell(self, token: str, body: Mapping[str, Any] | None = None, **members: Any) -> Answer:
        return self.post("/receipts/sell", {**(body or sale()), **members}, token)

    def receipt(self, token: str, receipt_id: str) -> dict[str, Any]:
        found: dict[str, Any] = self.get(f"/receipts/{receipt_id}", token).body
        return found

    def control(self, method: str, path: str, body: Any = NO_BODY) -> Answer:
        return self.ask(method, f"/sandbox{path}", "", body, {"user-agent": "test"})

    def call(
        self,
        method: str,
        path: str,
        body: Any = NO_BODY,
        *,
        token: str | None = None,
        license_key: str | None = None,
        headers: Mapping[str, str] | None = None,
        query: str = "",
        checked: bool = True,
    ) -> Answer:
        sent = {"user-agent": "test", **(headers or {})}
        if token is not None:
            sent["authorization"] = f"Bearer {token}"
        if license_key is not None:
            sent["x-license-key"] = license_key
        whole = path if path == "/status" else f"/api/v1{path}"
        answer = self.ask(method, whole, query, body, sent)
        if checked:
            self._check(method, whole, query, sent, body, answer)
        return answer

    def _check(
        self, method: str, path: str, query: str, headers: Mapping[str, str], body: Any, answer: Answer
    ) -> None:
        is_json = answer.media_type == "application/json" and answer.raw
        answered = answer.body if is_json else NO_BODY
        operation = DOCUMENT.check_response(method, path, answer.status, answered, answer.media_type)
        if answer.status < 400:
            DOCUMENT.check_request(method, path, query=query, headers=headers, body=body)
            self.seen.add(operation)
            if is_json:
                self.answers[operation, answer.status].append(answered)

    def ask(self, method: str, path: str, query: str, body: Any, headers: Mapping[str, str]) -> Answer:
        raw = b"" if body is NO_BODY else body if isinstance(body, bytes) else json.dumps(body).encode()
        scope = {
            "type": "http",
            "method": method,
            "path": path,
            "raw_path": path.encode(),
            "root_path": "",
            "query_string": query.encode(),
            "headers": [(name.encode(), value.encode()) for name, value in headers.items()],
        }
        sent: list[dict[str, Any]] = []

        async def receive() -> dict[str, Any]:
            return {"type": "http.request", "body": raw, "more_body": False}

        async def send(message: Any) -> None:
            sent.append(message)

        asyncio.run(self._application(scope, receive, send))
        received = {name.decode(): value.decode() for name, value in sent[0]["headers"]}
        return Answer(sent[0]["status"], received, b"".join(item.get("body", b"") for item in sent[1:]))


def line(price: int = 15_000, quantity: int = 1000, **members: Any) -> dict[str, Any]:
    good = {"code": "SKU-1", "name": "Кава", "price": price, **members.pop("good", {})}
    return {"good": good, "quantity": quantity, **members}


def sale(*lines: Mapping[str, Any], **members: Any) -> dict[str, Any]:
    """A sale of 150.00 for cash unless told otherwise."""
    return {
        "id": str(uuid4()),
        "goods": list(lines) or [line()],
        "payments": [{"type": "CASH", "value": 15_000}],
        **members,
    }
