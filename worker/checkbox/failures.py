"""What an answer of Checkbox that is no success means: a table, and the reading of it.

Every call ends in a sure yes, a sure no, or "don't know":

    don't know   Unavailable             no answer, 3xx, 5xx, 429, or a page that is not Checkbox's own JSON
    sure no      ReceiptExists, ShiftNotOpened, ShiftExpired, CashierHasShift, TokenRefused
                                         the core knows how to go on
                 Rejected                the end of this request

A refusal is recognised by its code or by how its message begins, whichever is there: for some only the
message has ever been seen, and codes have come and gone. A 4xx in Checkbox's own JSON that the table does
not know is a definite no where a receipt or a shift was asked for: Checkbox has read the request and did
not do it. Where something was only read, it says nothing of the receipt, and is "don't know".
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from worker.checkbox.endpoints import Endpoint
from worker.checkbox.envelope import Envelope, read_envelope, retry_after
from worker.fiscal.outcomes import Code, Rejected, Unavailable
from worker.fiscal.ports import (
    CashierHasShift,
    ReceiptExists,
    Refusal,
    ShiftExpired,
    ShiftNotOpened,
    TokenRefused,
)
from worker.fiscal.privacy import scrub
from worker.telemetry.metrics import UNKNOWN_ANSWERS

Outcome = Callable[[dict[str, Any]], Exception]

#: Calls that carry credentials and no token.
_CREDENTIALS = frozenset({Endpoint.SIGN_IN, Endpoint.SIGN_IN_PIN, Endpoint.REGISTER_INFO})
_SELL = frozenset({Endpoint.SELL})
_SHIFT_OPEN = frozenset({Endpoint.SHIFT_OPEN})
_READS = frozenset(endpoint for endpoint in Endpoint if endpoint.method == "GET")
_ANY = frozenset(Endpoint)
_4XX = frozenset(range(400, 500))
#: ASSUMED: what the framework says of a path that is not served; the call never reached Checkbox's code.
_NOT_SERVED = "Not Found"
#: 4xx that say "not now" and nothing of the request itself.
_NOT_NOW = frozenset({407, 408, 425, 429})


def _rejected(code: Code, **more: str) -> Outcome:
    return lambda detail: Rejected(code, detail | more)


def _refused(refusal: type[Refusal]) -> Outcome:
    return lambda detail: refusal(str(detail.get("message", "")))


def _unavailable(reason: str) -> Outcome:
    return lambda detail: Unavailable(detail | {"reason": reason})


@dataclass(frozen=True, slots=True)
class Rule:
    """One row: the first that fits decides. Without ``codes`` and words the status alone decides."""

    outcome: Outcome
    endpoints: frozenset[Endpoint] = _ANY
    statuses: frozenset[int] = _4XX
    codes: tuple[str, ...] = ()
    #: How the message begins; case does not count, here and below.
    beginnings: tuple[str, ...] = ()
    #: The whole message.
    exactly: tuple[str, ...] = ()
    #: Words that are all in the message, in any order.
    words: tuple[tuple[str, ...], ...] = ()
    #: Nobody has seen such an answer: it is a default, and counted.
    unknown: bool = False

    def fits(self, endpoint: Endpoint, status: int, envelope: Envelope) -> bool:
        if endpoint not in self.endpoints or status not in self.statuses:
            return False
        if not (self.codes or self.beginnings or self.exactly or self.words):
            return True
        message = envelope.message.casefold()
        return (
            envelope.code in self.codes
            or any(message.startswith(beginning.casefold()) for beginning in self.beginnings)
            or any(message == whole.casefold() for whole in self.exactly)
            or any(all(word in message for word in words) for words in self.words)
        )


RULES: tuple[Rule, ...] = (
    Rule(_unavailable("throttled"), statuses=_NOT_NOW),
    # A receipt that is not there is told in other words, see ``is_sure_none``.
    Rule(_unavailable("not_served"), statuses=frozenset({404}), exactly=(_NOT_SERVED,)),
    Rule(_unavailable("not_served"), statuses=frozenset({405}), exactly=("Method Not Allowed",)),
    # Credentials. Seen: 401 for the licence key, 403 for password, PIN and a missing bearer, 422 for a form.
    Rule(
        _rejected(Code.CASHIER_CREDENTIALS_REJECTED),
        codes=("cash_register.invalid_license_key", "cashier.invalid_credentials"),
        beginnings=("Невірний ключ ліцензії каси", "Невірний логін або пароль", "Невірний пінкод"),
    ),
    Rule(
        _rejected(Code.CASHIER_CREDENTIALS_REJECTED),
        statuses=frozenset({401, 403}),
        beginnings=("Not authenticated",),
    ),
    Rule(
        _rejected(Code.CASHIER_CREDENTIALS_REJECTED),
        endpoints=_CREDENTIALS,
        statuses=frozenset({401, 403, 422}),
    ),
    Rule(
        _refused(TokenRefused),
        codes=("base.credentials",),
        beginnings=("Could not validate credentials", "Невірний токен доступу"),
    ),
    # Shifts. The 24-hour refusal is known by its beginning only: its status and code were never seen.
    Rule(_refused(ShiftExpired), beginnings=("Зміну відкрито понад",)),
    Rule(_refused(ShiftNotOpened), codes=("shift.not_opened",), beginnings=("Зміну не відкрито",)),
    Rule(
        _refused(CashierHasShift),
        endpoints=_SHIFT_OPEN,
        beginnings=("Касир вже працює з даною касою",),
    ),
    Rule(
        _rejected(Code.REGISTER_BUSY),
        endpoints=_SHIFT_OPEN,
        beginnings=("Каса зайнята іншим касиром",),
    ),
    # Receipts.
    Rule(
        _refused(ReceiptExists),
        endpoints=_SELL,
        codes=("receipt.already_exists",),
        beginnings=("Вказаний id чеку вже існує",),
    ),
    # ASSUMED: a cash return of more than is in the till; neither code nor text was ever seen.
    Rule(
        _rejected(Code.RECEIPT_REJECTED, reason="cash_shortage"),
        endpoints=_SELL,
        words=(
            ("недостатн", "готівк"),
            ("недостатн", "кас"),
            ("недостатн", "кошт"),
            ("not enough", "cash"),
            ("insufficient", "cash"),
        ),
    ),
    Rule(_rejected(Code.RECEIPT_REJECTED), endpoints=_SELL, statuses=frozenset({422})),
    Rule(_rejected(Code.SHIFT_NOT_OPEN), endpoints=_SHIFT_OPEN, statuses=frozenset({422})),
    # Defaults for what nobody has seen yet.
    Rule(_rejected(Code.CASHIER_CREDENTIALS_REJECTED), endpoints=_CREDENTIALS, unknown=True),
    Rule(_refused(TokenRefused), statuses=frozenset({401}), unknown=True),
    Rule(_rejected(Code.RECEIPT_REJECTED), endpoints=_SELL, unknown=True),
    Rule(_rejected(Code.SHIFT_NOT_OPEN), endpoints=_SHIFT_OPEN, unknown=True),
    Rule(
        _rejected(Code.CASHIER_CREDENTIALS_REJECTED),
        endpoints=_READS,
        statuses=frozenset({403}),
        unknown=True,
    ),
    Rule(_unavailable("unknown_refusal"), unknown=True),
)


def classify(
    endpoint: Endpoint,
    status: int,
    headers: Mapping[str, str],
    body: bytes | None,
    *,
    now: float,
    private: Iterable[str] = (),
) -> Exception:
    """The outcome of an answer that is no success, ready to be raised.

    ``now`` (seconds since the epoch) dates a Retry-After given as a date; ``private`` are the exact values
    that Checkbox's words must not carry on. ``body`` is None where it could not be read to its end.
    """
    envelope = read_envelope(body)
    detail = _detail(endpoint, status, envelope, tuple(private))
    wait = retry_after(headers, now)
    if status not in _4XX or envelope is None:
        return Unavailable(detail | {"reason": _strange(status)}, wait)
    rule = next(rule for rule in RULES if rule.fits(endpoint, status, envelope))
    if rule.unknown:
        UNKNOWN_ANSWERS.labels(str(status)).inc()
    outcome = rule.outcome(detail)
    if isinstance(outcome, Unavailable):
        outcome.retry_after = wait
    return outcome


def is_sure_none(status: int, body: bytes | None) -> bool:
    """Whether this answer to GET /receipts/{id} says that there is no such receipt.

    Seen: 404 with a message of the receipts' archive and no code. A page, and the framework's own "Not Found"
    for a path that is not served, say nothing of the receipt.
    """
    if status != 404:
        return False
    envelope = read_envelope(body)
    if envelope is None or envelope.is_framework or envelope.message.casefold() == _NOT_SERVED.casefold():
        return False
    return not envelope.code or "not_found" in envelope.code


def _strange(status: int) -> str:
    if status in _NOT_NOW:
        return "throttled"
    if status < 300:
        return "unreadable_answer"
    if status < 400:
        return "redirect"
    return "server_error" if status >= 500 else "not_checkbox"


def _detail(
    endpoint: Endpoint, status: int, envelope: Envelope | None, private: tuple[str, ...]
) -> dict[str, Any]:
    detail: dict[str, Any] = {"endpoint": endpoint.template, "status": status}
    if envelope is None:
        return detail
    if envelope.code:
        detail["code"] = scrub(envelope.code, private)
    if envelope.message:
        detail["message"] = scrub(envelope.message, private)
    if envelope.errors:
        detail["errors"] = [
            {"path": scrub(path, private), "problem": scrub(problem, private)}
            for path, problem in envelope.errors
        ]
    return detail
