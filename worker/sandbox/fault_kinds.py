"""The kinds of faults with their defaults.

A fault acts at one of five places: on the exchange (the connection and the answer), on a receipt that is
being made, on a shift that is being opened, on the upload of offline receipts, or on the view of a receipt.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

Place = Literal["exchange", "receipt", "shift", "upload", "view"]
_SELL = "POST /receipts/sell"


@dataclass(frozen=True, slots=True)
class Kind:
    """Defaults of a fault. ``commit``: the request is processed before the fault applies."""

    place: Place
    commit: bool
    meaning: str
    endpoint: str | None = None
    seconds: float = 0.0
    words: str | None = None
    status: int = 400
    code: str | None = None


KINDS: Mapping[str, Kind] = {
    "drop_after_commit": Kind("exchange", True, "process the request, then reset the connection"),
    "drop_before_commit": Kind("exchange", False, "reset the connection without processing the request"),
    "delay": Kind("exchange", True, "answer after SECONDS", seconds=30.0),
    "drip": Kind("exchange", True, "send the answer byte by byte over SECONDS", seconds=10.0),
    "null_body": Kind("exchange", True, "the regular status with the body null", endpoint=_SELL),
    "truncated_json": Kind("exchange", True, "the first half of the body"),
    "html_503": Kind("exchange", False, "503 with a page"),
    "error_500": Kind("exchange", False, "500 with a page"),
    "html_200": Kind("exchange", False, "200 with a foreign page"),
    "rate_limited": Kind("exchange", False, "429, with Retry-After where RETRY_AFTER is given"),
    "token_revoked": Kind("exchange", False, "the token is no longer valid: 401 base.credentials"),
    "refused": Kind(
        "exchange",
        False,
        "STATUS with CODE and WORDS, as Checkbox refuses; reading calls too",
        code="base.bad_request",
        words="Запит відхилено",
    ),
    # ASSUMED: code and words of the next two.
    "subscription_ended": Kind(
        "exchange",
        False,
        "402: the organization is blocked for a debt",
        status=402,
        words="Підписка скінчилася",
    ),
    "forbidden": Kind(
        "exchange", False, "403: the cashier may not do this", status=403, words="Недостатньо прав касира"
    ),
    "key_expired": Kind(
        "exchange",
        False,
        "the opening of a shift is refused at once: the key has expired",
        endpoint="POST /shifts",
        code="base.bad_request",  # ASSUMED: only the words were reported
        words="Термін дії ключа закінчився",
    ),
    "gateway_json": Kind(
        "exchange",
        False,
        "STATUS with the JSON of a gateway before Checkbox, with WORDS",
        status=403,
        words="no Route matched with those values",
    ),
    "hidden_for": Kind(
        "view",
        True,
        "not shown for SECONDS, by id and search, or by endpoint= alone",
        seconds=1.0,
    ),
    "created_for": Kind("receipt", True, "the receipt stays CREATED for SECONDS (stuck: 1e9)", seconds=60.0),
    "error_receipt": Kind(
        "receipt", True, "the receipt ends in ERROR with WORDS", words="Помилка перевірки документа"
    ),
    "offline": Kind(
        "receipt", True, "automatic offline: a fiscal code at once, DONE after SECONDS", seconds=60.0
    ),
    "upload_refused": Kind(
        "receipt",
        True,
        "offline: a fiscal code at once, ERROR with WORDS after SECONDS",
        seconds=60.0,
        words="Помилка перевірки документа",
    ),
    "upload_fails": Kind("upload", True, "going online uploads nothing: the register stays offline"),
    "no_context": Kind("receipt", True, "answers lack the context"),
    "old_names": Kind("receipt", True, "answers carry the names of 2020: sum and rest"),
    "refuse_shift": Kind(
        "shift", True, "the opening is refused with WORDS", words="Зміну не може бути відкрито"
    ),
}


def described() -> str:
    """A line for each kind with its meaning, for ``sandbox --help``."""
    return "\n".join(f"{name}: {kind.meaning}" for name, kind in KINDS.items())
