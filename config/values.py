"""How single values are written, in the environment and in the integrations file alike.

Every ``ValueError`` says what is wrong without repeating the value, which may hold a secret.
"""

from __future__ import annotations

import re
from datetime import timedelta
from functools import lru_cache
from urllib.parse import SplitResult, urlsplit

from pydantic import TypeAdapter, ValidationError

_DURATION = TypeAdapter(timedelta)
_SHOWN = 60

#: Durations of so many whole days are read more easily in days.
_DAYS = 32


@lru_cache(maxsize=64)
def parse_duration(text: str) -> timedelta:
    """An ISO 8601 duration such as ``PT23H``; raises ``ValueError``."""
    if not text.startswith("P"):  # pydantic would take a bare number for seconds
        raise ValueError("is not an ISO 8601 duration")
    try:
        return _DURATION.validate_python(text)
    except ValidationError:
        raise ValueError("is not an ISO 8601 duration") from None


def format_duration(duration: timedelta) -> str:
    """ISO 8601 in hours, minutes and seconds: a day is ``PT24H``. A month and more are told in days."""
    if duration.days >= _DAYS and duration == timedelta(days=duration.days):
        return f"P{duration.days}D"
    minutes, seconds = divmod(duration.total_seconds(), 60)
    hours, minutes = divmod(int(minutes), 60)
    parts = ((hours, "H"), (minutes, "M"), (seconds, "S"))
    return "PT" + ("".join(f"{value:g}{unit}" for value, unit in parts if value) or "0S")


def split_url(text: str, schemes: tuple[str, ...]) -> SplitResult:
    """The parts of a URL that has one of the schemes and a host; raises ``ValueError``."""
    if re.search(r"[\x00-\x20\x7f]", text):
        raise ValueError("has a space or a control character")
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError:
        raise ValueError("is not a URL; / ? # @ : in a password are written as %2F %3F %23 %40 %3A") from None
    if parts.scheme not in schemes:
        raise ValueError(f"does not begin with {' or '.join(f'{scheme}://' for scheme in schemes)}")
    if not parts.hostname or port == 0:
        raise ValueError("has no host")
    return parts


def parse_http_url(text: str) -> str:
    """The address of a web service, without a slash at the end; raises ``ValueError``."""
    parts = split_url(text, ("http", "https"))
    if parts.username is not None:
        raise ValueError("holds a user name or a password")
    if parts.query or parts.fragment:
        raise ValueError("has a query or a fragment")
    return text.rstrip("/")


def shown(text: str) -> str:
    """A value that is no secret, as an error line shows it."""
    return repr(text if len(text) <= _SHOWN else text[:_SHOWN] + "…")
