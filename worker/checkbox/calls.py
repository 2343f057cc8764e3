"""One call of the API: where it goes, with which credentials, and what its answer means."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from contextlib import nullcontext
from dataclasses import dataclass, field
from threading import Lock
from typing import Any, TypeVar
from urllib.parse import quote, urlencode

from pydantic import SecretStr

from worker.checkbox.answers import Unreadable, parse
from worker.checkbox.endpoints import Endpoint
from worker.checkbox.failures import classify, is_sure_none
from worker.checkbox.transport import BODY_LIMIT, Transport
from worker.fiscal.outcomes import Code, Rejected, Unavailable
from worker.fiscal.reasons import Reason
from worker.http.call import Answer
from worker.http.circuit_breaker import listening

T = TypeVar("T")
Private = tuple[str, ...]
#: After these a receipt was surely not made; after any other fault it may have been.
_NOT_TAKEN = frozenset({Reason.CONNECT_TIMEOUT, Reason.CONNECT_ERROR, Reason.THROTTLED})


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """A request, and what Checkbox's words about it must not repeat. No ``repr`` shows its secrets."""

    endpoint: Endpoint
    url: str
    token: str = field(default="", repr=False)
    license_key: SecretStr | None = None
    body: bytes | None = field(default=None, repr=False)
    path: Mapping[str, str] = field(default_factory=dict)
    params: Mapping[str, str] | None = None
    private: Private = field(default=(), repr=False)

    @property
    def target(self) -> str:
        """Path and query, escaped."""
        # An id of another program may have any character in it.
        escaped = {name: quote(value, safe="", errors="replace") for name, value in self.path.items()}
        path = self.endpoint.template.format_map(escaped)
        return f"{path}?{urlencode(self.params)}" if self.params else path

    @property
    def secrets(self) -> Private:
        key = self.license_key.get_secret_value() if self.license_key else ""
        return (*self.private, self.token, key)

    def headers(self) -> dict[str, str]:
        headers = {}
        if self.token:
            headers["Authorization"] = f"Bearer {self.token}"
        if self.license_key:
            headers["X-License-Key"] = _header_value(self.license_key)
        return headers


class Calls:
    """Makes calls; each ends in yes, no or don't know."""

    def __init__(self, transport: Transport, clock: Callable[[], float] = time.time) -> None:
        self._transport = transport
        self._clock = clock
        self._long_answer = Lock()

    def read(self, call: Call, read: Callable[[Any], T]) -> T:
        """What ``read`` makes of a success; a success that it cannot read is "don't know"."""
        return self._read(call, self._send(call), read)

    def issue(self, call: Call, read: Callable[[Any], T]) -> T:
        """``read`` of a call that makes receipts: a fault says whether it may have made them."""
        try:
            return self.read(call, read)
        except Unavailable as fault:
            fault.may_have_sold = fault.detail["reason"] not in _NOT_TAKEN
            raise

    def look_up(
        self,
        call: Call,
        read: Callable[[Any], T],
        is_none: Callable[[int, bytes | None], bool] = is_sure_none,
    ) -> T | None:
        """The same, or None when Checkbox is sure that there is no such thing, by ``is_none``."""
        answer = self._send(call)
        return None if is_none(answer.status, answer.body) else self._read(call, answer, read)

    def accept(self, call: Call) -> None:
        """A success whose body does not matter."""
        self._check(call, self._send(call))

    def _send(self, call: Call) -> Answer:
        with listening() as heard:
            answer = self._transport.call(call.endpoint, call.url, call.target, call.headers(), call.body)
            heard.is_fault = answer.status >= 500
            return answer

    def _check(self, call: Call, answer: Answer) -> None:
        if 200 <= answer.status < 300:
            return
        raise classify(
            call.endpoint, answer.status, answer.headers, answer.body, now=self._clock(), private=call.secrets
        )

    def _read(self, call: Call, answer: Answer, read: Callable[[Any], T]) -> T:
        self._check(call, answer)
        # Parsed it takes four times its length: of the long ones one at a time.
        one_at_a_time = self._long_answer if len(answer.body) > BODY_LIMIT else nullcontext()
        try:
            with one_at_a_time:
                return read(parse(answer.body))
        except Unreadable as unreadable:
            what = str(unreadable)
        raise Unavailable(
            {
                "endpoint": call.endpoint.template,
                "status": answer.status,
                "reason": "unreadable_answer",
                "what": what,
            }
        )


def _header_value(license_key: SecretStr) -> str:
    """A value that no header can carry is refused here: the HTTP library's own error would quote it."""
    value = license_key.get_secret_value()
    if not (value.isascii() and value.isprintable()):
        raise Rejected(Code.CASHIER_CREDENTIALS_REJECTED, {"reason": "license_key_unreadable"})
    return value
