"""The types of the settings, beyond what pydantic brings.

A ``ValueError`` says what is wrong; it never repeats an address or a token.
"""

from __future__ import annotations

import re
from datetime import timedelta
from ipaddress import ip_address
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr
from pydantic_core import PydanticCustomError
from pydantic_settings import NoDecode

from config.values import parse_duration, parse_http_url, shown, split_url

ORDER_UUID = "{orderUuid}"
#: The worker's own queues beside the main one, which a main queue must not be named like.
_RESERVED_QUEUE = re.compile(
    r"(?i)amq\.|bimp\.fiscal\.events$|.*\.(dead_letters|follow_up|retry|outbox|bindings|dq|xq)$"
)


def _broker_urls(value: SecretStr) -> SecretStr:
    urls = [url.strip() for url in value.get_secret_value().split(";") if url.strip()]
    if not urls:
        raise ValueError("holds no address")
    for number, url in enumerate(urls, 1):
        try:
            split_url(url, ("amqp", "amqps"))
        except ValueError as error:
            raise ValueError(f"address {number} of {len(urls)} {error}") from None
    return SecretStr(";".join(urls))


def _duration(value: Any) -> Any:
    try:
        return parse_duration(value.strip()) if isinstance(value, str) else value
    except ValueError:
        raise PydanticCustomError("duration", "") from None  # told like any value that is not allowed


def _queue(name: str) -> str:
    if _RESERVED_QUEUE.match(name):
        raise ValueError(f"{shown(name)} is a name that RabbitMQ or the worker keeps for itself")
    return name


def _split(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    return tuple(part.strip() for part in value.split(";") if part.strip())


def _archive_check_url(template: str) -> str:
    if ORDER_UUID not in template:
        raise ValueError(f"does not contain {ORDER_UUID}")
    filled = template.replace(ORDER_UUID, "0")
    if "{" in filled or "}" in filled:
        raise ValueError(f"has braces other than {ORDER_UUID}")
    if split_url(filled, ("http", "https")).username is not None:
        raise ValueError("holds a user name or a password; use FISCAL_ARCHIVE_CHECK_TOKEN")
    return template


def _integrations_url(url: str) -> str:
    parts = split_url(url, ("http", "https"))
    if parts.username is not None:
        raise ValueError("holds a user name or a password; use FISCAL_INTEGRATIONS_TOKEN")
    if parts.fragment:
        raise ValueError("has a fragment")
    if parts.scheme == "http" and not _is_loopback(parts.hostname or ""):
        raise ValueError("is not encrypted, and not an address of this machine")
    return url


def _is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


def _bearer_token(token: SecretStr) -> SecretStr:
    if not re.fullmatch(r"[\x21-\x7e]+", token.get_secret_value()):
        raise ValueError("has characters that cannot be in an HTTP header")
    return token


def _upper(value: Any) -> Any:
    return value.strip().upper() if isinstance(value, str) else value


Duration = Annotated[timedelta, BeforeValidator(_duration)]
RoutingPattern = Annotated[str, Field(pattern=r"^[A-Za-z0-9_*#-]+(\.[A-Za-z0-9_*#-]+)*$", max_length=255)]
BrokerUrls = Annotated[SecretStr, AfterValidator(_broker_urls)]
HttpUrl = Annotated[str, AfterValidator(parse_http_url)]
ArchiveCheckUrl = Annotated[str, AfterValidator(_archive_check_url)]
IntegrationsUrl = Annotated[str, AfterValidator(_integrations_url)]
BearerToken = Annotated[SecretStr, AfterValidator(_bearer_token)]
QueueName = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,199}$"), AfterValidator(_queue)]
Bindings = Annotated[tuple[RoutingPattern, ...], NoDecode, BeforeValidator(_split), Field(min_length=1)]
LogLevel = Annotated[Literal["DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"], BeforeValidator(_upper)]
