"""One wide line and the counters for each pass over a request."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from typing import Any, Protocol
from uuid import UUID

from worker.fiscal.attempt_state import AttemptState
from worker.fiscal.outcomes import Code, Fiscalized, Rejected, Unavailable
from worker.fiscal.reasons import Wait
from worker.telemetry import logs, metrics, spans, trace
from worker.telemetry.quiet import Quietly

_log = logs.logger(__name__)
_CODES = frozenset(code.value for code in Code)
#: Waits that nearly every order has, or has many of.
_NO_NEWS = frozenset({Wait.RATE_LIMIT, Wait.CASHIER_IN_USE, Wait.THREADS_IN_USE, Wait.NUMBER})
_TROUBLE = frozenset({"failed", "delayed", "unsettled"})


class Identified(Protocol):
    """What a message says of itself."""

    @property
    def request_id(self) -> str | None: ...
    @property
    def order(self) -> UUID | None: ...
    @property
    def doc_number(self) -> str | None: ...
    @property
    def integration(self) -> str | None: ...
    @property
    def cashier(self) -> str | None: ...
    @property
    def operation(self) -> Any: ...


class PassLog:
    """Gathers the facts of a pass; written when it ends."""

    def __init__(self, queue: str, state: AttemptState, is_first: bool) -> None:
        self._is_first = is_first
        self._asked_at = state.first_seen
        self._label = "unknown"
        self._operation = "SELL"
        self.identity: dict[str, str | None] = {}
        #: What every line of the pass has.
        self.context: dict[str, Any] = {
            "attempt": state.attempts,
            "replays": state.replays,
            "messaging.system": "rabbitmq",
            "messaging.operation.name": "process",
            "messaging.destination.name": queue,
        }
        self.facts: dict[str, Any] = {"outcome": "unsettled"}

    def know(self, message: Identified, label: str, time_of_request: datetime | None = None) -> None:
        self._label = label
        self._operation = message.operation.value if message.operation else "SELL"
        if time_of_request is not None:
            self._asked_at = time_of_request.timestamp()
        self.identity = {
            "request_id": message.request_id,
            "order_id": str(message.order) if message.order else None,
            "doc_number": message.doc_number,
            "integration": message.integration,
            "cashier": message.cashier,
            "operation": self._operation,
        }
        self.context.update(self.identity)
        if self._is_first:
            metrics.REQUEST_WAIT.observe(max(0.0, time.time() - self._asked_at))

    def foreign(self, integration: str) -> None:
        """The request is of another company than this integration's."""
        if self._is_first:
            metrics.FOREIGN_REQUESTS.labels(integration).inc()

    def replayed(self, code: str) -> None:
        metrics.REPLAYED.labels(code if code in _CODES else "unknown").inc()

    def succeeded(self, done: Fiscalized) -> None:
        outcome = "already_fiscalized" if done.already else "succeeded"
        self._count(outcome, "")
        metrics.LAST_SUCCESS.set_to_current_time()
        if not done.already:
            metrics.RECEIPTS_AMOUNT.labels(self._label, self._operation).inc(abs(done.total))
        self.facts.update(outcome=outcome, receipt_id=done.receipts[0].id)

    def failed(self, verdict: Rejected, dead_lettered: bool) -> None:
        self._count("failed", verdict.code.value)
        if dead_lettered:
            metrics.DEAD_LETTERS.labels(verdict.code.value).inc()
        self.facts.update(outcome="failed", code=verdict.code.value)

    def postponed(self, reason: str, wait: float) -> None:
        metrics.POSTPONED.labels(reason).inc()
        self.facts.update(outcome="postponed", reason=reason, delay_seconds=round(wait, 3))

    def delayed(self, verdict: Unavailable, wait: float, first: bool) -> None:
        if first:
            self._count("delayed", "CHECKBOX_UNAVAILABLE")
        metrics.RETRIES.inc()
        if verdict.may_have_sold:
            metrics.UNKNOWN_OUTCOMES.inc()
        self.facts.update(
            outcome="delayed",
            delay_seconds=round(wait, 3),
            reason=str(verdict.detail.get("reason", "")),
            **{"http.response.status_code": verdict.detail.get("status")},
        )

    def _count(self, outcome: str, code: str) -> None:
        metrics.REQUESTS.labels(outcome, code, self._label).inc()
        metrics.REQUEST_DURATION.labels(outcome).observe(max(0.0, time.time() - self._asked_at))


@contextmanager
def logged(
    queue: str, carried: Mapping[str, str], state: AttemptState, is_first: bool = False
) -> Iterator[PassLog]:
    """Count and log a pass over a message from ``queue``; the line says "unsettled" when it raised.

    ``is_first``: nobody has looked at the message before, as far as is known. Only the pass itself raises.
    """
    line = PassLog(queue, state, is_first)
    began = time.perf_counter()
    with trace.Carrying(carried), spans.processing(queue) as span, logs.Within(line.context):
        line.context["trace_id"], line.context["span_id"] = trace.ids()
        try:
            yield line
        except BaseException:  # counted, and raised as it is
            with Quietly():
                metrics.UNSETTLED.inc()
            raise
        finally:
            with Quietly():
                line.facts["duration_seconds"] = round(time.perf_counter() - began, 4)
                span.note(line.identity)
                span.note(line.facts, failed=line.facts["outcome"] in _TROUBLE)
                _log.log(_level(line.facts), "request_processed", **line.facts)


def _level(facts: Mapping[str, Any]) -> int:
    """A failed order is for an operator, and an internal error for a developer."""
    if facts.get("code") == Code.INTERNAL_ERROR:
        return logging.ERROR
    if facts["outcome"] == "failed":
        return logging.WARNING
    return logging.DEBUG if facts.get("reason") in _NO_NEWS else logging.INFO
