"""A whole dead letter for a person's eyes: what buyers and cards say of people is masked."""

from __future__ import annotations

import json
from typing import Any

from worker.fiscal.privacy import scrub
from worker.rabbit.dead_letter import DeadLetter
from worker.rabbit.message.json_body import BODY_LIMIT, NotJsonError, Number, parse

_MASK = "***"
#: Whatever is under these names, at any level.
_PERSONAL = frozenset({"buyer", "card", "email", "phone"})
_INDENT = "  "


def message_json(letter: DeadLetter, *, reveal: bool, indent: bool) -> str:
    """The message of a letter as JSON text; numbers as they were written.

    What is no JSON becomes a JSON string. A member that came twice is left out.
    """
    body = letter.delivery.body
    if len(body) > BODY_LIMIT:
        return json.dumps(f"({len(body)} bytes; `dead-letters export` gives all of it)")
    try:
        return _render(parse(body).value, "\n" if indent else "", masked=False, reveal=reveal)
    except (NotJsonError, RecursionError):
        text = body.decode("utf-8", "replace")
        return json.dumps(text if reveal else scrub(text), ensure_ascii=False)


def _render(value: Any, line: str, *, masked: bool, reveal: bool) -> str:
    """``line`` is a line break with the indentation of this level; empty for all in one line."""
    inner = line + _INDENT if line else ""
    colon, comma = (": ", "," + inner) if line else (":", ",")
    if isinstance(value, dict):
        members = [
            json.dumps(name, ensure_ascii=False)
            + colon
            + _render(item, inner, masked=masked or (not reveal and name.lower() in _PERSONAL), reveal=reveal)
            for name, item in value.items()
        ]
        return "{" + inner + comma.join(members) + line + "}" if members else "{}"
    if isinstance(value, list):
        items = [_render(item, inner, masked=masked, reveal=reveal) for item in value]
        return "[" + inner + comma.join(items) + line + "]" if items else "[]"
    if value is None:
        return "null"
    if masked:
        return f'"{_MASK}"'
    if isinstance(value, Number):
        return value.text
    speakable = isinstance(value, (str, bool))
    return json.dumps(value if speakable else "\N{REPLACEMENT CHARACTER}", ensure_ascii=False)
