"""RabbitMQ: each address, the version, and whether it takes what is published."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import suppress
from urllib.parse import unquote, urlsplit

import pika
from pika.adapters.select_connection import IOLoop
from pika.exceptions import (
    ConnectionBlockedTimeout,
    ProbableAccessDeniedError,
    ProbableAuthenticationError,
)

from config.settings import Settings
from worker.operators.doctor.finding import Finding, ok, warning, wrong
from worker.rabbit.connection import LOST, BrokerConnection, parameters

_CHECK = "broker"
#: Quorum queues keep a message's place and count its returns as our topology needs it.
_OLDEST = (3, 10)
#: Seconds that an alarm is waited for.
_PATIENCE = 2.0


def addresses(settings: Settings) -> Iterator[Finding]:
    """A finding for each address, in the order in which they are tried."""
    answering = False
    for url in settings.rabbitmq_urls:
        finding, connection = _connect(url)
        if connection is not None:
            if not answering:
                yield _version(url)
                yield _alarm(url)
            answering = True
            _close(connection)
        yield finding


def first_connection(settings: Settings) -> pika.BlockingConnection | None:
    """A connection as the worker would have it; None where no address answers."""
    try:
        return pika.BlockingConnection(
            parameters(settings.rabbitmq_url.get_secret_value(), "fiscal-worker doctor")
        )
    except LOST:
        return None


def _connect(url: str) -> tuple[Finding, pika.BlockingConnection | None]:
    try:
        connection = pika.BlockingConnection(parameters(url, "fiscal-worker doctor"))
    except ProbableAuthenticationError:
        return _refused(url, "refuses user or password", "put the right ones into FISCAL_RABBITMQ_URL"), None
    except ProbableAccessDeniedError:
        advice = f"create the virtual host {_vhost(url)}, or give the user its rights"
        return _refused(url, f"denies this user access to virtual host {_vhost(url)}", advice), None
    except LOST as error:
        reason = _reason(error)
        advice = "start RabbitMQ there, or correct the address in FISCAL_RABBITMQ_URL"
        return _refused(url, f"does not answer ({reason})", advice), None
    return ok(_CHECK, _shown(url), f"virtual host {_vhost(url)}"), connection


def _refused(url: str, seen: str, advice: str) -> Finding:
    return wrong(_CHECK, _shown(url), seen, advice)


class _Introduction(BrokerConnection):
    """A broker's properties, which a blocking connection of pika's does not pass on."""

    def __init__(self, url: str) -> None:
        self.properties: Mapping[str, object] = {}
        self._loop = IOLoop()
        super().__init__(self._loop, parameters(url, "fiscal-worker doctor"))
        self._loop.start()
        self._loop.close()

    def opened(self, connection: pika.SelectConnection) -> None:
        self.properties = connection.server_properties
        self.close()

    def ended(self, why: BaseException) -> None:
        self._loop.stop()


def _version(url: str) -> Finding:
    properties = _Introduction(url).properties
    product, version = (str(_text(properties.get(name, "?"))) for name in ("product", "version"))
    seen = f"{product} {version}"
    numbers = [int(part) for part in version.split(".")[:2] if part.isdigit()]
    if len(numbers) == 2 and tuple(numbers) < _OLDEST:
        oldest = ".".join(map(str, _OLDEST))
        return wrong(_CHECK, _shown(url), seen, f"update the broker: the worker needs {oldest} or newer")
    return ok(_CHECK, _shown(url), seen)


def _alarm(url: str) -> Finding:
    """A broker with an alarm takes nothing and says so only to publishers: so two unroutable messages.

    The first one of a connection it takes even then.
    """
    params = parameters(url, "fiscal-worker doctor")
    for one in params:
        one.blocked_connection_timeout = _PATIENCE
    try:
        with pika.BlockingConnection(params) as connection:
            channel = connection.channel()
            channel.confirm_delivery()
            for _ in range(2):
                channel.basic_publish("", "", b"")
    except ConnectionBlockedTimeout:
        advice = "free memory or disk of the broker: it holds back every outcome until then"
        return wrong(_CHECK, _shown(url), "has an alarm and takes no messages", advice)
    except LOST as error:
        advice = "look at the broker's log: it takes connections and no messages"
        return warning(_CHECK, _shown(url), f"did not take a message ({type(error).__name__})", advice)
    return ok(_CHECK, _shown(url), "takes messages, no alarm")


def _close(connection: pika.BlockingConnection) -> None:
    with suppress(*LOST):  # it is gone, which is what was wanted
        connection.close()


def _reason(error: BaseException) -> str:
    """pika wraps the socket's own error, sometimes several times."""
    while error.args:
        inner = getattr(error.args[0], "exception", error.args[0])
        if not isinstance(inner, BaseException):
            break
        error = inner
    return type(error).__name__


def _text(value: object) -> object:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else value


def _shown(url: str) -> str:
    """Host and port: the rest of an address holds a password."""
    parts = urlsplit(url.strip())
    return f"{parts.hostname}:{parts.port or (5671 if parts.scheme == 'amqps' else 5672)}"


def _vhost(url: str) -> str:
    return unquote(urlsplit(url.strip()).path.removeprefix("/")) or "/"
