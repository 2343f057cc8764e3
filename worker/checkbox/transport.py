"""Calls to Checkbox, counted and traced. This knows HTTP and nothing of receipts."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Self

from worker import __version__
from worker.checkbox.endpoints import Endpoint
from worker.fiscal.outcomes import Unavailable
from worker.http.call import Answer, NoAnswer, Timeouts, call
from worker.http.connections import Connections
from worker.telemetry import spans
from worker.telemetry.metrics import CHECKBOX_REQUEST_DURATION, CHECKBOX_REQUESTS

#: No answer of Checkbox's is longer.
BODY_LIMIT = 2 * 1024 * 1024
#: Of receipts and pages of them. A message of 1 MiB holds 16,384 lines at most, each 650 bytes of the
#: sandbox's answer, and its texts once more; three times that, for what Checkbox may add.
RECEIPTS_BODY_LIMIT = 32 * 1024 * 1024
_RECEIPTS = frozenset(
    {
        *(Endpoint.SELL, Endpoint.RECEIPT, Endpoint.RECEIPT_SEARCH),
        *(Endpoint.PREPAYMENT, Endpoint.AFTERPAYMENT, Endpoint.CHAIN, Endpoint.CHAIN_RETURN),
    }
)
_CLIENT_NAME = "bimp-fiscal-worker"

_HEADERS = (
    (b"Accept", b"application/json"),
    (b"User-Agent", f"{_CLIENT_NAME}/{__version__}".encode()),
    (b"X-Client-Name", _CLIENT_NAME.encode()),
    (b"X-Client-Version", __version__.encode()),
)
_JSON = (b"Content-Type", b"application/json")


class Transport:
    """The process's connections to Checkbox, shared by its threads and so by the cashiers."""

    def __init__(self, timeouts: Timeouts, headers: Callable[[], Mapping[str, str]]) -> None:
        self._timeouts = timeouts
        self._headers = headers
        self._connections = Connections()

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
        answer: Answer | None = None
        with spans.calling(endpoint.method, endpoint.template) as span:
            try:
                answer = self._send(endpoint, base_url, target, headers, content)
                status = str(answer.status)
            except NoAnswer as fault:
                status = fault.reason
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
    ) -> Answer:
        sent: list[tuple[bytes | str, bytes | str]] = [*_HEADERS, *self._headers().items(), *headers.items()]
        if content is not None:
            sent.append(_JSON)
        limit = RECEIPTS_BODY_LIMIT if endpoint in _RECEIPTS else BODY_LIMIT
        site = self._connections.to(base_url)
        return call(site, endpoint.method, target, sent, self._timeouts, limit, content)

    def close(self) -> None:
        self._connections.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
