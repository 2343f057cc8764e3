"""The line about a setting that cannot be used."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from config.values import format_duration, shown

#: Not secrets by themselves, but people put passwords into addresses: no error line repeats them.
_NEVER_SHOWN = frozenset(
    {
        *("rabbitmq_url", "checkbox_url", "runbook_url", "journal_url"),
        *("archive_check_url", "archive_check_token", "integrations_url", "integrations_token"),
    }
)


def wrong_value(error: Mapping[str, Any], field: str, variable: str, allowed: str) -> str:
    """What pydantic says of a field, in plain words."""
    if error["type"] == "value_error":
        return f"{variable}: {error['ctx']['error']}; allowed is {allowed}"
    given = error["input"]
    text = format_duration(given) if isinstance(given, timedelta) else str(given)
    value = "the value" if field in _NEVER_SHOWN else shown(text)
    return f"{variable}: {value} is not {allowed}"
