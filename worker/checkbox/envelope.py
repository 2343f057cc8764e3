"""Checkbox's error answers, in every form that was met, and the wait that an answer asks for.

    {"code": "area.name", "message": ...}  a refusal with a code of its own
    {"code": null, "message": ...}         one without
    {"message": "Українською ..."}         the receipts' archive: no ``code`` at all
    {..., "detail": [{"loc", "msg", "type"}]}  a body that breaks the schema (422)
    {"error": {...}}                       one of the above, expected by old clients, never captured

Anything else is not Checkbox's. Gateways, proxies and clouds answer in JSON as well: ``{"message": "no Route
matched with those values"}`` (Kong), ``{"message": "Forbidden"}`` (AWS), ``{"error": "forbidden"}``,
``{"code": 5, "message": ...}`` (gRPC), ``{"detail": "Not Found"}`` (any web framework). They have not seen
the request's content, so that nothing of it is known.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC
from email.utils import parsedate_to_datetime
from typing import Any

#: Longest wait that an answer is granted, in seconds.
RETRY_AFTER_LIMIT = 600.0
_ERRORS_LIMIT = 20
#: ``shift.not_opened``; those of clouds and gateways are numbers or single words.
_CODE = re.compile(r"[a-z][a-z0-9_]*(\.[a-z0-9_]+)+")
_CYRILLIC = re.compile(r"[\u0400-\u04ff]")
#: In an answer about an unknown id, in whatever language the rest of it is.
NO_RECEIPT = "[not_found#404]"
_OWN_MEMBERS = frozenset({"code", "message", "detail"})


@dataclass(frozen=True, slots=True)
class Envelope:
    """An error in Checkbox's JSON."""

    code: str
    message: str
    #: Path and problem of each broken field.
    errors: tuple[tuple[str, str], ...] = ()


def read_envelope(body: bytes | None) -> Envelope | None:
    """None where this is not Checkbox's own JSON: a page, a gateway's or Cloudflare's error, a cut body."""
    document = _read_object(body)
    if document is None:
        return None
    nested = document.get("error")
    if isinstance(nested, dict):
        document = nested
    if not _is_own(document):
        return None
    detail = document.get("detail")
    errors = _errors(detail) if isinstance(detail, list) else ()
    return Envelope(_text(document, "code"), _text(document, "message"), errors)


def _is_own(document: Mapping[str, Any]) -> bool:
    code, message = document.get("code"), _text(document, "message")
    if isinstance(code, str) and _CODE.fullmatch(code.strip()):
        return True
    if not (code is None or isinstance(code, str)) or not document.keys() <= _OWN_MEMBERS:
        return False
    if _CYRILLIC.search(message) or _are_broken_fields(document.get("detail")):
        return True
    return not code and bool(message) and ("code" in document or NO_RECEIPT in message)


def _are_broken_fields(detail: Any) -> bool:
    return (
        isinstance(detail, list)
        and bool(detail)
        and all(isinstance(error, dict) and error.keys() >= {"loc", "msg", "type"} for error in detail)
    )


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
