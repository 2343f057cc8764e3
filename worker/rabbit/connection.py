"""Connections to the broker, and the one way to publish."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import suppress
from urllib.parse import urlsplit

import pika
from pika.adapters.blocking_connection import BlockingChannel
from pika.exceptions import (
    AMQPChannelError,
    AMQPConnectionError,
    AMQPError,
    ConnectionBlockedTimeout,
    NackError,
    UnroutableError,
)

#: A dead network is noticed after about three heartbeats; the server's 60 s would mean minutes.
_HEARTBEAT = 20
#: An alarm of the broker blocks publishers; waiting longer would hold the thread past a shutdown.
_BLOCKED = 15


class _Properties(pika.BasicProperties):  # type: ignore[misc]
    """Headers may be beyond Python: a time in milliseconds where seconds were due is in the year 57,000.

    pika breaks off at that, at each redelivery again, and nothing else is consumed: read them as none.
    """

    def decode(self, encoded: bytes, offset: int = 0) -> pika.BasicProperties:
        try:
            super().decode(encoded, offset)
        except Exception:  # whatever the bytes are good for
            self.headers = None
        return self


pika.spec.props[pika.BasicProperties.INDEX] = _Properties


class PublishFailed(Exception):
    """The broker did not confirm: the message may be there or not, so nothing may be acknowledged."""


def parameters(urls: str, name: str) -> list[pika.URLParameters]:
    """Connection parameters for one or several URLs with ``;`` between, tried in turn."""
    found = []
    for url in urls.split(";"):
        one = pika.URLParameters(url.strip())
        query = urlsplit(url).query
        if "heartbeat" not in query:
            one.heartbeat = _HEARTBEAT
        if "blocked_connection_timeout" not in query:
            one.blocked_connection_timeout = _BLOCKED
        if "socket_timeout" not in query:
            one.socket_timeout = 5
        one.stack_timeout = 10
        one.client_properties = {"connection_name": name, "product": "fiscal-worker"}
        found.append(one)
    return found


class Publisher:
    """Publishes with confirm and mandatory; one connection a thread, since pika's are not thread-safe."""

    def __init__(
        self, params: list[pika.URLParameters], redeclare: Callable[[BlockingChannel], None] | None = None
    ) -> None:
        self._params = params
        self._redeclare = redeclare
        self._thread = threading.local()

    def publish(self, exchange: str, routing_key: str, body: bytes, properties: pika.BasicProperties) -> None:
        """Return when the broker has the message on disk; raises ``PublishFailed``.

        A connection that broke since the last publish is replaced once. If it broke during this one the
        message may be there twice: every message of ours is harmless when repeated.
        """
        properties.delivery_mode = 2
        try:
            self._publish(exchange, routing_key, body, properties)
        except ConnectionBlockedTimeout:
            self.close()
            raise PublishFailed(f"{exchange or 'queue'} {routing_key}: the broker takes nothing") from None
        except (NackError, UnroutableError, AMQPConnectionError, AMQPChannelError) as first:
            self.close()
            try:
                if not isinstance(first, AMQPConnectionError) and self._redeclare is not None:
                    self._redeclare(self._channel())
                self._publish(exchange, routing_key, body, properties)
            except (AMQPError, OSError) as second:
                self.close()
                raise PublishFailed(f"{exchange or 'queue'} {routing_key}: {type(second).__name__}") from None

    def _publish(
        self, exchange: str, routing_key: str, body: bytes, properties: pika.BasicProperties
    ) -> None:
        self._channel().basic_publish(exchange, routing_key, body, properties, mandatory=True)

    def _channel(self) -> BlockingChannel:
        channel: BlockingChannel | None = getattr(self._thread, "channel", None)
        if channel is None or not channel.is_open:
            self.close()
            self._thread.connection = pika.BlockingConnection(self._params)
            channel = self._thread.channel = self._thread.connection.channel()
            channel.confirm_delivery()
            # What is sent during an alarm is read when it is over, even if we are gone by then: each try
            # would leave one more copy. So a new connection is tried out with messages to nobody; the
            # broker takes the first one even then.
            for _ in range(2):
                channel.basic_publish("", "", b"")
        return channel

    def close(self) -> None:
        """Close this thread's connection."""
        connection = getattr(self._thread, "connection", None)
        self._thread.connection = self._thread.channel = None
        if connection is not None and connection.is_open:
            with suppress(AMQPError):  # it is gone, which is what was wanted
                connection.close()
