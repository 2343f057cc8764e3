"""Answers, and the answers of faults."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from worker.sandbox.faults import Fault
from worker.sandbox.refusals import bad_token, business

HTML = "text/html; charset=utf-8"


@dataclass(slots=True)
class Reply:
    """An answer; ``content`` is encoded already."""

    content: bytes
    status: int = 200
    media_type: str = "application/json"
    headers: list[tuple[bytes, bytes]] = field(default_factory=list)


def answer(content: object, status: int = 200) -> Reply:
    text = json.dumps(content, ensure_ascii=False, separators=(",", ":"))
    return Reply(text.encode(), status)


def _page(title: str) -> bytes:
    return f"<html><head><title>{title}</title></head><body><h1>{title}</h1></body></html>".encode()


def _too_many(fault: Fault) -> Reply:
    """ASSUMED A5: nobody has seen a 429 of Checkbox."""
    reply = answer({"code": None, "message": "Too Many Requests"}, 429)
    if fault.retry_after is not None:
        reply.headers.append((b"retry-after", fault.retry_after.encode("latin-1")))
    return reply


def _refused(fault: Fault) -> Reply:
    return answer(business(fault.status, fault.code, fault.words or "").body, fault.status)


#: Faults that replace the answer.
REPLIES: Mapping[str, Callable[[Fault], Reply]] = {
    "html_503": lambda _: Reply(_page("503 Service Temporarily Unavailable"), 503, HTML),
    "error_500": lambda _: Reply(_page("500 Internal Server Error"), 500, HTML),
    "html_200": lambda _: Reply(_page("Вхід до мережі"), 200, HTML),
    "rate_limited": _too_many,
    "token_revoked": lambda _: answer(bad_token().body, 401),
    "gateway_json": lambda fault: answer({"message": fault.words}, fault.status),
    **dict.fromkeys(("refused", "subscription_ended", "forbidden", "key_expired"), _refused),
}
