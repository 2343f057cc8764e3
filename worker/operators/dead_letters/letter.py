"""A dead letter as it is read back, and which of them are meant."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pika

from worker.rabbit.dead_letter import QUEUE
from worker.rabbit.delivery import DELAYED, REPLAYED_CODE, REPLAYS, Delivery
from worker.rabbit.topology import DEAD_LETTERS, ORDERS_EXCHANGE


@dataclass(frozen=True, slots=True)
class Letter:
    """A dead letter in hand. What its headers do not tell is None: anybody may have put it there."""

    delivery: Delivery
    headers: Mapping[str, Any]

    @classmethod
    def received(cls, method: Any, properties: pika.BasicProperties, body: bytes) -> Letter:
        """Headers count only where they come from us, which they never do through Bimp's exchange."""
        headers = properties.headers if method.exchange != ORDERS_EXCHANGE else None
        return cls(Delivery.received(DEAD_LETTERS, method, properties, body), headers or {})

    @property
    def code(self) -> str | None:
        return self._text("x-fiscal-code")

    @property
    def order(self) -> str | None:
        return self._text("x-fiscal-order")

    @property
    def doc_number(self) -> str | None:
        return self._text("x-fiscal-docnumber")

    @property
    def integration(self) -> str | None:
        return self._text("x-fiscal-integration")

    @property
    def cashier(self) -> str | None:
        return self._text("x-fiscal-cashier")

    @property
    def request(self) -> str | None:
        """The id of Bimp's request."""
        return self._text("x-fiscal-request")

    @property
    def replays(self) -> int:
        """How often it was replayed before it came here."""
        count = self.headers.get(REPLAYS)
        return count if type(count) is int and count > 0 else 0

    @property
    def queue(self) -> str | None:
        """The queue that a replay goes back to; None where the letter names none."""
        return self._text(QUEUE)

    @property
    def failed_at(self) -> datetime | None:
        try:
            moment = datetime.fromisoformat(self._text("x-fiscal-failed-at") or "")
        except ValueError:
            return None
        return moment if moment.tzinfo else moment.replace(tzinfo=UTC)

    def line(self) -> dict[str, Any]:
        """The members of a JSON line, see ``docs/schemas/dead-letter-line.schema.json``."""
        attempts = self.headers.get("x-fiscal-attempts")
        return {
            "code": self.code,
            "order": self.order,
            "docNumber": self.doc_number,
            "integration": self.integration,
            "cashier": self.cashier,
            "request": self.request,
            "attempts": attempts if type(attempts) is int else None,
            "replays": self.replays,
            "firstSeen": self._text("x-fiscal-first-seen"),
            "failedAt": self._text("x-fiscal-failed-at"),
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
        headers: dict[str, Any] = {REPLAYS: self.replays + 1}
        if self.code is not None:
            headers[REPLAYED_CODE] = self.code
        if self.headers.get(DELAYED) is True:
            headers[DELAYED] = True
        properties = self.delivery.properties(headers)
        properties.delivery_mode = 2
        return properties

    def _text(self, header: str) -> str | None:
        value = self.headers.get(header)
        return value if isinstance(value, str) else None

    def _detail(self) -> dict[str, Any] | None:
        try:
            detail = json.loads(self._text("x-fiscal-detail") or "null")
        except (ValueError, RecursionError):
            return None
        return detail if isinstance(detail, dict) else None


@dataclass(frozen=True, slots=True)
class Filter:
    """Which letters are meant; what is empty or None leaves all of them. Times are those of ``failedAt``."""

    codes: frozenset[str] = frozenset()
    integrations: frozenset[str] = frozenset()
    cashiers: frozenset[str] = frozenset()
    #: The order's uuid or docNumber.
    order: str | None = None
    #: Ids of Bimp's requests: letters without an order have one too, unless nothing of them can be read.
    requests: frozenset[str] = frozenset()
    since: datetime | None = None
    until: datetime | None = None

    def __call__(self, letter: Letter) -> bool:
        return (
            (not self.codes or letter.code in self.codes)
            and (not self.integrations or letter.integration in self.integrations)
            and (not self.cashiers or letter.cashier in self.cashiers)
            and (self.order is None or self._names(letter, self.order))
            and (not self.requests or letter.request in self.requests)
            and self._in_time(letter)
        )

    def described(self) -> str:
        """In words, for the audit log."""
        lists = (
            ("code", self.codes), ("integration", self.integrations), ("cashier", self.cashiers),
            ("request", self.requests),
        )  # fmt: skip
        words = [f"{name} {value}" for name, values in lists for value in sorted(values)]
        words += [f"order {self.order}"] if self.order is not None else []
        words += [f"since {self.since.isoformat()}"] if self.since else []
        words += [f"until {self.until.isoformat()}"] if self.until else []
        return ", ".join(words) or "all letters"

    @staticmethod
    def _names(letter: Letter, order: str) -> bool:
        return letter.doc_number == order or (letter.order or "").lower() == order.lower()

    def _in_time(self, letter: Letter) -> bool:
        if self.since is None and self.until is None:
            return True
        failed_at = letter.failed_at
        return (
            failed_at is not None
            and (self.since is None or failed_at >= self.since)
            and (self.until is None or failed_at <= self.until)
        )


#: Decides about a letter that has just arrived.
Wanted = Callable[[Letter], bool]
