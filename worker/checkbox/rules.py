"""The table of Checkbox's refusals: which code, words or status means what.

A refusal is recognised by its code or by its words, whichever is there: for some only the message has ever
been seen, messages may come in English, and codes have come and gone. ``base.bad_request`` is the code of all
that has none of its own, and says nothing. A 4xx in Checkbox's own JSON that the table does not know is a
definite no where a receipt or a shift was asked for: Checkbox has read the request and did not do it. Where
something was only read it says nothing of the receipt and is "don't know", unless it forbids the cashier to
read.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from worker.checkbox.endpoints import Endpoint
from worker.checkbox.envelope import Envelope
from worker.fiscal.outcomes import Code, Rejected, Unavailable
from worker.fiscal.ports import (
    CashierHasShift,
    ReceiptExists,
    Refusal,
    ShiftExpired,
    ShiftNotOpened,
    TokenRefused,
)
from worker.fiscal.reasons import Reason

Outcome = Callable[[dict[str, Any]], Exception]

#: Calls that carry credentials and no token.
_CREDENTIALS = frozenset({Endpoint.SIGN_IN, Endpoint.SIGN_IN_PIN, Endpoint.REGISTER_INFO})
_WITH_TOKEN = frozenset(Endpoint) - _CREDENTIALS
#: Those that make receipts.
_SELL = frozenset({Endpoint.SELL, Endpoint.PREPAYMENT, Endpoint.AFTERPAYMENT, Endpoint.CHAIN_RETURN})
_SHIFT_OPEN = frozenset({Endpoint.SHIFT_OPEN})
#: Where "no open shift" is an answer. From any other call it says nothing of what was asked.
_ABOUT_THE_SHIFT = _SELL | {Endpoint.SHIFT_CLOSE, Endpoint.CASHIER_SHIFT}
#: Sales go on where the tax table cannot be read.
_NEEDED = frozenset(Endpoint) - {Endpoint.CASHIER_TAX}
_ANY = frozenset(Endpoint)
#: Statuses of a refusal.
REFUSALS = frozenset(range(400, 500))
#: The end of the cashier's signing key, at an opening. "Спливає" is the warning of the day before.
_KEY_EXPIRED_WORDS = (("термін дії ключа", "закінчи"), ("key", "expired"), ("certificate", "expired"))


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
    statuses: frozenset[int] = REFUSALS
    codes: tuple[str, ...] = ()
    #: How the message begins; case does not count, here and below.
    beginnings: tuple[str, ...] = ()
    #: Words that are all in the message, in any order.
    words: tuple[tuple[str, ...], ...] = ()
    #: Nobody has seen such an answer: it is a default, and counted.
    unknown: bool = False

    def fits(self, endpoint: Endpoint, status: int, envelope: Envelope) -> bool:
        if endpoint not in self.endpoints or status not in self.statuses:
            return False
        if not (self.codes or self.beginnings or self.words):
            return True
        message = envelope.message.casefold()
        return (
            envelope.code in self.codes
            or any(message.startswith(beginning.casefold()) for beginning in self.beginnings)
            or _has_words(message, self.words)
        )


def _has_words(message: str, choices: tuple[tuple[str, ...], ...]) -> bool:
    return any(all(word in message for word in words) for words in choices)


def tells_of_expired_key(words: str) -> bool:
    """Whether these words say that the cashier's signing key has expired."""
    return _has_words(words.casefold(), _KEY_EXPIRED_WORDS)


RULES: tuple[Rule, ...] = (
    Rule(_rejected(Code.SUBSCRIPTION_ENDED), endpoints=_NEEDED, statuses=frozenset({402})),
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
        endpoints=_WITH_TOKEN,
        codes=("base.credentials",),
        beginnings=("Could not validate credentials", "Невірний токен доступу"),
    ),
    # Shifts. ASSUMED: the English words.
    Rule(
        _refused(ShiftExpired),
        endpoints=_SELL,
        codes=("shift.opened_too_long",),
        beginnings=("Зміну відкрито понад",),
        words=(("shift", "open", "24 h"), ("shift", "open", "too long")),
    ),
    Rule(
        _refused(ShiftNotOpened),
        endpoints=_ABOUT_THE_SHIFT,
        codes=("shift.not_opened",),
        beginnings=("Зміну не відкрито", "Зміна вже закрита", "Shift is not opened"),
    ),
    Rule(
        _refused(CashierHasShift),
        endpoints=_SHIFT_OPEN,
        beginnings=("Касир вже працює з даною касою",),
        words=(("cashier", "already"),),
    ),
    Rule(
        _rejected(Code.REGISTER_BUSY),
        endpoints=_SHIFT_OPEN,
        beginnings=("Каса зайнята іншим касиром",),
        words=(("another cashier",),),
    ),
    Rule(
        _rejected(Code.SHIFT_NOT_OPEN, reason=Reason.KEY_EXPIRED),
        endpoints=_SHIFT_OPEN,
        words=_KEY_EXPIRED_WORDS,
    ),
    # Receipts.
    Rule(
        _refused(ReceiptExists),
        endpoints=_SELL - {Endpoint.CHAIN_RETURN},  # which has no id of ours
        codes=("receipt.already_exists",),
        beginnings=("Вказаний id чеку вже існує",),
    ),
    # ASSUMED: a cash return of more than is in the till; neither code nor text was ever seen.
    Rule(
        _rejected(Code.RECEIPT_REJECTED, reason=Reason.CASH_SHORTAGE),
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
    Rule(
        _rejected(Code.CASHIER_CREDENTIALS_REJECTED),
        endpoints=_NEEDED,
        statuses=frozenset({403}),
        unknown=True,
    ),
    Rule(_rejected(Code.RECEIPT_REJECTED), endpoints=_SELL, unknown=True),
    Rule(_rejected(Code.SHIFT_NOT_OPEN), endpoints=_SHIFT_OPEN, unknown=True),
    Rule(_unavailable("unknown_refusal"), unknown=True),
)
