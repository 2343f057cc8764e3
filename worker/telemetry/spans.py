"""OpenTelemetry spans, when the extra ``otel`` is installed and an exporter's address is set; else nothing.

The SDK reads its own variables: ``OTEL_EXPORTER_OTLP_ENDPOINT``, ``OTEL_TRACES_SAMPLER`` and so on.
Attributes are names, numbers and ids, never texts of a message.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from importlib.util import find_spec
from types import TracebackType
from typing import TYPE_CHECKING, Any, Protocol

from worker import __version__
from worker.telemetry import trace
from worker.telemetry.quiet import Quietly

if TYPE_CHECKING:
    from opentelemetry.trace import Tracer

_ADDRESSES = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")
_NEEDED = ("opentelemetry.sdk", "opentelemetry.exporter.otlp.proto.http")
_tracer: Tracer | None = None


class Span(Protocol):
    """Takes the facts of a piece of work."""

    def note(self, facts: Mapping[str, Any], failed: bool = False) -> None:
        """Attributes, under the worker's name where a fact has no other; None is left out."""
        ...


class _NoSpan:
    """Costs nothing: every call and every pass has one."""

    def __enter__(self) -> Span:
        return self

    def __exit__(self, *_: object) -> None:
        """It has no end."""

    def note(self, facts: Mapping[str, Any], failed: bool = False) -> None:
        """No collector is configured."""


class _Recorded:
    def __init__(self, span: Any) -> None:
        self._span = span

    def note(self, facts: Mapping[str, Any], failed: bool = False) -> None:
        from opentelemetry.trace import StatusCode

        self._span.set_attributes(
            {
                name if "." in name else f"fiscal.{name}": value
                for name, value in facts.items()
                if value is not None
            }
        )
        if failed:
            self._span.set_status(StatusCode.ERROR)


class _Harmless:
    """A recorded span whose own errors do not reach the traced work."""

    def __init__(self, recorded: AbstractContextManager[Span]) -> None:
        self._recorded = recorded
        self._span: Span = _NO_SPAN

    def __enter__(self) -> Span:
        with Quietly():
            self._span = self._recorded.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._span is not _NO_SPAN:
            with Quietly():
                self._recorded.__exit__(kind, error, trace)

    def note(self, facts: Mapping[str, Any], failed: bool = False) -> None:
        with Quietly():
            self._span.note(facts, failed)


_NO_SPAN = _NoSpan()


def start() -> None:
    """Begin to export the spans of this process; call it after the fork, since exporting takes a thread."""
    global _tracer
    if not any(os.environ.get(name) for name in _ADDRESSES) or not _is_installed():
        return
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    resource = Resource.create({"service.name": "fiscal-worker", "service.version": __version__})
    provider = TracerProvider(resource=resource)
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    _tracer = provider.get_tracer("fiscal-worker", __version__)


def _is_installed() -> bool:
    try:
        return all(find_spec(name) is not None for name in _NEEDED)
    except ModuleNotFoundError:  # a parent package of it is missing
        return False


def processing(queue: str) -> AbstractContextManager[Span]:
    """A pass over a message, as a child of what the message carries; requests and events follow from it."""
    if _tracer is None:
        return _NO_SPAN
    facts = {
        "messaging.system": "rabbitmq",
        "messaging.operation.name": "process",
        "messaging.operation.type": "process",
        "messaging.destination.name": queue,
    }
    return _Harmless(_recorded(_tracer, f"process {queue}", "CONSUMER", facts))


def calling(method: str, template: str) -> AbstractContextManager[Span]:
    """A call to Checkbox."""
    if _tracer is None:
        return _NO_SPAN
    facts = {"http.request.method": method, "url.template": template}
    return _Harmless(_recorded(_tracer, f"{method} {template}", "CLIENT", facts))


@contextmanager
def _recorded(tracer: Tracer, name: str, kind: str, facts: Mapping[str, Any]) -> Iterator[Span]:
    from opentelemetry.trace import SpanKind
    from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

    before = trace.headers()
    context = TraceContextTextMapPropagator().extract(before)
    # Exceptions are not recorded: their words may hold an order.
    with tracer.start_as_current_span(
        name, context, kind=SpanKind[kind], record_exception=False, set_status_on_exception=False
    ) as span:
        carried: dict[str, str] = {}
        TraceContextTextMapPropagator().inject(carried)
        recorded = _Recorded(span)
        recorded.note(facts)
        with trace.Carrying(carried or before):
            yield recorded
