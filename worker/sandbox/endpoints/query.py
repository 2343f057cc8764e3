"""Parsing of query and path parameters; an invalid one is a 422."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import TypeVar, overload

from worker.sandbox.clock import parse_iso
from worker.sandbox.exchange import Call
from worker.sandbox.refusals import Refusal, invalid
from worker.sandbox.validation import is_uuid

_Item = TypeVar("_Item")


def one(call: Call, name: str) -> str | None:
    values = call.query.get(name)
    return values[-1] if values else None


@overload
def flag(call: Call, name: str, *, default: bool) -> bool: ...
@overload
def flag(call: Call, name: str, *, default: None) -> bool | None: ...
def flag(call: Call, name: str, *, default: bool | None) -> bool | None:
    text = one(call, name)
    if text is None:
        return default
    if text.lower() not in ("true", "false", "1", "0"):
        raise _wrong("query", name, "Значення має бути логічним", "type_error.bool")
    return text.lower() in ("true", "1")


def number(call: Call, name: str, default: int, *, low: int, high: int) -> int:
    text = one(call, name)
    if text is None:
        return default
    try:
        value = int(text)
    except ValueError:
        raise _wrong("query", name, "Значення має бути цілим числом", "type_error.integer") from None
    if not low <= value <= high:
        raise _wrong("query", name, f"Значення має бути від {low} до {high}", "value_error.number")
    return value


def moment(call: Call, name: str) -> float | None:
    """Seconds since the epoch. The plus of a zone may arrive as a space."""
    text = one(call, name)
    if text is None:
        return None
    try:
        return parse_iso(text.replace(" ", "+") if "T" in text else text)
    except ValueError:
        raise _wrong("query", name, "Невірний формат дати і часу", "value_error.datetime") from None


def choices(call: Call, name: str, allowed: Collection[str]) -> list[str] | None:
    """All values of a repeatable parameter; None if absent."""
    values = call.query.get(name)
    if values is not None and not set(values) <= set(allowed):
        raise _wrong("query", name, f"Значення має бути одним із: {', '.join(allowed)}", "type_error.enum")
    return values


def ids(call: Call, name: str) -> list[str] | None:
    values = call.query.get(name)
    if values is None:
        return None
    if not all(map(is_uuid, values)):
        raise _wrong("query", name, "Значення має бути UUID", "type_error.uuid")
    return [value.lower() for value in values]


def required_moment(call: Call, name: str) -> float:
    found = moment(call, name)
    if found is None:
        raise _wrong("query", name, "Обов'язкове поле не заповнено", "value_error.missing")
    return found


def path_id(call: Call, name: str) -> str:
    value = call.path[name]
    if not is_uuid(value):
        raise _wrong("path", name, "Значення має бути UUID", "type_error.uuid")
    return value.lower()


def page(call: Call, found: Sequence[_Item], most: int) -> tuple[Sequence[_Item], int, int]:
    """What ``limit`` (25 by default), ``offset`` and ``desc`` select, with limit and offset.

    Pages may be shorter than requested; the limit shows it.
    """
    limit = number(call, "limit", 25, low=1, high=most)
    if call.state.options.page_limit is not None:
        limit = min(limit, call.state.options.page_limit)
    offset = number(call, "offset", 0, low=0, high=10**9)
    ordered = found[::-1] if flag(call, "desc", default=False) else found
    return ordered[offset : offset + limit], limit, offset


def _wrong(where: str, name: str, message: str, kind: str) -> Refusal:
    return invalid([{"loc": [where, name], "msg": message, "type": kind}])
