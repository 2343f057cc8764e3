"""W3C trace context: what Bimp sends along is logged and passed on to Checkbox and into the events."""

from __future__ import annotations

from collections.abc import Mapping
from contextvars import ContextVar
from types import MappingProxyType

_NOTHING: Mapping[str, str] = MappingProxyType({})
_carried: ContextVar[Mapping[str, str]] = ContextVar("trace", default=_NOTHING)


def begin(carried: Mapping[str, str]) -> None:
    """Carry ``traceparent`` and ``tracestate`` through this thread's work on a message."""
    _carried.set(carried)


def end() -> None:
    """The message is done with."""
    _carried.set(_NOTHING)


def headers() -> Mapping[str, str]:
    """Headers for requests and messages that follow from this one."""
    return _carried.get()


def trace_id() -> str | None:
    """The trace that the message belongs to."""
    parent = _carried.get().get("traceparent")
    return parent.split("-")[1] if parent else None
