"""A body as exact JSON: no binary float, no lost member, nothing that exhausts the reader.

The JSON of the standard library is lenient where money is concerned: of a member that comes twice it keeps
the last, NaN passes for a number and 0.1 becomes a binary float. A number of 5,000 digits and a body of 5,000
brackets are errors of another kind than those of JSON. Here each of them is reported.
"""

from __future__ import annotations

import codecs
import json
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, NoReturn

#: Bytes.
BODY_LIMIT = 1_048_576

Path = tuple[str | int, ...]

#: More levels than any part of the message has.
_LEVELS = 16
#: A text without its end is one token, too: tried anew at each of its quotes, it would take hours.
_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"?|[\[\]{}]|[^"\[\]{}]+', re.DOTALL)
_ESCAPED_SURROGATE = re.compile(r"\\u[dD][89a-fA-F]")
#: Numbers whose exponent is expanded; larger ones cannot be sums.
_SCIENTIFIC = re.compile(r"-?[0-9.]{1,32}[eE][+-]?[0-9]{1,2}")


class NotJsonError(ValueError):
    """The body is not JSON in UTF-8; the text says why and repeats nothing of it."""


class Number:
    """A JSON number as it was written. No subclass of ``str``, so that it never passes for text."""

    __slots__ = ("text",)

    def __init__(self, text: str) -> None:
        self.text = text

    def plain(self) -> str | None:
        """In plain notation, without exponent and exact; None if that would be too long."""
        if "e" not in self.text and "E" not in self.text:
            return self.text
        return format(Decimal(self.text), "f") if _SCIENTIFIC.fullmatch(self.text) else None


class Unspeakable:
    """Stands for a text that UTF-8 cannot encode (half of a surrogate pair)."""


@dataclass(frozen=True, slots=True)
class Parsed:
    """The value of a body. Numbers are ``Number``; a member that came twice has no value."""

    value: Any
    has_doubled: bool
    #: The brackets were nested deeper than can be read, and what lies too deep is null.
    too_deep: bool = False


class _Doubled(dict[str, Any]):
    """An object in which the members of these names came twice."""

    names: tuple[str, ...] = ()


def parse(body: bytes) -> Parsed:
    """Read a body of at most ``BODY_LIMIT`` bytes. Raises ``NotJsonError``."""
    try:
        text = body.removeprefix(codecs.BOM_UTF8).decode("utf-8")
    except UnicodeDecodeError as error:
        raise NotJsonError(f"is not UTF-8 at byte {error.start}") from None
    try:
        parsed = _load(text, too_deep=False)
    except RecursionError:
        parsed = _load(_without_the_deep(text), too_deep=True)
    return _without_halves(parsed) if _ESCAPED_SURROGATE.search(text) else parsed


def doubled(value: Any, known: frozenset[str], path: Path = ()) -> Iterator[tuple[Path, bool]]:
    """Where members came twice, at every level: the member's path and True, if its name is ``known``.

    Else the path of the last ``known`` one around it and False: unknown names may be personal.
    """
    if len(path) > _LEVELS:
        if _has_doubled(value):
            yield path, False
        return
    if isinstance(value, list):
        for index, item in enumerate(value):
            yield from doubled(item, known, (*path, index))
    if not isinstance(value, dict):
        return
    names = value.names if isinstance(value, _Doubled) else ()
    yield from (((*path, name), True) for name in names if name in known)
    if any(name not in known for name in names):
        yield path, False
    for name, item in value.items():
        if name in known:
            yield from doubled(item, known, (*path, name))
        elif _has_doubled(item):
            yield path, False


def _has_doubled(value: Any) -> bool:
    return any(isinstance(part, _Doubled) for part in _containers(value))


def _load(text: str, *, too_deep: bool) -> Parsed:
    found = False

    def members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        nonlocal found
        single = dict(pairs)
        if len(single) == len(pairs):
            return single
        found = True
        return _doubled(pairs)

    try:
        value = json.loads(
            text, parse_int=Number, parse_float=Number, parse_constant=_refuse, object_pairs_hook=members
        )
    except json.JSONDecodeError as error:
        raise NotJsonError(f"is not JSON at line {error.lineno}, column {error.colno}") from None
    return Parsed(value, found, too_deep)


def _doubled(pairs: list[tuple[str, Any]]) -> _Doubled:
    counts = Counter(name for name, _ in pairs)
    members = _Doubled((name, value) for name, value in pairs if counts[name] == 1)
    members.names = tuple(name for name, count in counts.items() if count > 1)
    return members


def _refuse(constant: str) -> NoReturn:
    raise NotJsonError(f"is not JSON: {constant} is no number")


def _without_the_deep(text: str) -> str:
    """What is nested too deeply becomes null, so that the sender can still be identified."""
    kept, depth = [], 0
    for match in _TOKEN.finditer(text):
        piece = match.group()
        if piece in "[{":
            depth += 1
            if depth == _LEVELS + 1:
                kept.append("null")
        if depth <= _LEVELS:
            kept.append(piece)
        if piece in "]}":
            depth -= 1
    return "".join(kept)


def _without_halves(parsed: Parsed) -> Parsed:
    """Replaces texts that cannot be encoded by ``Unspeakable``."""
    for container in _containers([parsed.value]):
        items = list(container.items()) if isinstance(container, dict) else list(enumerate(container))
        for key, item in items:
            if isinstance(item, str) and not _is_utf8(item):
                container[key] = Unspeakable()
    return parsed


def _containers(value: Any) -> Iterator[Any]:
    """Every object and list in a value, itself included; without recursion, for values of any depth."""
    pending = [value] if isinstance(value, (dict, list)) else []
    while pending:
        container = pending.pop()
        yield container
        parts = container.values() if isinstance(container, dict) else container
        pending.extend(part for part in parts if isinstance(part, (dict, list)))


def _is_utf8(text: str) -> bool:
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True
