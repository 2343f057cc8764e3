"""The process's connections to Checkbox, straight or by way of the environment's proxies.

httpx2's client reads the environment and knows how a connection is made. What it would add to a call
(redirects, cookies, authentication, merging of URLs and headers) the worker does not want, and it takes as
much processor time as the call itself.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpcore2
import httpx2

from worker.deadline import keep_to_deadlines, pool_of


class Site:
    """A base URL, read once: where it is, and the connections that are open to it.

    Each call has one to itself. What was used last is used next, so that few calls keep few of them open. A
    pool of the library's looks at all of its idle connections before and after each call, and each look is a
    system call.
    """

    def __init__(self, url: httpx2.URL, pool: httpcore2.ConnectionPool) -> None:
        self._scheme, self._host, self._port = url.raw_scheme, url.raw_host, url.port
        self._pool = pool
        self._path = url.raw_path.rstrip(b"/")
        self._idle: list[httpcore2.ConnectionInterface] = []
        #: The ``Host`` header.
        self.name = url.netloc

    def url(self, target: str) -> httpcore2.URL:
        """``target`` is path and query, escaped where they need it."""
        return httpcore2.URL(
            scheme=self._scheme, host=self._host, port=self._port, target=self._path + target.encode("ascii")
        )

    @contextmanager
    def connection(self) -> Iterator[httpcore2.ConnectionInterface]:
        """Kept for the next call, unless this one breaks it or leaves an answer half read."""
        connection = self._warm() or self._pool.create_connection(self.url("").origin)
        try:
            yield connection
        except BaseException:  # half an answer may be on it, and the next call would read the rest
            connection.close()
            raise
        if connection.is_idle() and _is_read_out(connection):
            self._idle.append(connection)
        else:
            connection.close()

    def _warm(self) -> httpcore2.ConnectionInterface | None:
        """One that is still good, as far as can be seen."""
        while True:
            try:
                connection = self._idle.pop()
            except IndexError:
                return None
            if not connection.has_expired():
                return connection
            connection.close()

    def close(self) -> None:
        while self._idle:
            self._idle.pop().close()


class Connections:
    """Idle ones are kept for ``keepalive`` seconds; all keep to the deadline."""

    def __init__(self, keepalive: float) -> None:
        self._client = httpx2.Client(limits=httpx2.Limits(keepalive_expiry=keepalive))
        self._sites: dict[str, Site] = {}
        keep_to_deadlines(self._client)

    def to(self, base_url: str) -> Site:
        """The site at a base URL."""
        site = self._sites.get(base_url)
        if site is None:
            url = httpx2.URL(base_url)
            # Of two threads that come first, both have the same one.
            site = self._sites.setdefault(base_url, Site(url, pool_of(self._client._transport_for_url(url))))
        return site

    def close(self) -> None:
        for site in self._sites.values():
            site.close()
        self._client.close()


def _is_read_out(connection: Any) -> bool:
    """Nothing came behind the answer: the next call, perhaps another cashier's, would take it for its own."""
    while hasattr(connection, "_connection"):
        connection = connection._connection
    return not connection._h11_state.trailing_data[0]
