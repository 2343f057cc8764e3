"""One HTTP call to Checkbox: sent, bounded, counted. It knows HTTP and nothing of receipts."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import Self

import httpx2

from worker import __version__
from worker.checkbox.deadline import bind, deadline
from worker.checkbox.endpoints import Endpoint
from worker.fiscal.outcomes import Unavailable
from worker.telemetry import spans
from worker.telemetry.metrics import CHECKBOX_REQUEST_DURATION, CHECKBOX_REQUESTS

#: A receipt of a thousand lines is below 1 MiB; what is longer is no answer of Checkbox's.
BODY_LIMIT = 2 * 1024 * 1024
_KEEPALIVE = 30.0
_CLIENT_NAME = "bimp-fiscal-worker"

#: The ``status`` label of a call without an answer; the first that fits.
_FAULTS: tuple[tuple[type[httpx2.HTTPError], str], ...] = (
    (httpx2.ConnectTimeout, "connect_timeout"),
    (httpx2.ConnectError, "connect_error"),
    (httpx2.PoolTimeout, "pool_timeout"),
    (httpx2.TimeoutException, "timeout"),
    (httpx2.ProtocolError, "broken_answer"),
    (httpx2.DecodingError, "broken_answer"),
    (httpx2.NetworkError, "reset"),
    (httpx2.HTTPError, "network_error"),
)


@dataclass(frozen=True, slots=True)
class Timeouts:
    """Seconds; ``whole`` bounds a call from end to end, the others its single waits."""

    connect: float = 3.0
    read: float = 8.0
    write: float = 5.0
    pool: float = 5.0
    whole: float = 15.0


@dataclass(frozen=True, slots=True)
class Answer:
    """Status, headers and body; the body, which may hold a token, shows in no traceback or log."""

    status: int
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)


class Transport:
    """The process's connections to Checkbox, shared by its threads.

    Proxies and certificates come from the environment (``HTTPS_PROXY``, ``NO_PROXY``, ``SSL_CERT_FILE``): it
    is the operators who route. Redirects are never followed, nothing is tried twice, and no cookie is kept,
    since cashiers share the connections.
    """

    def __init__(self, threads: int, timeouts: Timeouts, headers: Callable[[], Mapping[str, str]]) -> None:
        connections = threads + 8
        self._whole = timeouts.whole
        self._headers = headers
        self._http = httpx2.Client(
            headers={
                "Accept": "application/json",
                "Accept-Encoding": "identity",
                "User-Agent": f"{_CLIENT_NAME}/{__version__}",
                "X-Client-Name": _CLIENT_NAME,
                "X-Client-Version": __version__,
            },
            timeout=httpx2.Timeout(
                connect=timeouts.connect, read=timeouts.read, write=timeouts.write, pool=timeouts.pool
            ),
            limits=httpx2.Limits(
                max_connections=connections,
                max_keepalive_connections=connections,
                keepalive_expiry=_KEEPALIVE,
            ),
            cookies=CookieJar(DefaultCookiePolicy(allowed_domains=[])),
        )
        bind(self._http)

    def call(
        self,
        endpoint: Endpoint,
        url: str,
        headers: Mapping[str, str],
        content: bytes | None = None,
        params: Mapping[str, str] | None = None,
    ) -> Answer:
        """The answer, whatever its status. Raises ``Unavailable`` where there is none that can be read."""
        started = time.monotonic()
        fault = ""
        answer: Answer | None = None
        # The fault is raised outside of the except block: httpx2's exceptions carry the request with its
        # headers, and a chained one would take the token along into the logs.
        with spans.calling(endpoint.method, endpoint.template) as span:
            try:
                answer = self._send(endpoint, url, {**self._headers(), **headers}, content, params)
            except httpx2.HTTPError as error:
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
        url: str,
        headers: Mapping[str, str],
        content: bytes | None,
        params: Mapping[str, str] | None,
    ) -> Answer | None:
        """None for a body past the limit."""
        if content is not None:
            headers = {**headers, "Content-Type": "application/json"}
        with (
            deadline(self._whole),
            self._http.stream(
                endpoint.method, url, headers=headers, content=content, params=params
            ) as response,
        ):
            body = bytearray()
            for chunk in response.iter_bytes():
                body += chunk
                if len(body) > BODY_LIMIT:
                    return None
            return Answer(response.status_code, response.headers, bytes(body))

    def close(self) -> None:
        self._http.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
