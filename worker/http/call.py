"""One HTTP call: sent, bounded in time and size, and read whole.

Redirects are never followed, nothing is tried twice, and no cookie is kept.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

import httpcore2
import httpx2

from worker.fiscal.reasons import Reason
from worker.http.connections import Site
from worker.http.deadline import Deadline
from worker.http.streams import Stream

Headers = Iterable[tuple[bytes | str, bytes | str]]

#: Why there is no answer; the first that fits.
_FAULTS: tuple[tuple[type[Exception], str], ...] = (
    (httpcore2.ConnectTimeout, Reason.CONNECT_TIMEOUT),
    (httpcore2.ConnectError, Reason.CONNECT_ERROR),
    (httpcore2.TimeoutException, "timeout"),
    (httpcore2.ProtocolError, "broken_answer"),
    (httpx2.DecodingError, "broken_answer"),
    (httpcore2.NetworkError, "reset"),
    (httpcore2.ProxyError, "network_error"),
)
_FAULT_KINDS = tuple(kind for kind, _ in _FAULTS)


@dataclass(frozen=True, slots=True)
class Timeouts:
    """Seconds; ``whole`` bounds a call from name look-up to last byte, the others its single steps."""

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


class NoAnswer(Exception):
    """``reason`` is a word for the logs and metrics."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def call(
    site: Site,
    method: str,
    target: str,
    headers: Headers,
    timeouts: Timeouts,
    body_limit: int,
    content: bytes | None = None,
) -> Answer:
    """The answer, whatever its status; ``target`` is path and query, escaped where they need it.

    Raises ``NoAnswer`` where there is none that can be read, or its body is longer than ``body_limit`` bytes.
    """
    request = httpcore2.Request(
        method,
        site.url(target),
        headers=[(b"Host", site.name), (b"Accept-Encoding", b"identity"), *headers],
        content=content,
        extensions={"timeout": {"connect": timeouts.connect, "read": timeouts.read, "write": timeouts.write}},
    )
    if content is not None or method == "POST":
        request.headers.append((b"Content-Length", b"%d" % len(content or b"")))
    answer: Answer | None = None
    reason: str = Reason.OVERSIZED
    # The fault is raised outside of the except block: the frames of the library's exceptions hold the request
    # with its headers, and a chained one would take the token along into the logs.
    try:
        with Deadline(timeouts.whole), site.connection() as connection:
            answer = _read(connection.handle_request(request), body_limit)
    except _FAULT_KINDS as error:
        reason = next(name for kind, name in _FAULTS if isinstance(error, kind))
    if answer is None:
        raise NoAnswer(reason)
    return answer


def _read(response: httpcore2.Response, limit: int) -> Answer | None:
    """None where the body is past the limit once it is unpacked."""
    headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in response.headers}
    if "transfer-encoding" not in headers and "content-length" in headers:
        stream = response.extensions["network_stream"]
        assert isinstance(stream, Stream)
        stream.limit(int(headers["content-length"]))
    body = bytearray()
    try:
        for chunk in _chunks(response, "content-encoding" in headers):
            body += chunk
            if len(body) > limit:
                return None
    finally:
        response.close()
    return Answer(response.status, headers, bytes(body))


def _chunks(response: httpcore2.Response, is_packed: bool) -> Iterable[bytes]:
    stream = response.stream
    assert isinstance(stream, Iterable)
    if not is_packed:
        return stream
    # None was asked for, and a proxy in between may not care.
    return httpx2.Response(response.status, headers=response.headers, stream=_Packed(stream)).iter_bytes()


class _Packed(httpx2.SyncByteStream):
    def __init__(self, chunks: Iterable[bytes]) -> None:
        self._chunks = chunks

    def __iter__(self) -> Iterator[bytes]:
        return iter(self._chunks)
