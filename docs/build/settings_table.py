"""The table of settings in the documents, made from the settings class."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from pydantic import SecretStr

from config.setting_lines import variable
from config.settings import Settings, allowed
from config.values import format_duration


def settings_table() -> str:
    """A Markdown table with a row for each variable."""
    rows = ["| variable | default | allowed | meaning |", "|---|---|---|---|"]
    for name, field in Settings.model_fields.items():
        default = _default(field.default)
        secret = " (secret)" if SecretStr.__name__ in str(field.annotation) else ""
        rows.append(f"| `{variable(name)}` | {default} | {allowed(name)} | {field.description}{secret} |")
    return "\n".join(rows) + "\n"


def _default(value: Any) -> str:
    if value is None:
        return "none"
    return f"`{_plain(value)}`"


def _plain(value: Any) -> str:
    if isinstance(value, SecretStr):
        return value.get_secret_value()
    if isinstance(value, timedelta):
        return format_duration(value)
    if isinstance(value, tuple):
        return ";".join(value)
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float):
        return f"{value:g}"
    return str(value)
