"""W3C trace context: what Bimp sends along is logged and passed on to Checkbox and into the events.

Bimp sends it as AMQP headers, or as the CloudEvents extension ``traceparent`` in the body.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from contextvars import ContextVar
from types import MappingProxyType
from typing import Any

from worker.fiscal.privacy import scrub

_NOTHING: Mapping[str, str] = MappingProxyType({})
_carried: ContextVar[Mapping[str, str]] = ContextVar("trace", default=_NOTHING)
_PARENT = re.compile(r"00-(?!0{32})([0-9a-f]{32})-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}")
#: W3C: a tracestate of up to 512 characters is passed on.
_STATE = re.compile(r"[\x20-\x7e]{1,512}")


def carried_by(members: Mapping[str, Any]) -> Mapping[str, str]:
    """The trace context among headers or attributes; nothing where there is none, or a broken one.

    A ``tracestate`` is free text that goes to Checkbox: one that looks like a buyer's data is not passed on.
    """
    parent, state = members.get("traceparent"), members.get("tracestate")
    if not isinstance(parent, str) or not _PARENT.fullmatch(parent):
        return _NOTHING
    # Spaces around it do not belong to a header's value, and cannot be sent in one.
    state = state.strip(" ") if isinstance(state, str) else ""
    if _STATE.fullmatch(state) and scrub(state) == state:
        return {"traceparent": parent, "tracestate": state}
    return {"traceparent": parent}


def carried_in(body: bytes) -> Mapping[str, str]:
    """The trace context in the attributes of a CloudEvent; nothing where the body cannot be read."""
    if b'"traceparent"' not in body:
        return _NOTHING
    try:
        event = json.loads(body)
    except (ValueError, RecursionError):
        return _NOTHING
    return carried_by(event) if isinstance(event, dict) else _NOTHING


class Carrying:
    """Carries ``traceparent`` and ``tracestate`` through this thread's work."""

    __slots__ = ("_before", "_carried")

    def __init__(self, carried: Mapping[str, str]) -> None:
        self._carried = carried

    def __enter__(self) -> None:
        self._before = _carried.set(self._carried)

    def __exit__(self, *_: object) -> None:
        _carried.reset(self._before)


def headers() -> Mapping[str, str]:
    """Headers for requests and messages that follow from this one."""
    return _carried.get()


def ids() -> tuple[str | None, str | None]:
    """The trace that the message belongs to, and the span that is under way or, without one, its cause."""
    parent = _carried.get().get("traceparent")
    if parent is None:
        return None, None
    _, trace_id, span_id, _ = parent.split("-")
    return trace_id, span_id
