"""Where the broker is, how long it is waited for, and how messages are written to it."""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import urlsplit

import pika

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


class WholeWrites(pika.SelectConnection):  # type: ignore[misc]
    """A connection's implementation that hands a message to the socket in one piece.

    pika writes a message's method, header and body one by one: three system calls, and the broker wakes up
    three times. Who waits for each confirm sends about a tenth more messages a second with one.
    """

    def _output_marshaled_frames(self, marshaled_frames: Sequence[bytes]) -> None:
        super()._output_marshaled_frames([b"".join(marshaled_frames)])


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
