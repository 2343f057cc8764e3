"""A line in plain words for each wrong setting."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from pydantic.fields import FieldInfo

from config.values import format_duration, shown

PREFIX = "FISCAL_"
#: Secrets, and addresses, into which people put passwords: no error line repeats them.
_NEVER_SHOWN = frozenset(
    {
        *("rabbitmq_url", "checkbox_url", "runbook_url", "archive_check_url", "integrations_url"),
        *("archive_check_token", "integrations_token", "console_token", "console_read_token"),
    }
)


def variable(field: str) -> str:
    """The name of the environment variable of a field."""
    return PREFIX + field.upper()


def allowed_by(field: FieldInfo) -> str:
    """What the variable of a field may hold, in words."""
    extra = field.json_schema_extra
    return str(extra["allowed"]) if isinstance(extra, dict) else ""


def line(error: Mapping[str, Any], allowed: str) -> str:
    """For an error of pydantic's; ``allowed`` says what the variable may hold."""
    field = str(error["loc"][0])
    if error["type"] == "value_error":
        return f"{variable(field)}: {error['ctx']['error']}; allowed is {allowed}"
    given = error["input"]
    text = format_duration(given) if isinstance(given, timedelta) else str(given)
    value = "the value" if field in _NEVER_SHOWN else shown(text)
    return f"{variable(field)}: {value} is not {allowed}"
