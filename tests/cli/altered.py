"""Checkbox as it is when something has happened to it that the sandbox cannot be told."""

from __future__ import annotations

import json
import threading
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self

import httpx2


class Altered:
    """Passes requests on, and puts members into the answers of some paths. ``headers`` replace its own."""

    def __init__(
        self, target: str, members: Mapping[str, Mapping[str, Any]], headers: Mapping[str, str] | None = None
    ) -> None:
        http = httpx2.Client(base_url=target, trust_env=False)

        class Page(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def _pass_on(self) -> None:
                length = int(self.headers.get("Content-Length", 0))
                kept = {k: v for k, v in self.headers.items() if k.lower() not in ("host", "connection")}
                answer = http.request(self.command, self.path, headers=kept, content=self.rfile.read(length))
                body = answer.content
                if answer.status_code == 200 and self.path in members:
                    body = json.dumps(_merged(answer.json(), members[self.path])).encode()
                self.send_response_only(answer.status_code)
                told = {"Content-Type": answer.headers.get("content-type", "application/json")}
                date = {"Date": answer.headers.get("date", self.date_time_string())}
                for name, value in {**told, **date, **(headers or {})}.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            do_GET = do_POST = _pass_on  # noqa: N815 - the library's names

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002
                """Not in a test's output."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Page)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()


def _merged(document: dict[str, Any], members: Mapping[str, Any]) -> dict[str, Any]:
    inner = {k: {**document[k], **v} for k, v in members.items() if isinstance(v, dict) and k in document}
    return {**document, **members, **inner}
