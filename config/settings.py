"""The settings of a process, read from the environment.

In falling order of precedence: ``FISCAL_*`` variables, a ``.env`` file in the working directory, and files
named like the variables in a secrets folder (``FISCAL_SECRETS_DIR``), for secrets mounted as files. An
empty variable counts as not set.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any, Literal

from dotenv import dotenv_values
from pydantic import Field, SecretStr, ValidationError, ValidationInfo, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict, SettingsError

from config.errors import ConfigurationError
from config.setting_types import (
    ORDER_UUID,
    ArchiveCheckUrl,
    BearerToken,
    Bindings,
    BrokerUrls,
    Duration,
    HttpUrl,
    LogLevel,
    QueueName,
)
from config.values import format_duration, shown

PREFIX = "FISCAL_"
#: Where the project is published.
RUNBOOK_URL = "https://bimpsoft.com/fiscal-worker/docs/runbook.md"
_TOKEN_RULE = "a token of visible ASCII characters"
_ENV_FILE = Path(".env")
_SECRETS_DIR = Path("/run/secrets")


def _setting(default: Any, allowed: str, meaning: str, **bounds: Any) -> Any:
    """A field; ``allowed`` ends the sentence "… is not", ``meaning`` is for the table of settings."""
    return Field(default=default, description=meaning, json_schema_extra={"allowed": allowed}, **bounds)


class Settings(BaseSettings):
    """All variables, validated. Use ``load``, which tells of wrong values in plain lines."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX,
        env_file=_ENV_FILE,
        env_file_encoding="utf-8",
        env_ignore_empty=True,
        extra="ignore",  # a .env file serves other programs too
        frozen=True,
        hide_input_in_errors=True,
    )

    rabbitmq_url: BrokerUrls = _setting(
        SecretStr("amqp://guest:guest@127.0.0.1:5672/%2F"),
        "amqp:// or amqps:// addresses with ';' between",
        "RabbitMQ; several addresses, `;` between, are tried in turn",
    )
    checkbox_url: HttpUrl = _setting(
        "https://api.checkbox.ua",
        "an http:// or https:// address without user name and query",
        "Checkbox; an integration may have its own",
    )
    integrations_file: Path = _setting(
        Path("config/integrations.yaml"),
        "the path of a file",
        "integrations, cashiers and tax rates; re-read when it changes",
    )
    metrics_port: int = _setting(
        9191,
        "an integer from 1 to 65535",
        "port of `/metrics`, `/healthz` (alive) and `/readyz` (consuming)",
        ge=1,
        le=65535,
    )
    processes: int = _setting(2, "an integer from 1 to 32", "worker processes", ge=1, le=32)
    threads: int = _setting(
        8,
        "an integer from 1 to 100",
        "orders of one integration that each process works on at once; it has twice as many threads",
        ge=1,
        le=100,
    )
    retry_max_age: Duration = _setting(
        timedelta(hours=24),
        "an ISO 8601 duration over PT0S, up to P30D",
        "how long a request is tried again, from the first time the worker saw it and anew from each replay;"
        " after that a transient failure becomes `CHECKBOX_UNAVAILABLE`",
        gt=timedelta(0),
        le=timedelta(days=30),
    )
    retry_min_backoff: Duration = _setting(
        timedelta(seconds=5),
        "an ISO 8601 duration over PT0S, up to PT10M",
        "wait before the first retry; it doubles with each, with jitter; `Retry-After` is honoured",
        gt=timedelta(0),
        le=timedelta(minutes=10),
    )
    # Waiting messages are held unacknowledged, and RabbitMQ closes the channel after 30 minutes of that.
    retry_max_backoff: Duration = _setting(
        timedelta(minutes=10),
        "an ISO 8601 duration from FISCAL_RETRY_MIN_BACKOFF to PT10M",
        "longest wait between two retries",
        gt=timedelta(0),
        le=timedelta(minutes=10),
    )
    return_wait: Duration = _setting(
        timedelta(seconds=10),
        "an ISO 8601 duration over PT0S, up to PT24H",
        "how long a return that overtakes its sale waits for it",
        gt=timedelta(0),
        le=timedelta(hours=24),
    )
    register_rate: float = _setting(
        2.0,
        "a number over 0, up to 100",
        "receipts a second that one register gets from the whole fleet",
        gt=0,
        le=100,
        allow_inf_nan=False,
    )
    queue: QueueName = _setting(
        "fiscalize",
        "1 to 200 of A-Z, a-z, 0-9, '_', '-' and '.', beginning with a letter or digit",
        "queue that is consumed; its companions are named after it",
    )
    bindings: Bindings = _setting(
        ("order.ready_to_fiscalize.#",),
        "routing patterns such as order.ready_to_fiscalize.# with ';' between",
        "bindings of the queue to `bimp.orders`; others that the queue has are removed at start",
    )
    dead_letter_limit: int = _setting(
        100,
        "an integer from 1 to 1000000",
        "dead letters of `INTERNAL_ERROR`, or of refused credentials of different cashiers, in a row, after"
        " which the worker stops consuming until `fiscal-worker resume` or for 10 minutes",
        ge=1,
        le=1_000_000,
    )
    queue_type: Literal["classic", "quorum"] = _setting("quorum", "classic or quorum", "type of the queues")
    archive_check_url: ArchiveCheckUrl | None = _setting(
        None,
        f"an http:// or https:// address with {ORDER_UUID} in it",
        "asked right before a sale whether the order is archived; `{orderUuid}` is replaced",
        repr=False,
    )
    archive_check_token: BearerToken | None = _setting(
        None, "a bearer token of visible ASCII characters", "sent to the archive check as a bearer token"
    )
    log_format: Literal["json", "console"] = _setting("json", "json or console", "`console` is for people")
    log_level: LogLevel = _setting(
        "INFO", "DEBUG, INFO, WARNING, ERROR or CRITICAL", "least level that is logged"
    )
    console_token: BearerToken | None = _setting(
        None, _TOKEN_RULE, "who signs in to the console with it may change things; by default one is printed"
    )
    console_read_token: BearerToken | None = _setting(
        None, f"{_TOKEN_RULE}, not FISCAL_CONSOLE_TOKEN", "who signs in to the console with it may only look"
    )
    console_trust_forwarded_user: bool = _setting(
        False, "true or false", "true: `X-Forwarded-User` of a proxy is the name in the console's audit log"
    )
    runbook_url: HttpUrl = _setting(
        RUNBOOK_URL,
        "an http:// or https:// address without user name and query",
        "the runbook that the console and the alerts link to; the alerts are built with it",
    )
    secrets_dir: Path = _setting(
        _SECRETS_DIR,
        "a folder that can be read",
        "folder with a file for each variable that is kept out of the environment, such as"
        " `FISCAL_RABBITMQ_URL`; the default may be missing",
    )

    @field_validator("retry_max_backoff")
    @classmethod
    def _not_under_the_least(cls, value: timedelta, info: ValidationInfo) -> timedelta:
        least = info.data.get("retry_min_backoff")
        if least is not None and value < least:
            raise ValueError(
                f"{format_duration(value)} is under FISCAL_RETRY_MIN_BACKOFF, {format_duration(least)}"
            )
        return value

    @field_validator("console_read_token")
    @classmethod
    def _not_the_other(cls, value: SecretStr | None, info: ValidationInfo) -> SecretStr | None:
        if value is not None and value == info.data.get("console_token"):
            raise ValueError("the value is FISCAL_CONSOLE_TOKEN")
        return value

    @property
    def rabbitmq_urls(self) -> tuple[str, ...]:
        """The broker's addresses in the order in which they are tried; they hold passwords."""
        return tuple(self.rabbitmq_url.get_secret_value().split(";"))


