"""One HTTP call to Checkbox: sent, bounded, counted. It knows HTTP and nothing of receipts."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Self

import httpcore2
import httpx2

from worker import __version__
from worker.checkbox.connections import Connections
from worker.checkbox.endpoints import Endpoint
from worker.deadline import Deadline
from worker.fiscal.outcomes import Unavailable
from worker.telemetry import spans
from worker.telemetry.metrics import CHECKBOX_REQUEST_DURATION, CHECKBOX_REQUESTS

#: What is longer is no answer of Checkbox's.
BODY_LIMIT = 2 * 1024 * 1024
#: Of receipts and pages of them. A message of 1 MiB holds 16,384 lines at most, each 650 bytes of the
#: sandbox's answer, and its texts once more; three times that, for what Checkbox may add.
RECEIPTS_BODY_LIMIT = 32 * 1024 * 1024
_RECEIPTS = frozenset({Endpoint.SELL, Endpoint.RECEIPT, Endpoint.RECEIPT_SEARCH})
_KEEPALIVE = 30.0
_CLIENT_NAME = "bimp-fiscal-worker"

_HEADERS = (
    (b"Accept", b"application/json"),
    (b"Accept-Encoding", b"identity"),
    (b"User-Agent", f"{_CLIENT_NAME}/{__version__}".encode()),
    (b"X-Client-Name", _CLIENT_NAME.encode()),
    (b"X-Client-Version", __version__.encode()),
)

#: The ``status`` label of a call without an answer; the first that fits.
_FAULTS: tuple[tuple[type[Exception], str], ...] = (
    (httpcore2.ConnectTimeout, "connect_timeout"),
    (httpcore2.ConnectError, "connect_error"),
    (httpcore2.TimeoutException, "timeout"),
    (httpcore2.ProtocolError, "broken_answer"),
    (httpx2.DecodingError, "broken_answer"),
    (httpcore2.NetworkError, "reset"),
    (httpcore2.ProxyError, "network_error"),
)
_FAULT_KINDS = tuple(kind for kind, _ in _FAULTS)


@dataclass(frozen=True, slots=True)
class Timeouts:
    """Seconds; ``whole`` bounds a call from end to end, the others its single waits."""

    connect: float = 3.0
    read: float = 8.0
    write: float = 5.0
    whole: float = 15.0


@dataclass(frozen=True, slots=True)
class Answer:
    """Status, headers by names in lower case, and body; this may hold a token and shows in no traceback."""

    status: int
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)


class Transport:
    """The process's connections to Checkbox, shared by its threads.

    Proxies and certificates come from the environment (``HTTPS_PROXY``, ``NO_PROXY``, ``SSL_CERT_FILE``): it
    is the operators who route. Redirects are never followed, nothing is tried twice, and no cookie is kept,
    since cashiers share the connections.
    """

    def __init__(self, timeouts: Timeouts, headers: Callable[[], Mapping[str, str]]) -> None:
        self._whole = timeouts.whole
        self._headers = headers
        self._connections = Connections(_KEEPALIVE)
        self._extensions = {
            "timeout": {
                "connect": timeouts.connect,
                "read": timeouts.read,
                "write": timeouts.write,
            }
        }

    def call(
        self,
        endpoint: Endpoint,
        base_url: str,
        target: str,
        headers: Mapping[str, str],
        content: bytes | None = None,
    ) -> Answer:
        """The answer, whatever its status; ``target`` is path and query, escaped where they need it.

        Raises ``Unavailable`` where there is no answer that can be read.
        """
        started = time.monotonic()
        fault = ""
        answer: Answer | None = None
        # The fault is raised outside of the except block: the frames of the library's exceptions hold the
        # request with its headers, and a chained one would take the token along into the logs.
        with spans.calling(endpoint.method, endpoint.template) as span:
            try:
                answer = self._send(endpoint, base_url, target, headers, content)
            except _FAULT_KINDS as error:
                fault = next(name for kind, name in _FAULTS if isinstance(error, kind))
            finally:
                status = str(answer.status) if answer else fault or "oversized"
                CHECKBOX_REQUESTS.labels(endpoint.template, status).inc()
                CHECKBOX_REQUEST_DURATION.labels(endpoint.template).observe(time.monotonic() - started)
            span.note({"fiscal.status": status}, failed=answer is None or answer.status >= 400)
        if answer is None:
            raise Unavailable({"endpoint": endpoint.template, "reason": status})
        return answer

    def _send(
        self,
        endpoint: Endpoint,
        base_url: str,
        target: str,
        headers: Mapping[str, str],
        content: bytes | None,
    ) -> Answer | None:
        """None for a body past the limit."""
        site = self._connections.to(base_url)
        request = httpcore2.Request(
            endpoint.method,
            site.url(target),
            headers=[(b"Host", site.name), *_HEADERS, *self._headers().items(), *headers.items()],
            content=content,
            extensions=self._extensions,
        )
        if content is not None:
            request.headers.append((b"Content-Type", b"application/json"))
        if content is not None or endpoint.method == "POST":
            request.headers.append((b"Content-Length", b"%d" % len(content or b"")))
        limit = RECEIPTS_BODY_LIMIT if endpoint in _RECEIPTS else BODY_LIMIT
        with Deadline(self._whole), site.connection() as connection:
            response = connection.handle_request(request)
            try:
                body = _read(response, limit)
            finally:
                response.close()
        if body is None:
            return None
        return Answer(response.status, _named(response.headers), body)

    def close(self) -> None:
        self._connections.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _read(response: httpcore2.Response, limit: int) -> bytes | None:
    """The whole body, unpacked; None where it is past the limit."""
    body = bytearray()
    for chunk in _chunks(response):
        body += chunk
        if len(body) > limit:
            return None
    return bytes(body)


def _chunks(response: httpcore2.Response) -> Iterable[bytes]:
    stream = response.stream
    assert isinstance(stream, Iterable)
    if not any(name.lower() == b"content-encoding" for name, _ in response.headers):
        return stream
    # None was asked for, and a proxy in between may not care.
    return httpx2.Response(response.status, headers=response.headers, stream=_Packed(stream)).iter_bytes()


class _Packed(httpx2.SyncByteStream):
    def __init__(self, chunks: Iterable[bytes]) -> None:
        self._chunks = chunks

    def __iter__(self) -> Iterator[bytes]:
        return iter(self._chunks)


def _named(headers: Iterable[tuple[bytes, bytes]]) -> Mapping[str, str]:
    """By names in lower case."""
    return {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in headers}
