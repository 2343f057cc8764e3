"""The filter options of the dead-letter commands."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Annotated

import typer

from config.values import parse_duration
from worker.rabbit.letters import Filter

_SHORT = re.compile(r"([0-9]{1,6})([smhd])")
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}


def moment(text: str, now: Callable[[], datetime]) -> datetime:
    """An instant by RFC 3339, or an age: ``2h``, ``30m``, ``1d``, ``PT2H``. Raises ``typer.BadParameter``."""
    try:
        if short := _SHORT.fullmatch(text):
            return now() - timedelta(**{_UNITS[short[2]]: int(short[1])})
        if text.startswith("P"):
            return now() - parse_duration(text)
        instant = datetime.fromisoformat(text.replace("z", "Z"))
    except (ValueError, OverflowError):
        raise typer.BadParameter(
            f"{text!r} is neither a time such as 2026-05-05T12:00:00Z nor an age such as 2h or PT2H"
        ) from None
    if instant.tzinfo is None:
        raise typer.BadParameter(f"{text!r} has no zone; end it in Z or in an offset such as +03:00")
    return instant


def _parsed(text: str) -> datetime:
    return moment(text, lambda: datetime.now(UTC))


Codes = Annotated[
    list[str], typer.Option("--code", metavar="CODE", help="This code; may come several times.")
]
Integrations = Annotated[
    list[str], typer.Option("--integration", metavar="ID", help="This integration; may come several times.")
]
Cashiers = Annotated[
    list[str], typer.Option("--cashier", metavar="ID", help="This cashier; may come several times.")
]
Order = Annotated[
    str | None, typer.Option("--order", metavar="ORDER", help="This order, by its uuid or docNumber.")
]
Since = Annotated[
    datetime | None,
    typer.Option(parser=_parsed, metavar="TIME", help="Failed then or later: RFC 3339, or an age: 2h, PT2H."),
]
Until = Annotated[
    datetime | None,
    typer.Option(parser=_parsed, metavar="TIME", help="Failed then or before; as --since."),
]


def chosen(
    codes: list[str],
    integrations: list[str],
    cashiers: list[str],
    order: str | None,
    since: datetime | None,
    until: datetime | None,
) -> Filter:
    """The filter of these options."""
    upper = frozenset(code.upper() for code in codes)
    return Filter(upper, frozenset(integrations), frozenset(cashiers), order, since, until)
