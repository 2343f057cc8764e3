"""A whole dead letter for a person's eyes: what it says of buyers and cards is masked.

A message that broke the contract may say it under any name. So texts, and numbers as long as a phone's, are
shown as they are only under the names of figures and identities.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from worker.fiscal.privacy import scrub
from worker.operators.output import json_text
from worker.rabbit.dead_letter import DeadLetter
from worker.rabbit.message.json_body import BODY_LIMIT, NotJsonError, Number, parse

_MASK = "***"
#: Whatever is under these names, at any level.
_PERSONAL = frozenset({"buyer", "card", "email", "phone"})
#: Figures, identities and codes of the contract.
_IMPERSONAL = frozenset(
    {
        "specversion", "type", "source", "id", "subject", "time",
        "integration", "cashier", "operation", "paymentUuid", "orderUuid", "receiptId", "relationId",
        "uuid", "docNumber", "date", "currency", "discount", "total", "amount", "form",
        "code", "barcode", "uktzed", "nomenclatureUuid", "exciseBarcodes", "eExciseBarcodes",
        "count", "cost", "percentRate",
    }
)  # fmt: skip
_INDENT = "  "
_UNSPEAKABLE = "\N{REPLACEMENT CHARACTER}"
#: The JSON of a text, number or boolean.
_Leaf = Callable[[Any], str]


def message_json(letter: DeadLetter, *, reveal: bool, indent: bool) -> str:
    """The message of a letter as JSON text; numbers as they were written.

    What is no JSON becomes a JSON string. A member that came twice is left out.
    """
    body = letter.delivery.body
    if len(body) > BODY_LIMIT:
        return json_text(f"({len(body)} bytes; `dead-letters export` gives all of it)")
    try:
        return _render(parse(body).value, "\n" if indent else "", _shown if reveal else _scrubbed)
    except (NotJsonError, RecursionError):
        text = body.decode("utf-8", "replace")
        return json_text(text if reveal else scrub(text))


def _render(value: Any, line: str, leaf: _Leaf) -> str:
    """``line`` is a line break with the indentation of this level; empty for all in one line."""
    inner = line + _INDENT if line else ""
    colon, comma = (": ", "," + inner) if line else (":", ",")
    if isinstance(value, dict):
        members = [
            json_text(_name(name, leaf)) + colon + _render(item, inner, _leaf_of(name, leaf))
            for name, item in value.items()
        ]
        return "{" + inner + comma.join(members) + line + "}" if members else "{}"
    if isinstance(value, list):
        items = [_render(item, inner, leaf) for item in value]
        return "[" + inner + comma.join(items) + line + "]" if items else "[]"
    return "null" if value is None else leaf(value)


def _name(name: str, leaf: _Leaf) -> str:
    return name if leaf is _shown else scrub(name)


def _leaf_of(name: str, around: _Leaf) -> _Leaf:
    """How a member is shown, by its name and by how what is around it is shown."""
    if around in (_shown, _masked):
        return around
    if name.lower() in _PERSONAL:
        return _masked
    return _identity if name in _IMPERSONAL else _scrubbed


def _shown(value: Any) -> str:
    if isinstance(value, Number):
        return value.text
    return json_text(value if isinstance(value, str | bool) else _UNSPEAKABLE)


def _identity(value: Any) -> str:
    """A leaf of its own, so that what is nested in it is judged by its own name."""
    return _shown(value)


def _scrubbed(value: Any) -> str:
    if isinstance(value, Number):
        return value.text if scrub(value.text) == value.text else json_text(_MASK)
    return json_text(scrub(value)) if isinstance(value, str) else _shown(value)


def _masked(_: Any) -> str:
    return json_text(_MASK)
