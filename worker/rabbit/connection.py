"""Where the broker is, and how long it is waited for."""

from __future__ import annotations

from abc import ABC, abstractmethod
from urllib.parse import urlsplit

import pika
from pika.adapters.select_connection import IOLoop
from pika.channel import Channel
from pika.exceptions import AMQPError

from worker.rabbit.readable_headers import ReadableHeaders

#: What a blocking connection raises where the broker dies under it: pika asserts, too.
LOST = (AMQPError, AssertionError, OSError)
#: A dead network is noticed after about three heartbeats; the server's 60 s would mean minutes.
_HEARTBEAT = 20
#: An alarm of the broker blocks publishers; waiting longer would hold the thread past a shutdown.
_BLOCKED = 15


class BrokerConnection(ABC):
    """A connection on a loop, used in the loop's thread only; the first address that answers is taken."""

    def __init__(self, io: IOLoop, params: list[pika.URLParameters]) -> None:
        self._connection: pika.SelectConnection | None = None
        self._why: BaseException | None = None
        self._is_let_go = False
        self._services = ReadableHeaders(io)
        self._untried = iter(params)
        self._connect(next(self._untried))

    @abstractmethod
    def opened(self, connection: pika.SelectConnection) -> None:
        """There is a connection; its channels are still to be opened."""

    @abstractmethod
    def ended(self, why: BaseException) -> None:
        """There is none, or none any more."""

    def close(self) -> None:
        """``ended`` follows."""
        if self._connection is not None and self._connection.is_open:
            self._connection.close()

    def let_go(self) -> None:
        """Close it, or do not open it; nothing follows."""
        self._is_let_go = True
        self.close()

    def end_with(self, channel: Channel) -> None:
        """One channel closed is all closed."""
        channel.add_on_close_callback(self._channel_closed)

    def _connect(self, params: pika.URLParameters) -> None:
        pika.SelectConnection(
            params,
            on_open_callback=self._connected,
            on_open_error_callback=self._not_connected,
            on_close_callback=lambda _, why: self._report(self._why or why),
            custom_ioloop=self._services,
        )

    def _connected(self, opened: pika.SelectConnection) -> None:
        self._connection = opened
        if self._is_let_go:
            self.close()
        else:
            self.opened(opened)

    def _not_connected(self, _: pika.SelectConnection, why: BaseException) -> None:
        following = next(self._untried, None)
        if following is None or self._is_let_go:
            self._report(why)
        else:
            self._connect(following)

    def _channel_closed(self, _: Channel, why: BaseException) -> None:
        self._why = self._why or why
        self.close()

    def _report(self, why: BaseException) -> None:
        if not self._is_let_go:
            self.ended(why)


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
