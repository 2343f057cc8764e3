"""What is wrong with a message, in words for the person who fixes it. Nothing personal is repeated."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from worker.fiscal.order import Operation, PaymentForm
from worker.fiscal.privacy import scrub
from worker.rabbit.message.json_body import Number, Path, doubled
from worker.rabbit.message.models import MEMBERS, WireLine, WireModel, WirePayment

#: A place as a JSON pointer and what is wrong there: ``path`` and ``problem``.
Problem = dict[str, str]

#: Characters of a value that are repeated; and those that are looked through: a phone that begins among the
#: first ends among these.
_SHOWN, _SCRUBBED = 40, 200
#: Members that are codes, numbers, ids or times. What stands in any other may be a person's.
_QUOTED = frozenset(
    (
        *("specversion", "type", "source", "id", "subject", "time", "integration", "cashier", "uuid"),
        *("paymentUuid", "orderUuid", "receiptId", "relationId", "nomenclatureUuid", "docNumber", "date"),
        *("currency", "code", "barcode", "uktzed", "exciseBarcodes", "eExciseBarcodes", "percentRate"),
        *("count", "cost", "discount", "amount", "total"),
    )
)
#: One of them has a digit: without one it may be a name that stands in the wrong place.
_QUOTABLE = re.compile(r"[a-z.,:/+_-]*[0-9][\w.,:/+-]*", re.ASCII | re.IGNORECASE)
#: Words of fixed lists, and those that are written for true and false; nobody is named so.
_WORDS = frozenset(
    ("true", "false", "yes", "no", *(word.casefold() for kind in (Operation, PaymentForm) for word in kind))
)
_KINDS = ((Number, "a number"), (list, "a list"), (dict, "an object"))
MISSING = "is missing"
#: The problem itself says what is there.
_TOLD = frozenset({"missing", "string_too_short", "too_short"})
_PROBLEMS = {
    "missing": MISSING,
    "string_type": "must be a string",
    "string_too_short": "must not be empty",
    "string_too_long": "must have at most {max_length} characters",
    "string_pattern_mismatch": "must match {pattern}",
    "bool_type": "must be true or false",
    "literal_error": "must be {expected}",
    "list_type": "must be a list",
    "too_short": "must have at least one item",
    "model_type": "must be an object",
}
_LISTS: Mapping[Path, type[WireModel]] = {
    ("data", "order", "products"): WireLine,
    ("data", "payments"): WirePayment,
}


def problem_at(path: Path, problem: str) -> Problem:
    """An error; the path as a JSON pointer."""
    return {"path": pointer(path), "problem": problem}


def pointer(path: Path) -> str:
    """A JSON pointer (RFC 6901)."""
    steps = (str(step).replace("~", "~0").replace("/", "~1") for step in path)
    return "".join(f"/{step}" for step in steps)


def repeated_members(value: Any) -> list[Problem]:
    """The members that came twice."""
    return [
        problem_at(
            path, "comes twice" if named else "has a member, unknown to the contract, that comes twice"
        )
        for path, named in dict.fromkeys(doubled(value, MEMBERS))
    ]


def problems_of(error: ValidationError, value: Any) -> Iterator[Problem]:
    """The errors of the whole, then those of its lists past their first bad item."""
    found = error.errors(include_url=False)
    yield from map(_problem_from, found)
    for path, model in _LISTS.items():
        size = len(path)
        bad = [loc[size] for loc in (detail["loc"] for detail in found) if loc[:size] == path != loc]
        if bad:
            yield from _item_problems(path, model, _at(value, path), int(bad[0]) + 1)


def _item_problems(path: Path, model: type[WireModel], items: Sequence[Any], start: int) -> Iterator[Problem]:
    for index in range(start, len(items)):
        try:
            model.model_validate(items[index])
        except ValidationError as error:
            yield from (_problem_from(detail, (*path, index)) for detail in error.errors(include_url=False))


def _at(value: Any, path: Path) -> Any:
    for step in path:
        value = value[step]
    return value


def _problem_from(detail: ErrorDetails, root: Path = ()) -> Problem:
    path = (*root, *detail["loc"])
    return problem_at(path, _problem(detail) + _shown(detail, path))


def _problem(detail: ErrorDetails) -> str:
    if detail["type"] == "contract":
        return detail["msg"]
    return _PROBLEMS.get(detail["type"], "is wrong").format_map(detail.get("ctx", {}))


def _shown(detail: ErrorDetails, path: Path) -> str:
    """The value, where it is a code, a number or an id; of any other its kind."""
    value = detail["input"]
    if detail["type"] in _TOLD:
        return ""
    if value is None or isinstance(value, bool) or _is_quotable(value, path):
        text = value.text if isinstance(value, Number) else json.dumps(value)
        return f", is {scrub(text[:_SCRUBBED])[:_SHOWN]}"
    kind = _kind(value)
    return f"; it is {kind}" if kind else ""


def _is_quotable(value: Any, path: Path) -> bool:
    member = next((step for step in reversed(path) if isinstance(step, str)), "")
    if isinstance(value, str):
        is_code = member in _QUOTED and _QUOTABLE.fullmatch(value)
        return bool(is_code) or value.casefold() in _WORDS
    return isinstance(value, Number) and member in _QUOTED


def _kind(value: Any) -> str | None:
    if isinstance(value, str):
        return f"a text of {len(value)} characters" if len(value) != 1 else "a text of 1 character"
    return next((name for kind, name in _KINDS if isinstance(value, kind)), None)
