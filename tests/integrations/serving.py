"""An address of Bimp's: a real HTTP server that answers as it is told."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass
class Serving:
    """What the address has, and how it answers."""

    url: str = ""
    body: bytes = b'{"integrations": []}'
    status: int = 200
    #: Sent in place of the body's own length.
    length: int | None = None
    etag: str | None = None
    location: str | None = None
    #: Set while it answers; cleared, it takes requests and says nothing.
    answers: threading.Event = field(default_factory=threading.Event)
    #: The headers of each request.
    requests: list[Mapping[str, str]] = field(default_factory=list)

    def put(self, document: Any) -> None:
        """A sound document, with an ETag of its own."""
        self.body = document if isinstance(document, bytes) else json.dumps(document).encode()
        self.status, self.length, self.location = 200, None, None
        self.etag = f'"{hash(self.body)}"'


@contextmanager
def serving(port: int = 0) -> Iterator[Serving]:
    """Until the end of the block."""
    told = Serving()
    told.answers.set()

    class Page(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            told.requests.append(dict(self.headers))
            told.answers.wait(30)
            is_known = told.etag is not None and self.headers.get("If-None-Match") == told.etag
            body = b"" if is_known else told.body
            self.send_response(304 if is_known else told.status)
            if told.etag:
                self.send_header("ETag", told.etag)
            if told.location:
                self.send_header("Location", told.location)
            self.send_header("Content-Length", str(told.length or len(body)))
            self.end_headers()
            with suppress(OSError):  # the other side has seen enough
                self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", port), Page) as server:
        server.daemon_threads = True
        told.url = f"http://127.0.0.1:{server.server_address[1]}/integrations?all=1"
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield told
        finally:
            told.answers.set()
            server.shutdown()
            thread.join()
