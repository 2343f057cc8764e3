"""The dead letters: messages that wait for a person, with the original body and what is known of them."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pika

from worker.fiscal.attempt_state import AttemptState
from worker.fiscal.instants import rfc3339
from worker.fiscal.outcomes import Rejected
from worker.rabbit.delivery import Delivery
from worker.rabbit.headers import Header
from worker.rabbit.message.reading import RequestIdentity
from worker.rabbit.publishing_connection import Publication
from worker.rabbit.topology import DEAD_LETTERS, ORDERS_EXCHANGE

_HEADER_LIMIT = 256
_DETAIL_LIMIT = 8192


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """A message as it is dead-lettered, and as it is read back.

    What the headers do not say is None: the message may come from elsewhere.
    """

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
        """The headers of the contract; what is unknown is left out."""
        texts = {
            Header.CODE: verdict.code.value,
            Header.ORDER: str(known.order) if known.order else None,
            Header.DOC_NUMBER: known.doc_number,
            Header.INTEGRATION: known.integration,
            Header.CASHIER: known.cashier,
            Header.REQUEST: known.request_id,
            Header.FIRST_SEEN: rfc3339(state.first_seen),
            Header.FAILED_AT: rfc3339(now),
            Header.QUEUE: queue,
        }
        headers: dict[str, Any] = {k: v[:_HEADER_LIMIT] for k, v in texts.items() if v is not None}
        headers[Header.DETAIL] = fitted(verdict.detail)
        headers[Header.ATTEMPTS] = state.attempts
        headers[Header.REPLAYS] = state.replays
        if state.delayed:
            headers[Header.DELAYED] = True
        return cls(delivery, headers)

    @classmethod
    def received(cls, method: Any, properties: pika.BasicProperties, body: bytes) -> DeadLetter:
        """Headers count only where they come from us, which they never do through Bimp's exchange."""
        headers = properties.headers if method.exchange != ORDERS_EXCHANGE else None
        return cls(Delivery.received(DEAD_LETTERS, method, properties, body), headers or {})

    @property
    def publication(self) -> Publication:
        delivery = self.delivery
        return Publication("", DEAD_LETTERS, delivery.body, delivery.properties(self.headers))

    @property
    def code(self) -> str | None:
        return self._text(Header.CODE)

    @property
    def order(self) -> str | None:
        return self._text(Header.ORDER)

    @property
    def doc_number(self) -> str | None:
        return self._text(Header.DOC_NUMBER)

    @property
    def integration(self) -> str | None:
        return self._text(Header.INTEGRATION)

    @property
    def cashier(self) -> str | None:
        return self._text(Header.CASHIER)

    @property
    def request(self) -> str | None:
        """The id of Bimp's request."""
        return self._text(Header.REQUEST)

    @property
    def replays(self) -> int:
        """How often it was replayed before it came here."""
        count = self.headers.get(Header.REPLAYS)
        return count if type(count) is int and count > 0 else 0

    @property
    def queue(self) -> str | None:
        """The queue that a replay goes back to; None where the letter names none."""
        return self._text(Header.QUEUE)

    @property
    def failed_at(self) -> datetime | None:
        try:
            moment = datetime.fromisoformat(self._text(Header.FAILED_AT) or "")
        except ValueError:
            return None
        return moment if moment.tzinfo else moment.replace(tzinfo=UTC)

    def line(self) -> dict[str, Any]:
        """The members of a JSON line, see ``docs/schemas/dead-letter-line.schema.json``."""
        attempts = self.headers.get(Header.ATTEMPTS)
        return {
            "code": self.code,
            "order": self.order,
            "docNumber": self.doc_number,
            "integration": self.integration,
            "cashier": self.cashier,
            "request": self.request,
            "attempts": attempts if type(attempts) is int else None,
            "replays": self.replays,
            "firstSeen": self._text(Header.FIRST_SEEN),
            "failedAt": self._text(Header.FAILED_AT),
            "detail": self._detail(),
        }

    def export_line(self) -> dict[str, Any]:
        """The line with its message: as text where it is UTF-8, in base64 where it is not."""
        body = self.delivery.body
        try:
            message = {"body": body.decode("utf-8")}
        except UnicodeDecodeError:
            message = {"bodyBase64": base64.b64encode(body).decode("ascii")}
        return {**self.line(), **message, "contentType": self.delivery.content_type}

    def replay_properties(self) -> pika.BasicProperties:
        """The properties of the replay: all of our headers but these belong to the past."""
        headers: dict[str, Any] = {Header.REPLAYS: self.replays + 1}
        if self.code is not None:
            headers[Header.REPLAYED_CODE] = self.code
        if self.headers.get(Header.DELAYED) is True:
            headers[Header.DELAYED] = True
        properties = self.delivery.properties(headers)
        properties.delivery_mode = 2
        return properties

    def _text(self, header: str) -> str | None:
        value = self.headers.get(header)
        return value if isinstance(value, str) else None

    def _detail(self) -> dict[str, Any] | None:
        try:
            detail = json.loads(self._text(Header.DETAIL) or "null")
        except (ValueError, RecursionError):
            return None
        return detail if isinstance(detail, dict) else None


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
