"""One HTTP exchange: identify the caller, apply faults, answer."""

from __future__ import annotations

import asyncio
import json
import socket
import struct
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Flag, auto
from typing import Any
from urllib.parse import parse_qs

from starlette.types import Message, Receive, Scope, Send

from worker.sandbox.faults import Fault
from worker.sandbox.ledger import Cashier, Register
from worker.sandbox.refusals import Refusal, license_key_missing, not_authenticated, subscription_ended
from worker.sandbox.replies import HTML, REPLIES, Reply, answer
from worker.sandbox.state import State
from worker.sandbox.validation import Rule, parse

PREFIX = "/api/v1"
#: Endpoints that create documents for the tax service.
_DOCUMENTS = ("POST /receipts/", "POST /shifts", "POST /reports", "POST /prepayment-receipts")


class Needs(Flag):
    """The credentials that an endpoint requires."""

    NOTHING = 0
    BEARER = auto()
    LICENSE = auto()


@dataclass(slots=True)
class Call:
    """A request; it has a cashier and a register if the endpoint requires them."""

    state: State
    raw: bytes
    path: Mapping[str, str]
    query: Mapping[str, list[str]]
    headers: Mapping[bytes, bytes]
    body: Any = None
    who: Cashier | None = None
    where: Register | None = None

    @property
    def cashier(self) -> Cashier:
        if self.who is None:
            raise not_authenticated()
        return self.who

    @property
    def register(self) -> Register:
        if self.where is None:
            raise license_key_missing()
        return self.where

    @property
    def token(self) -> str | None:
        scheme, _, token = self.headers.get(b"authorization", b"").decode("latin-1").partition(" ")
        return token if scheme.lower() == "bearer" and token else None

    @property
    def client_name(self) -> str | None:
        return self.headers.get(b"x-client-name", b"").decode("latin-1") or None


@dataclass(slots=True)
class Endpoint:
    """An operation of the API as an ASGI application."""

    state: State
    #: Method and path without ``/api/v1``, as faults and counters name it.
    name: str
    handle: Callable[[Call], Reply]
    needs: Needs
    rule: Rule | None = None
    body_required: bool = True

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        call = Call(
            state=self.state,
            raw=await _read(receive),
            path=scope["path_params"],
            query=parse_qs(scope["query_string"].decode("latin-1"), keep_blank_values=True),
            headers=dict(scope["headers"]),
        )
        fault = self._fault(call)
        reply = self._answer(call) if fault is None or fault.commit else _instead(fault, call)
        if fault is not None and fault.commit:
            reply = _instead(fault, call) if fault.kind in REPLIES else _spoil(fault, reply)
        if self.state.options.latency:
            await asyncio.sleep(self.state.options.latency)
        if fault is not None and fault.kind.startswith("drop_"):
            self.state.requests[self.name]["dropped"] += 1
            await _reset(scope, receive)
            return
        self.state.requests[self.name][str(reply.status)] += 1
        if fault is not None and fault.kind == "delay":
            await asyncio.sleep(fault.seconds)
        if fault is not None and fault.kind == "drip":
            await _drip(send, reply, fault.seconds)
            return
        await _send(send, reply)

    def _fault(self, call: Call) -> Fault | None:
        if not self.state.faults:
            return None
        struck = self.state.faults.draw("exchange", self.name, _login(call), _receipt_id(call))
        return struck[0] if struck else None

    def _answer(self, call: Call) -> Reply:
        """The checks in Checkbox's order: caller, then body, then business rules."""
        try:
            if not call.headers.get(b"user-agent"):
                return Reply(b"<html><body>error code: 1010</body></html>", 403, HTML)
            self._identify(call)
            self._check_subscription(call)
            if self.rule is not None:
                call.body = parse(call.raw, self.rule, required=self.body_required)
            return self.handle(call)
        except Refusal as refusal:
            return answer(refusal.body, refusal.status)

    def _identify(self, call: Call) -> None:
        if self.needs & Needs.BEARER:
            token = call.token
            if token is None:
                raise not_authenticated()
            call.who = self.state.cashier_of(token)
        if self.needs & Needs.LICENSE:
            license_key = call.headers.get(b"x-license-key")
            if license_key is None:
                raise license_key_missing()
            call.where = self.state.register_of(license_key.decode("latin-1"))

    def _check_subscription(self, call: Call) -> None:
        """ASSUMED: which calls a blocked organization is refused; its billing status can always be read."""
        party = call.who or call.where
        if party is None or not party.organization.billing.is_blocked:
            return
        refused = self.name.startswith(_DOCUMENTS)
        if self.state.options.blocked_refuses == "everything":
            refused = self.name != "GET /organization/billing-status"
        if refused:
            raise subscription_ended()


def _login(call: Call) -> str | None:
    """The login behind a request, as far as known before any check."""
    entry = call.state.tokens.get(call.token or "")
    if entry is not None:
        return entry[0].login
    login = _member(call.raw, "login")
    return login if isinstance(login, str) else None


def _receipt_id(call: Call) -> str | None:
    """The receipt that the call is about; the chain where it names no receipt."""
    known = call.path.get("receipt_id") or _member(call.raw, "id") or call.path.get("relation_id")
    return known if isinstance(known, str) else None


def _member(raw: bytes, name: str) -> Any:
    try:
        body = json.loads(raw)
    except ValueError:
        return None
    return body.get(name) if isinstance(body, dict) else None


def _instead(fault: Fault, call: Call) -> Reply:
    if fault.kind == "token_revoked" and call.token is not None:
        call.state.revoke(call.token)
    make = REPLIES.get(fault.kind)
    return make(fault) if make else Reply(b"", 204)


def _spoil(fault: Fault, reply: Reply) -> Reply:
    if fault.kind == "null_body" and reply.status < 300:
        reply.content = b"null"
    elif fault.kind == "truncated_json":
        reply.content = reply.content[: len(reply.content) // 2]
    return reply


async def _read(receive: Receive) -> bytes:
    message: Message = await receive()
    if not message.get("more_body"):
        body: bytes = message.get("body", b"")
        return body
    parts = [message["body"]]
    while message.get("more_body"):
        message = await receive()
        parts.append(message.get("body", b""))
    return b"".join(parts)


def _head(reply: Reply) -> Message:
    headers = [
        (b"content-type", reply.media_type.encode()),
        (b"content-length", str(len(reply.content)).encode()),
        *reply.headers,
    ]
    return {"type": "http.response.start", "status": reply.status, "headers": headers}


async def _send(send: Send, reply: Reply) -> None:
    await send(_head(reply))
    await send({"type": "http.response.body", "body": reply.content})


async def _drip(send: Send, reply: Reply, seconds: float) -> None:
    await send(_head(reply))
    steps = min(len(reply.content), 100) or 1
    size = -(-len(reply.content) // steps)
    for start in range(0, len(reply.content), size):
        await asyncio.sleep(seconds / steps)
        piece = reply.content[start : start + size]
        await send({"type": "http.response.body", "body": piece, "more_body": True})
    await send({"type": "http.response.body", "body": b""})


async def _reset(scope: Scope, receive: Receive) -> None:
    """Reset the connection: a linger time of 0 s makes the kernel send RST."""
    transport: asyncio.Transport = scope["transport"]
    connection = transport.get_extra_info("socket")
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    transport.abort()
    while (await receive())["type"] != "http.disconnect":
        pass
