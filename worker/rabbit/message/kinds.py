"""The kinds of values in a message: what each accepts, and what each becomes.

Money becomes kopiykas, a quantity thousandths, a price hundredths of a kopiyka: integers from here on.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime
from functools import partial
from typing import Annotated, Any
from uuid import UUID
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, PlainValidator, StringConstraints, WithJsonSchema
from pydantic_core import PydanticCustomError

from worker.fiscal.kyiv import KYIV
from worker.rabbit.message.json_body import Number

#: Neither all zeros nor all f: software writes these where it has no identity.
UUID_PATTERN = (
    r"^(?!(?:0|-)+$)(?!(?:[fF]|-)+$)"
    r"[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}$"
)
ID_PATTERN = r"^[a-z0-9_-]{1,64}$"

#: Digits before the point of any decimal: sums are under 1,000,000,000.
_WHOLE_DIGITS = 9
#: Zeros have one way to be read, so that a text of many is not tried in as many ways.
_DECIMAL = re.compile(r"(-?)(?=[0-9])0*((?:[1-9][0-9]*)?)(?:\.([0-9]+))?")
_UUID = re.compile(UUID_PATTERN)
_CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f]")
#: Something beside spaces and control characters.
_NOT_BLANK = r"[^\s\x00-\x1f\x7f-\x9f]"
_MOMENT = re.compile(
    r"([0-9]{4}-[0-9]{2}-[0-9]{2})[Tt]([0-9]{2}:[0-9]{2}):([0-9]{2})(?:\.([0-9]+))?"
    r"([Zz]|[+-][0-9]{2}:[0-9]{2})?"
)


def _wrong(problem: str) -> PydanticCustomError:
    return PydanticCustomError("contract", problem)


def _pattern(places: int) -> str:
    """Plain notation, under 1,000,000,000; zeros at the end do not count as places, and -0 is 0."""
    return rf"(?:-(?=[0.]+$))?0*([0-9]{{1,9}})(?:\.([0-9]{{1,{places}}})0*)?"


def _decimal(places: int, *, positive: bool = False, highest: int | None = None) -> Any:
    """A type of decimals that become integers, times ten to the power of ``places``."""
    pattern = _pattern(places)
    accepted = re.compile(pattern)
    lowest = 1 if positive else 0
    limit = 10 ** (9 + places) if highest is None else highest * 10**places

    def scaled(value: Any) -> int:
        text = value if type(value) is str else value.plain() if type(value) is Number else None
        match = accepted.fullmatch(text) if text else None
        if match is None:
            raise _wrong(_why_not(text, places))
        whole, fraction = match.groups("")
        number = int(whole + fraction.ljust(places, "0"))
        if number < lowest:
            raise _wrong("must be greater than 0")
        if number > limit:
            raise _wrong(f"must be at most {highest}")
        return number

    bounds: dict[str, int] = {"exclusiveMinimum" if positive else "minimum": 0}
    bounds |= {"exclusiveMaximum": 1_000_000_000} if highest is None else {"maximum": highest}
    schema = {
        "description": f"At most {places} places; zeros at the end do not count.",
        "anyOf": [
            {"type": "number", **bounds},
            {"type": "string", "pattern": rf"^{'(?=.*[1-9])' if positive else ''}{pattern}$"},
        ],
    }
    return Annotated[int, PlainValidator(scaled), WithJsonSchema(schema)]


def _why_not(text: str | None, places: int) -> str:
    match = _DECIMAL.fullmatch(text) if text else None
    if match is None:
        return "must be a decimal: a number, or a string like 12.50"
    sign, whole, fraction = match.groups("")
    if sign and (whole or fraction.strip("0")):
        return "must not be negative"
    if len(whole) > _WHOLE_DIGITS:
        return "must be under 1,000,000,000"
    return f"must have at most {places} places after the point"


def _uuid(value: Any) -> UUID:
    if not isinstance(value, str) or not _UUID.fullmatch(value):
        raise _wrong("must be a UUID: 8-4-4-4-12 hexadecimal digits, neither all zeros nor all f")
    return UUID(value)


def _moment(value: Any, zone: ZoneInfo | None) -> datetime:
    """RFC 3339. Without a zone it is in ``zone``; where that is None, a zone is needed."""
    match = _MOMENT.fullmatch(value) if isinstance(value, str) else None
    if match is None or (zone is None and not match[5]):
        raise _wrong("must be a date and time by RFC 3339" + ("" if zone else ", with its zone"))
    day, minute, second, fraction, offset = match.groups()
    # RFC 3339 has a 61st second, which Python lacks.
    second = "59" if second == "60" else second
    text = f"{day}T{minute}:{second}.{(fraction or '')[:6]:0<6}{(offset or '').upper()}"
    try:
        moment = datetime.fromisoformat(text)
        moment = moment if moment.tzinfo else moment.replace(tzinfo=zone)
        moment.astimezone(KYIV)
    except (ValueError, OverflowError):  # at the ends of the calendar another zone has no such day
        raise _wrong("must be a date and time that exists") from None
    return moment


def _plain(validate: Callable[..., Any], schema: dict[str, Any]) -> tuple[PlainValidator, WithJsonSchema]:
    return PlainValidator(validate), WithJsonSchema(schema)


def printable(text: str) -> str:
    """Control characters may steer a printer: each becomes a space."""
    return text if text.isprintable() else _CONTROLS.sub(" ", text)


def _not_blank(text: str) -> str:
    if text.isspace():
        raise _wrong("must not be blank")
    return text


def _text(longest: int | None = None, shortest: int | None = None) -> tuple[Any, ...]:
    return StringConstraints(min_length=shortest, max_length=longest), AfterValidator(printable)


def _shown_text(longest: int | None = None) -> tuple[Any, ...]:
    """A text that a receipt or a person needs to see."""
    pattern = WithJsonSchema(_text_schema(longest))
    return *_text(longest, shortest=1), AfterValidator(_not_blank), pattern


def _text_schema(longest: int | None) -> dict[str, Any]:
    limit = {} if longest is None else {"maxLength": longest}
    return {"type": "string", "minLength": 1, **limit, "pattern": _NOT_BLANK}


Money = _decimal(2)
PositiveMoney = _decimal(2, positive=True)
Price = _decimal(4)
Quantity = _decimal(3, positive=True)
Percent = _decimal(2, highest=100)

Uuid = Annotated[UUID, *_plain(_uuid, {"type": "string", "format": "uuid", "pattern": UUID_PATTERN})]
KyivMoment = Annotated[
    datetime,
    *_plain(
        partial(_moment, zone=KYIV),
        {
            "type": "string",
            "description": "RFC 3339; without a zone it is Europe/Kyiv.",
            "pattern": f"^{_MOMENT.pattern}$",
        },
    ),
]
Moment = Annotated[datetime, *_plain(partial(_moment, zone=None), {"type": "string", "format": "date-time"})]

Id = Annotated[str, StringConstraints(pattern=ID_PATTERN)]
Text = Annotated[str, *_text()]
Text64 = Annotated[str, *_text(64)]
Text256 = Annotated[str, *_text(256)]
Label = Annotated[str, *_text(128, shortest=1)]
DocNumber = Annotated[str, *_shown_text(64)]
ProductCode = Annotated[str, *_shown_text(256)]
ProductName = Annotated[str, *_shown_text()]
CardMask = Annotated[str, *_text(19)]
RelationId = Annotated[str, StringConstraints(min_length=1, max_length=256)]
RequestId = Annotated[str, StringConstraints(min_length=1, max_length=128)]
Source = Annotated[str, StringConstraints(pattern=r"^/companies/.+$")]
