"""What comes in: Checkbox's answers, read into the core's words.

Tolerant, because the API drifts: unknown members are ignored, null is the same as missing, numbers may be
text, the names of 2020 (``sum``, ``rest``) are known, times come with or without zone and microseconds.
What an answer does not say is None or empty. Only one that says nothing at all is ``Unreadable``.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, NoReturn

from worker.fiscal.ports import Shift
from worker.fiscal.privacy import scrub
from worker.fiscal.tax_rates import CheckboxTax

Document = Mapping[str, Any]

#: No sum, quantity or percentage of a receipt comes near it.
_LIMIT = 10**15


class Unreadable(ValueError):
    """The answer is not what was due; whether the call had its effect is unknown."""


def parse(body: bytes) -> Any:
    """The JSON of an answer, without a binary float in it. Raises ``Unreadable``."""
    try:
        return _DECODER.decode(body.decode(json.detect_encoding(body), "surrogatepass"))
    except (ValueError, ArithmeticError, RecursionError):
        raise Unreadable("not JSON") from None


def read_token(document: Any) -> str:
    """The bearer token of a sign-in."""
    token = text(as_object(document), "access_token")
    if token is None or not token.isascii() or not token.isprintable():
        raise Unreadable("no token")
    return token


def read_shift(document: Any, private: Iterable[str] = ()) -> Shift:
    """Raises ``Unreadable`` where there is no id or no status."""
    shift = as_object(document)
    shift_id, status = text(shift, "id"), text(shift, "status")
    if shift_id is None or status is None:
        raise Unreadable("no shift")
    register = child(shift, "cash_register")
    opened_at = moment(shift.get("opened_at"))
    return Shift(
        id=shift_id.lower(),
        status=status,
        opened_at=opened_at.timestamp() if opened_at else None,
        register_id=text(register, "id"),
        register_number=text(register, "fiscal_number"),
        refusal=_refusal(shift, status, private),
    )


def _refusal(shift: Document, status: str, private: Iterable[str]) -> str | None:
    """A refused opening ends in CLOSED, with the reason in the transaction that should have opened it."""
    transaction = child(shift, "initial_transaction")
    words = text(transaction, "response_error_message")
    failed = text(transaction, "status") in ("ERROR", "CANCELLED")
    if status != "CLOSED" or not (words or failed):
        return None
    return scrub(words or text(transaction, "response_status") or "refused", private)


def read_taxes(document: Any) -> list[CheckboxTax]:
    """GET /cashier/tax: a plain array. Raises ``Unreadable`` where it is not a list."""
    if not isinstance(document, list):
        raise Unreadable("no list of taxes")
    return [
        CheckboxTax(
            code=code,
            label=text(tax, "label") or "",
            symbol=text(tax, "symbol") or "",
            rate=_percent(tax, "rate"),
            extra_rate=_percent(tax, "extra_rate"),
            no_vat=tax["no_vat"] if isinstance(tax.get("no_vat"), bool) else None,
        )
        for tax in document
        if isinstance(tax, dict) and (code := integer(tax.get("code"))) is not None
    ]


def _percent(tax: Document, name: str) -> Decimal | None:
    """Newer answers have it once more, as ``decimal_rate``."""
    found = decimal(tax.get(name))
    return decimal(tax.get(f"decimal_{name}")) if found is None else found


def read_page(document: Any) -> list[Any]:
    """The results of a search."""
    results = as_object(document).get("results")
    if not isinstance(results, list):
        raise Unreadable("no results")
    return results


def read_last_closing(document: Any) -> float | None:
    """GET /shifts, newest first: when the first one was closed."""
    shifts = read_page(document)
    return seconds(as_object(shifts[0]).get("closed_at")) if shifts else None


def moment(value: Any) -> datetime | None:
    """A time of Checkbox's. ASSUMED: one without a zone is UTC, as all times with one have been."""
    if not isinstance(value, str):
        return None
    try:
        at = datetime.fromisoformat(value.strip())
    except ValueError:
        return None
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def integer(value: Any) -> int | None:
    """A whole number, also as text or with zeros for decimals."""
    if type(value) is int:  # as nearly always; a bool is not a number here
        return value if abs(value) < _LIMIT else None
    number = decimal(value)
    return int(number) if number is not None and number == number.to_integral_value() else None


def text(document: Document, key: str) -> str | None:
    """Text that is not blank; a number counts as its text."""
    value = document.get(key)
    if isinstance(value, bool) or not isinstance(value, str | int):
        return None
    return str(value).strip() or None


def child(document: Document, key: str) -> Document:
    """A nested object; empty where there is none."""
    value = document.get(key)
    return value if isinstance(value, dict) else {}


def as_object(document: Any) -> Document:
    if not isinstance(document, dict):
        raise Unreadable("no object")
    return document


def seconds(value: Any) -> float | None:
    at = moment(value)
    return at.timestamp() if at else None


def decimal(value: Any) -> Decimal | None:
    if isinstance(value, bool) or not isinstance(value, str | int | Decimal):
        return None
    try:
        number = Decimal(value)
    except ArithmeticError:
        return None
    return number if number.is_finite() and abs(number) < _LIMIT else None


def _refuse(constant: str) -> NoReturn:
    raise ValueError(constant)


_DECODER = json.JSONDecoder(parse_float=Decimal, parse_constant=_refuse)
