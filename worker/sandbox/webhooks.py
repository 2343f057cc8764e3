"""Delivery of webhooks for receipts and shifts, with retries.

A register has one URL: a new one replaces it, and undelivered bodies of the old one are dropped.
"""

from __future__ import annotations

import asyncio
import base64
import hmac
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import httpx2

from worker.sandbox.bodies.party_body import register_in_shift
from worker.sandbox.bodies.receipt_body import receipt_body
from worker.sandbox.bodies.shift_body import shift
from worker.sandbox.bodies.short_receipt_body import short_receipt_body
from worker.sandbox.entities import Webhook
from worker.sandbox.ledger import Receipt, Register, Shift
from worker.sandbox.state import State

_LOOKS_EVERY = 0.05
SIGNATURE = "x-request-signature"


@dataclass(slots=True, eq=False)
class _Delivery:
    webhook: Webhook
    content: bytes
    give_up_at: float
    due_at: float
    pause: float


@dataclass(slots=True, eq=False)
class _Watched:
    """What has been seen of a register since its webhook was set."""

    webhook: Webhook
    receipts: int
    unfinished: list[Receipt] = field(default_factory=list)
    shifts: dict[str, str] = field(default_factory=dict)


class Webhooks:
    """Detects changes and delivers them in one task, started with the first webhook."""

    def __init__(self, state: State) -> None:
        self._state = state
        self._watched: dict[str, _Watched] = {}
        self._deliveries: list[_Delivery] = []
        self._task: asyncio.Task[None] | None = None

    def watch(self, register: Register) -> None:
        """Start watching; earlier events are not sent."""
        webhook = register.webhook
        if webhook is None:
            self._watched.pop(register.id, None)
            return
        now = self._state.clock.now()
        shifts = {item.id: item.status(now) for item in register.shifts}
        self._watched[register.id] = _Watched(webhook, len(register.receipts), shifts=shifts)
        if self._task is None or self._task.done():
            self._task = asyncio.get_running_loop().create_task(self._run())

    async def _run(self) -> None:
        async with httpx2.AsyncClient(trust_env=False) as client:
            while True:
                self.look()
                await self.deliver(client)
                await asyncio.sleep(_LOOKS_EVERY)

    def look(self) -> None:
        """Queue the changes since the last look."""
        now = self._state.clock.now()
        for register_id, watched in list(self._watched.items()):
            register = self._state.registers_by_id.get(register_id)
            if register is None or register.webhook is not watched.webhook:
                del self._watched[register_id]
                continue
            for body in (*self._receipts(register, watched, now), *_shifts(register, watched, now)):
                self._queue(watched.webhook, body, now)

    async def deliver(self, client: httpx2.AsyncClient) -> None:
        """Send what is due, concurrently; failed deliveries are rescheduled."""
        now = self._state.clock.now()
        self._deliveries = [item for item in self._deliveries if item.give_up_at > now]
        due = [item for item in self._deliveries if item.due_at <= now]
        taken = await asyncio.gather(*(self._post(client, item) for item in due))
        for item, is_taken in zip(due, taken, strict=True):
            if is_taken:
                self._deliveries.remove(item)

    def _receipts(self, register: Register, watched: _Watched, now: float) -> Iterator[dict[str, Any]]:
        watched.unfinished += register.receipts[watched.receipts :]
        watched.receipts = len(register.receipts)
        ended = [item for item in watched.unfinished if item.status(now) != "CREATED"]
        watched.unfinished = [item for item in watched.unfinished if item not in ended]
        for item in ended:
            if item.status(now) == "ERROR" and not self._state.options.webhook_on_error:
                continue
            if item.type.startswith("SERVICE"):
                yield {"service_receipt": json.loads(short_receipt_body(self._state, item, now))}
            else:
                body = json.loads(receipt_body(self._state, item, now))
                yield {"receipt": {**body, "cash_register": register_in_shift(register)}}

    def _queue(self, webhook: Webhook, body: dict[str, Any], now: float) -> None:
        options = self._state.options
        content = json.dumps(body, ensure_ascii=False).encode()
        give_up_at = now + options.webhook_retry_for
        self._deliveries.append(_Delivery(webhook, content, give_up_at, now, options.webhook_retry_first))

    async def _post(self, client: httpx2.AsyncClient, item: _Delivery) -> bool:
        """True if the receiver accepted the body, or its webhook was replaced."""
        if not any(watched.webhook is item.webhook for watched in self._watched.values()):
            return True
        options = self._state.options
        headers = {"content-type": "application/json", SIGNATURE: signature(item.webhook.key, item.content)}
        try:
            response = await client.post(
                item.webhook.url, content=item.content, headers=headers, timeout=options.webhook_timeout
            )
            failure = f"HTTP {response.status_code}" if response.status_code >= 400 else None
        except httpx2.HTTPError as error:
            failure = type(error).__name__
        if failure is None:
            return True
        item.webhook.last_error, item.webhook.last_error_at = failure, self._state.clock.now()
        item.due_at = self._state.clock.now() + item.pause
        item.pause = min(2 * item.pause, options.webhook_retry_longest)
        return False


def signature(key: str, content: bytes) -> str:
    return base64.b64encode(hmac.digest(key.encode(), content, "sha256")).decode()


def _shifts(register: Register, watched: _Watched, now: float) -> Iterator[dict[str, Any]]:
    """Openings and closings."""
    for item in register.shifts:
        status = item.status(now)
        if watched.shifts.get(item.id) != status:
            watched.shifts[item.id] = status
            if status == "OPENED" or (status == "CLOSED" and _was_open(item)):
                yield {"shift": shift(item, now)}


def _was_open(item: Shift) -> bool:
    return item.refusal is None
