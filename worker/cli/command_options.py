"""The filter options of the dead-letter commands."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from functools import wraps
from typing import Annotated, Any

import typer

from config.values import parse_duration
from worker.operators.dead_letters.filter import Filter

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


def kyiv_day(text: str) -> date:
    """A day as ``--day`` takes it. Raises ``typer.BadParameter``."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise typer.BadParameter(f"{text!r} is no day such as 2026-11-26") from None


def _parsed(text: str) -> datetime:
    return moment(text, lambda: datetime.now(UTC))


Codes = Annotated[list[str], typer.Option("--code", metavar="CODE", help="Only this code; may be repeated.")]
Integrations = Annotated[
    list[str], typer.Option("--integration", metavar="ID", help="Only this integration; may be repeated.")
]
Day = Annotated[
    date | None,
    typer.Option(
        "--day", parser=kyiv_day, metavar="YYYY-MM-DD", help="The day in Kyiv; today where it is left out."
    ),
]
Cashiers = Annotated[
    list[str], typer.Option("--cashier", metavar="ID", help="Only this cashier; may be repeated.")
]
Order = Annotated[
    str | None, typer.Option("--order", metavar="ORDER", help="Only this order, by its uuid or docNumber.")
]
Requests = Annotated[
    list[str], typer.Option("--request", metavar="ID", help="Only this request of Bimp; may be repeated.")
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
    code: Codes = [],  # noqa: B006 - typer copies it
    integration: Integrations = [],  # noqa: B006
    cashier: Cashiers = [],  # noqa: B006
    order: Order = None,
    request: Requests = [],  # noqa: B006
    since: Since = None,
    until: Until = None,
) -> Filter:
    """The filter of these options."""
    upper = frozenset(one.upper() for one in code)
    return Filter(
        codes=upper,
        integrations=frozenset(integration),
        cashiers=frozenset(cashier),
        order=order,
        requests=frozenset(request),
        since=since,
        until=until,
    )


def filtered(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command all filter options. Its first parameter gets what they choose."""
    options = inspect.signature(chosen, eval_str=True).parameters
    _, *others = inspect.signature(command, eval_str=True).parameters.values()

    @wraps(command)
    def run(**given: Any) -> None:
        wanted = chosen(**{name: given.pop(name) for name in options})
        command(wanted, **given)

    # typer reads the options from here.
    run.__signature__ = inspect.Signature([*options.values(), *others])  # type: ignore[attr-defined]
    return run
