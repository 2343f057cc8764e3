"""Checkbox's error answers, in every form that was met, and the wait that an answer asks for.

    {"code": ..., "message": ...}          a refusal; code may be null or missing
    {..., "detail": [{"loc", "msg"}]}      a body that breaks the schema (422)
    {"error": {"code", "message"}}         expected by old clients, never captured
    {"detail": "..."}                      the web framework's own

Anything else is not Checkbox's.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC
from email.utils import parsedate_to_datetime
from typing import Any

#: Longest wait that an answer is granted, in seconds.
RETRY_AFTER_LIMIT = 600.0
_ERRORS_LIMIT = 20


@dataclass(frozen=True, slots=True)
class Envelope:
    """An error in Checkbox's JSON."""

    code: str
    message: str
    #: Path and problem of each broken field.
    errors: tuple[tuple[str, str], ...] = ()
    #: Made by the web framework and not by Checkbox's own code.
    is_framework: bool = False


def read_envelope(body: bytes | None) -> Envelope | None:
    """None where this is not Checkbox's JSON: a page, a proxy's or Cloudflare's error, a cut body."""
    document = _read_object(body)
    if document is None or "cloudflare_error" in document:
        return None
    error = document.get("error")
    if isinstance(error, dict):
        document = error
    code, message, detail = _text(document, "code"), _text(document, "message"), document.get("detail")
    if isinstance(detail, list):
        return Envelope(code, message, _errors(detail))
    if code or message:
        return Envelope(code, message)
    if isinstance(detail, str):
        return Envelope("", detail.strip(), is_framework=True)
    return None


def retry_after(headers: Mapping[str, str], now: float) -> float | None:
    """Seconds, from a number or a date (RFC 9110, 10.2.3); None where nothing readable is asked for."""
    value = headers.get("retry-after", "").strip()
    if not value:
        return None
    if value.isascii() and value.isdigit():
        seconds = float(value[:12])
    else:
        try:
            at = parsedate_to_datetime(value)
            seconds = (at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp() - now
        except (ValueError, OverflowError):
            return None
    return min(max(seconds, 0.0), RETRY_AFTER_LIMIT)


def _read_object(body: bytes | None) -> dict[str, Any] | None:
    if not body:
        return None
    try:
        document = json.loads(body)
    except (ValueError, RecursionError):
        return None
    return document if isinstance(document, dict) else None


def _text(document: Mapping[str, Any], key: str) -> str:
    value = document.get(key)
    return value.strip() if isinstance(value, str) else ""


def _errors(detail: list[Any]) -> tuple[tuple[str, str], ...]:
    return tuple(
        ("/".join(map(str, loc)) if isinstance(loc := error.get("loc"), list) else "", _text(error, "msg"))
        for error in detail[:_ERRORS_LIMIT]
        if isinstance(error, dict)
    )
