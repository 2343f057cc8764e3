"""The dead letters: messages that wait for a person, with the original body and what is known of them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from worker.fiscal.attempt_state import AttemptState
from worker.fiscal.outcomes import Rejected
from worker.rabbit.delivery import DELAYED, REPLAYS, Delivery
from worker.rabbit.message.reading import RequestIdentity
from worker.rabbit.publishing_connection import Publication
from worker.rabbit.topology import DEAD_LETTERS

_HEADER_LIMIT = 256
_DETAIL_LIMIT = 8192
#: The queue that a replay goes back to.
QUEUE = "x-fiscal-queue"


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """A message as it is dead-lettered."""

    delivery: Delivery
    headers: Mapping[str, Any]

    @classmethod
    def of(
        cls,
        delivery: Delivery,
        known: RequestIdentity,
        state: AttemptState,
        verdict: Rejected,
        queue: str,
        now: float,
    ) -> DeadLetter:
        """The headers of the contract; what cannot be told is left out."""
        texts = {
            "x-fiscal-code": verdict.code.value,
            "x-fiscal-order": str(known.order) if known.order else None,
            "x-fiscal-docnumber": known.doc_number,
            "x-fiscal-integration": known.integration,
            "x-fiscal-cashier": known.cashier,
            "x-fiscal-request": known.request_id,
            "x-fiscal-first-seen": rfc3339(state.first_seen),
            "x-fiscal-failed-at": rfc3339(now),
            QUEUE: queue,
        }
        headers: dict[str, Any] = {k: v[:_HEADER_LIMIT] for k, v in texts.items() if v is not None}
        headers["x-fiscal-detail"] = fitted(verdict.detail)
        headers["x-fiscal-attempts"] = state.attempts
        headers[REPLAYS] = state.replays
        if state.delayed:
            headers[DELAYED] = True
        return cls(delivery, headers)

    @property
    def publication(self) -> Publication:
        delivery = self.delivery
        return Publication("", DEAD_LETTERS, delivery.body, delivery.properties(self.headers))


def rfc3339(seconds: float) -> str:
    """An instant as text, UTC, whole seconds."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def fitted(detail: Mapping[str, Any]) -> str:
    """The detail as JSON of at most 8 KiB: lists are cut to their first items, and ``truncated`` says so."""
    text = _json(detail)
    longest = 64
    while len(text.encode()) > _DETAIL_LIMIT and longest:
        text = _json({**_cut(detail, longest), "truncated": True})
        longest //= 2
    return text if len(text.encode()) <= _DETAIL_LIMIT else _json({"truncated": True})


def _cut(value: Any, longest: int) -> Any:
    if isinstance(value, Mapping):
        return {key: _cut(item, longest) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_cut(item, longest) for item in value[:longest]]
    if isinstance(value, str):
        return value[: longest * 16]
    return value


def _json(detail: Mapping[str, Any]) -> str:
    text = json.dumps(detail, ensure_ascii=False, separators=(",", ":"), default=str)
    return text.encode("utf-8", "replace").decode()  # others' words may hold half a character