#: Secrets, and addresses, into which people put passwords: no error line repeats them.
_NEVER_SHOWN = frozenset(
    {
        *("rabbitmq_url", "checkbox_url", "runbook_url", "archive_check_url"),
        *("archive_check_token", "console_token", "console_read_token"),
    }
)


def load() -> Settings:
    """The settings of this process; raises ``ConfigurationError`` with a line for each wrong value."""
    folder, lines = _secrets_folder(environment())
    try:
        settings = Settings(_secrets_dir=folder)
    except ValidationError as error:
        raise ConfigurationError([*lines, *map(_line, error.errors(include_url=False))]) from None
    except SettingsError as error:
        cause = type(error.__cause__ or error).__name__
        raise ConfigurationError([*lines, f"{folder}: a file in it cannot be read: {cause}"]) from None
    if lines:
        raise ConfigurationError(lines)
    return settings


def environment() -> dict[str, str]:
    """The variables of the process, and under them those of ``.env``; raises ``ConfigurationError``."""
    try:
        from_file = dotenv_values(_ENV_FILE, encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError([f"{_ENV_FILE}: cannot be read: {type(error).__name__}"]) from None
    return {name: value for name, value in from_file.items() if value is not None} | dict(os.environ)


def variable(field: str) -> str:
    """The name of the environment variable of a field."""
    return PREFIX + field.upper()


def allowed(field: str) -> str:
    """What the variable of a field may hold, in words."""
    extra = Settings.model_fields[field].json_schema_extra
    return str(extra["allowed"]) if isinstance(extra, dict) else ""


def _secrets_folder(environ: Mapping[str, str]) -> tuple[Path | None, list[str]]:
    given = environ.get(variable("secrets_dir"))
    if not given:
        return (_SECRETS_DIR if _is_readable(_SECRETS_DIR) else None), []
    folder = Path(given)
    if _is_readable(folder):
        return folder, []
    return None, [f"{variable('secrets_dir')}: {shown(given)} is not {allowed('secrets_dir')}"]


def _is_readable(folder: Path) -> bool:
    return os.access(folder, os.R_OK | os.X_OK) and folder.is_dir()


def _line(error: Mapping[str, Any]) -> str:
    field = str(error["loc"][0])
    if error["type"] == "value_error":
        return f"{variable(field)}: {error['ctx']['error']}; allowed is {allowed(field)}"
    given = error["input"]
    text = format_duration(given) if isinstance(given, timedelta) else str(given)
    value = "the value" if field in _NEVER_SHOWN else shown(text)
    return f"{variable(field)}: {value} is not {allowed(field)}"
