"""A small table-driven validator with Checkbox's 422 envelope.

By hand and not pydantic: it is on the path of each request, and the texts are Ukrainian. A rule is a
function that takes a value and its place, and appends what is wrong; ``None`` passes only where a rule is
``nullable``.
Types of errors are those of pydantic 1; of the texts only two were seen live (missing, too few items).
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from worker.sandbox.clock import parse_iso
from worker.sandbox.refusals import invalid

Place = tuple[str | int, ...]
Errors = list[dict[str, Any]]
Rule = Callable[[Any, Place, Errors], None]

_EMAIL = re.compile(r"[^@\s]+@[^@\s][^@\s.]*\.[^@\s]+")


@dataclass(frozen=True, slots=True)
class Required:
    """Marks a required member of an object."""

    rule: Rule


def parse(raw: bytes, rule: Rule, *, required: bool = True) -> Any:
    """The body of a request; raises ``Refusal`` (422)."""
    if not raw and not required:
        return {}
    try:
        body = json.loads(raw, parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        raise invalid([_wrong(("body",), str(error), "value_error.jsondecode")]) from None
    if body is None and not required:
        return {}
    errors: Errors = []
    rule(body, ("body",), errors)
    if errors:
        raise invalid(errors)
    return body


def members(table: Mapping[str, Rule | Required]) -> Rule:
    """An object; unknown members are ignored."""
    required = tuple(name for name, rule in table.items() if isinstance(rule, Required))
    rules = {name: rule.rule if isinstance(rule, Required) else rule for name, rule in table.items()}

    def check(value: Any, place: Place, errors: Errors) -> None:
        if not isinstance(value, dict):
            errors.append(_wrong(place, "Значення має бути об'єктом", "type_error.dict"))
            return
        for name in required:
            if name not in value:
                errors.append(_wrong((*place, name), "Обов'язкове поле не заповнено", "value_error.missing"))
        for name, item in value.items():
            rule = rules.get(name)
            if rule is not None:
                rule(item, (*place, name), errors)

    return check


def nullable(rule: Rule) -> Rule:
    def check(value: Any, place: Place, errors: Errors) -> None:
        if value is not None:
            rule(value, place, errors)

    return check


def either(choose: Callable[[Any], Rule | None]) -> Rule:
    """The rule depends on the value; None marks the value as invalid."""

    def check(value: Any, place: Place, errors: Errors) -> None:
        rule = choose(value)
        if rule is None:
            errors.append(_wrong(place, "Недопустиме значення", "value_error"))
            return
        rule(value, place, errors)

    return check


def integer(*, above: int | None = None, below: int | None = None) -> Rule:
    """``above`` and ``below`` are exclusive."""

    def check(value: Any, place: Place, errors: Errors) -> None:
        if not _is_integer(value):
            errors.append(_wrong(place, "Значення має бути цілим числом", "type_error.integer"))
        elif above is not None and value <= above:
            message = f"Переконайтеся, що це значення більше ніж {above}"
            errors.append(_wrong(place, message, "value_error.number.not_gt", limit_value=above))
        elif below is not None and value >= below:
            message = f"Переконайтеся, що це значення менше ніж {below}"
            errors.append(_wrong(place, message, "value_error.number.not_lt", limit_value=below))

    return check


def number(*, at_least: int) -> Rule:
    def check(value: Any, place: Place, errors: Errors) -> None:
        if isinstance(value, bool) or not isinstance(value, int | float):
            errors.append(_wrong(place, "Значення має бути числом", "type_error.float"))
        elif not value >= at_least:
            message = f"Переконайтеся, що це значення більше або дорівнює {at_least}"
            errors.append(_wrong(place, message, "value_error.number.not_ge", limit_value=at_least))

    return check


def text(
    *, shortest: int = 0, longest: int | None = None, pattern: str | None = None, name: str = "string"
) -> Rule:
    compiled = re.compile(pattern) if pattern else None

    def check(value: Any, place: Place, errors: Errors) -> None:
        if not isinstance(value, str):
            errors.append(_wrong(place, "Значення має бути рядком", "type_error.str"))
        elif len(value) < shortest:
            message = f"Переконайтеся, що це значення містить принаймні {shortest} символів"
            errors.append(_wrong(place, message, "value_error.any_str.min_length", limit_value=shortest))
        elif longest is not None and len(value) > longest:
            message = f"Переконайтеся, що це значення містить не більше {longest} символів"
            errors.append(_wrong(place, message, "value_error.any_str.max_length", limit_value=longest))
        elif compiled is not None and not compiled.search(value):
            errors.append(_wrong(place, "Значення має недопустимий формат", f"value_error.{name}"))

    return check


def boolean(value: Any, place: Place, errors: Errors) -> None:
    if not isinstance(value, bool):
        errors.append(_wrong(place, "Значення має бути логічним", "type_error.bool"))


def anything(value: Any, place: Place, errors: Errors) -> None:
    """Accepts everything."""


def uuid(value: Any, place: Place, errors: Errors) -> None:
    if not is_uuid(value):
        errors.append(_wrong(place, "Значення має бути UUID", "type_error.uuid"))


def moment(value: Any, place: Place, errors: Errors) -> None:
    try:
        parse_iso(value)
    except (TypeError, ValueError):
        errors.append(_wrong(place, "Невірний формат дати і часу", "value_error.datetime"))


def email(value: Any, place: Place, errors: Errors) -> None:
    if not isinstance(value, str) or not _EMAIL.fullmatch(value):
        errors.append(_wrong(place, "Невірна адреса електронної пошти", "value_error.email"))


def one_of(*choices: str) -> Rule:
    def check(value: Any, place: Place, errors: Errors) -> None:
        if value not in choices:
            message = f"Значення має бути одним із: {', '.join(choices)}"
            errors.append(_wrong(place, message, "type_error.enum"))

    return check


def items(rule: Rule, *, fewest: int = 0, most: int | None = None, unique: bool = False) -> Rule:
    def check(value: Any, place: Place, errors: Errors) -> None:
        if not isinstance(value, list):
            errors.append(_wrong(place, "Значення має бути списком", "type_error.list"))
            return
        if len(value) < fewest:
            message = f"Переконайтеся, що це значення містить принаймні {fewest} елементів"
            errors.append(_wrong(place, message, "value_error.list.min_items", limit_value=fewest))
        if most is not None and len(value) > most:
            message = f"Переконайтеся, що це значення містить не більше {most} елементів"
            errors.append(_wrong(place, message, "value_error.list.max_items", limit_value=most))
        if unique and len({json.dumps(item) for item in value}) < len(value):
            errors.append(_wrong(place, "Список має повторення", "value_error.list.unique_items"))
        for index, item in enumerate(value):
            rule(item, (*place, index), errors)

    return check


def same_type_items(kinds: Sequence[type], *, most: int | None = None) -> Rule:
    """A list of integers or a list of strings, never a mixture."""
    listed = items(anything, most=most)

    def check(value: Any, place: Place, errors: Errors) -> None:
        listed(value, place, errors)
        if isinstance(value, list) and not any(all(type(item) is kind for item in value) for kind in kinds):
            errors.append(_wrong(place, "Значення має бути списком одного типу", "type_error"))

    return check


def is_uuid(value: Any) -> bool:
    if not isinstance(value, str) or len(value) != 36:
        return False
    try:
        return str(UUID(value)) == value.lower()
    except ValueError:
        return False


def _no_constant(name: str) -> None:
    """NaN and infinities are not JSON."""
    raise ValueError(f"{name} is not JSON")


def _is_integer(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _wrong(place: Place, message: str, kind: str, **context: Any) -> dict[str, Any]:
    error: dict[str, Any] = {"loc": list(place), "msg": message, "type": kind}
    if context:
        error["ctx"] = context
    return error
