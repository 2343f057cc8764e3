"""The settings of a process, read from the environment.

In falling order of precedence: ``FISCAL_*`` variables, a ``.env`` file in the working directory, and files
named like the variables in a secrets folder (``FISCAL_SECRETS_DIR``), for secrets mounted as files. An
empty variable counts as not set.
"""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, SecretStr, ValidationError, ValidationInfo, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict, SettingsError

from config.environment import ENV_FILE, SECRETS_DIR, environment, secrets_folder
from config.errors import ConfigurationError
from config.setting_lines import PREFIX, allowed_by, line, variable
from config.setting_types import (
    ORDER_UUID,
    ArchiveCheckUrl,
    BearerToken,
    Bindings,
    BrokerUrls,
    Duration,
    HttpUrl,
    IntegrationsUrl,
    JournalUrl,
    LogLevel,
    QueueName,
)
from config.values import format_duration, shown

#: Where the project is published.
RUNBOOK_URL = "https://bimpsoft.com/fiscal-worker/docs/runbook.md"


def _setting(default: Any, allowed: str, meaning: str, **bounds: Any) -> Any:
    """A field; ``allowed`` ends the sentence "… is not", ``meaning`` is for the table of settings."""
    return Field(default=default, description=meaning, json_schema_extra={"allowed": allowed}, **bounds)


class Settings(BaseSettings):
    """All variables, validated. Use ``load``, which tells of wrong values in plain lines."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX,
        env_file=ENV_FILE,
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
        "the path of a file or folder",
        "integrations, cashiers and tax rates: a file, or a folder whose `*.yaml` are read together; re-read"
        " when something changes",
    )
    integrations_url: IntegrationsUrl | None = _setting(
        None,
        "an https:// address, or an http:// address of this machine",
        "instead of the file: an address of Bimp's that gives the same document as JSON or YAML",
        repr=False,
    )
    integrations_token: BearerToken | None = _setting(
        None, "a bearer token of visible ASCII characters", "sent to that address as a bearer token"
    )
    integrations_poll: Duration = _setting(
        timedelta(seconds=30),
        "an ISO 8601 duration over PT0S, up to PT24H",
        "how often that address is asked",
        gt=timedelta(0),
        le=timedelta(hours=24),
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
        "orders that each process works on at once; as many more while some of those take long",
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
    journal_url: JournalUrl | None = _setting(
        None, "sqlite:////folder/file or a postgresql:// address", "database of the journal"
    )
    journal_keep: Duration = _setting(
        timedelta(days=1095), "an ISO 8601 duration over PT0S", "how long it keeps an order", gt=timedelta(0)
    )
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
        None,
        "a token of visible ASCII characters",
        "who signs in to the console with it may change things; by default one is made and printed",
    )
    console_read_token: BearerToken | None = _setting(
        None,
        "a token of visible ASCII characters, not FISCAL_CONSOLE_TOKEN",
        "who signs in to the console with it may only look",
    )
    console_trust_forwarded_user: bool = _setting(
        False, "true or false", "true: `X-Forwarded-User` of a proxy is the name in the console's audit log"
    )
    runbook_url: HttpUrl = _setting(
        RUNBOOK_URL,
        "an http:// or https:// address without user name and query",
        "the runbook that the console links to, and in Kubernetes the alerts; other languages lie beside it",
    )
    secrets_dir: Path = _setting(
        SECRETS_DIR,
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


def load() -> Settings:
    """The settings of this process; raises ``ConfigurationError`` with a line for each wrong value."""
    folder, lines = secrets_folder(given := environment().get(variable("secrets_dir"))), []
    if given and folder is None:
        lines = [f"{variable('secrets_dir')}: {shown(given)} is not {allowed('secrets_dir')}"]
    try:
        settings = Settings(_secrets_dir=folder)
    except ValidationError as error:
        lines += (line(one, allowed(str(one["loc"][0]))) for one in error.errors(include_url=False))
        raise ConfigurationError(lines) from None
    except SettingsError as error:
        cause = type(error.__cause__ or error).__name__
        raise ConfigurationError([*lines, f"{folder}: a file in it cannot be read: {cause}"]) from None
    if settings.integrations_url is not None and "integrations_file" in settings.model_fields_set:
        lines.append(f"{variable('integrations_url')}: stands beside the file; allowed is one of the two")
    if not lines:
        return settings
    raise ConfigurationError(lines)


def allowed(field: str) -> str:
    """What the variable of a field may hold, in words."""
    return allowed_by(Settings.model_fields[field])
