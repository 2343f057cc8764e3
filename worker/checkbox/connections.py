"""The process's connections to Checkbox, straight or by way of the environment's proxies.

httpx2's client reads the environment and makes the pools; calls go to the pools. What the client would add
to a call (redirects, cookies, authentication, merging of URLs and headers) the worker does not want, and it
takes as much processor time as the call itself.
"""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import httpcore2
import httpx2

from worker.checkbox.deadline import Backend

#: Checkbox is at one address, or at a few.
_SITES = 4


@dataclass(frozen=True, slots=True)
class Site:
    """A base URL, read once: where it is, and the pool that leads there."""

    pool: httpcore2.ConnectionPool
    scheme: bytes
    host: bytes
    port: int | None
    #: What stands before the path of every call, without a slash at its end.
    path: bytes
    #: The ``Host`` header.
    name: bytes

    def url(self, target: str) -> httpcore2.URL:
        """``target`` is path and query, escaped where they need it."""
        return httpcore2.URL(
            scheme=self.scheme, host=self.host, port=self.port, target=self.path + target.encode("ascii")
        )


class Route:
    """For one call at a time: at most ``limit`` connections, kept for ``keepalive`` seconds."""

    def __init__(self, context: ssl.SSLContext, limit: int, keepalive: float) -> None:
        self._client = httpx2.Client(
            verify=context,
            limits=httpx2.Limits(
                max_connections=limit, max_keepalive_connections=limit, keepalive_expiry=keepalive
            ),
        )
        self._sites: dict[str, Site] = {}
        for transport in (self._client._transport, *self._client._mounts.values()):
            if transport is not None:
                _pool(transport)._network_backend = Backend()

    def to(self, base_url: str) -> Site:
        """The site at a base URL."""
        site = self._sites.get(base_url)
        if site is None:
            site = self._sites[base_url] = self._read(httpx2.URL(base_url))
        return site

    def _read(self, url: httpx2.URL) -> Site:
        return Site(
            pool=_pool(self._client._transport_for_url(url)),
            scheme=url.raw_scheme,
            host=url.raw_host,
            port=url.port,
            path=url.raw_path.rstrip(b"/"),
            name=url.netloc,
        )

    def close(self) -> None:
        self._client.close()


class Connections:
    """Routes, of which each call has one to itself.

    A pool that threads share looks at all of its idle connections before and after each call, and each look
    is a system call. What was used last is used next, so that few connections are kept open by few calls.
    """

    def __init__(self, keepalive: float) -> None:
        self._context = httpx2.create_ssl_context()
        self._keepalive = keepalive
        self._idle: list[Route] = []

    @contextmanager
    def route(self) -> Iterator[Route]:
        try:
            route = self._idle.pop()
        except IndexError:
            route = Route(self._context, _SITES, self._keepalive)
        try:
            yield route
        finally:
            self._idle.append(route)

    def close(self) -> None:
        while self._idle:
            self._idle.pop().close()


def _pool(transport: httpx2.BaseTransport) -> httpcore2.ConnectionPool:
    """httpx2 hands neither its pools out nor a network backend in; tests fail when this ceases to work."""
    assert isinstance(transport, httpx2.HTTPTransport)
    return transport._pool
