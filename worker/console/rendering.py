"""Templates in a language: texts, times in Kyiv, and sums as they are written there."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import date, datetime, timedelta
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape

from worker.console.language import NAMES
from worker.fiscal import languages

KYIV = ZoneInfo("Europe/Kyiv")
_HERE = Path(__file__).parent
_COMMAND = re.compile(r"`([^`]*)`")
#: Thin and not broken, between thousands.
_GAP = "\N{NARROW NO-BREAK SPACE}"


class Members(dict[str, Any]):
    """Those of a JSON object; one that was left out is None."""

    def __missing__(self, _: str) -> None:
        return None


@cache
def _environment(language: str) -> Environment:
    environment = Environment(
        loader=PackageLoader("worker.console"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        extensions=["jinja2.ext.i18n"],
    )
    catalogue = languages.translations(_HERE / "locale", "console", language)
    environment.install_gettext_translations(catalogue, newstyle=True)  # type: ignore[attr-defined]
    filters: dict[str, Callable[..., Any]] = {
        "moment": lambda instant: moment(instant, language),
        "instant": instant,
        "hours": lambda passed: hours(passed, language),
        "day": lambda one: day(one, language),
        "hryvnias": lambda amount: hryvnias(amount, language),
        "kopiykas": lambda amount: hryvnias(Decimal(amount) / 100, language),
        "commands": commands,
        "of_code": lambda text: languages.translated(text, language),
    }
    environment.filters |= filters
    environment.globals |= {"language": language, "languages": NAMES}
    return environment


def render(template: str, language: str, values: Mapping[str, Any]) -> str:
    """A page; whatever is not markup of a template is escaped."""
    return _environment(language).get_template(template).render(values)


def worded(text: str, language: str, **values: object) -> str:
    """A text of this room that is marked by ``N_``."""
    return languages.translations(_HERE / "locale", "console", language).gettext(text) % values


def instant(text: str | None) -> datetime | None:
    """A time by RFC 3339; None where a letter from elsewhere has another word there."""
    try:
        return datetime.fromisoformat(text or "").astimezone(KYIV)
    except (ValueError, OverflowError):
        return None


def moment(instant: datetime | None, language: str) -> str:
    """A time in Kyiv, to the minute."""
    if instant is None:
        return "–"
    local = instant.astimezone(KYIV)
    return f"{day(local, language)}\N{NO-BREAK SPACE}{local:%H:%M}"


def day(one: date, language: str) -> str:
    """A date."""
    return one.strftime("%Y-%m-%d" if language == languages.SOURCE else "%d.%m.%Y")


def hours(passed: timedelta, language: str) -> str:
    """A time that has passed, to six minutes."""
    text = f"{passed.total_seconds() / 3600:.1f}"
    return text if language == languages.SOURCE else text.replace(".", ",")


def hryvnias(amount: Decimal | str | None, language: str) -> str:
    """A sum of money; a text is in plain notation."""
    if amount is None:
        return "–"
    text = f"{Decimal(amount):,.2f}"
    if language != languages.SOURCE:
        text = text.replace(",", _GAP).replace(".", ",")
    return f"{text}\N{NO-BREAK SPACE}\N{HRYVNIA SIGN}"


def commands(text: str) -> Markup:
    """Text in which commands stand between backquotes; no line ends within a word of theirs."""

    def marked(found: re.Match[str]) -> str:
        return "<code>" + " ".join(f"<span>{word}</span>" for word in found[1].split()) + "</code>"

    return Markup(_COMMAND.sub(marked, str(escape(text))))  # noqa: S704 - escaped before
