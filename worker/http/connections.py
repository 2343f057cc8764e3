"""A process's connections to its HTTP partners, direct or through the environment's proxies.

httpcore2 makes the connections and speaks HTTP on them. What a client would add to a call (redirects,
cookies, authentication, merging of URLs and headers) the worker does not want, and it takes as much processor
time as the call itself.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Self
from urllib.request import getproxies, proxy_bypass

import httpcore2
import httpx2

from worker.http.streams import Backend

_KEEPALIVE = 30.0


class Site:
    """Where a base URL leads, and the connections that are open to it.

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
        if connection.is_idle():
            self._idle.append(connection)
        else:
            connection.close()

    def _warm(self) -> httpcore2.ConnectionInterface | None:
        """One that can be used: the other side has neither closed it nor sent anything unrequested."""
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
    """Shared by the threads of a process; idle ones are kept for half a minute.

    Proxies and certificates come from the environment (``HTTPS_PROXY``, ``NO_PROXY``, ``SSL_CERT_FILE``): it
    is the operators who route.
    """

    def __init__(self) -> None:
        """Raises ``ValueError`` for a malformed proxy address."""
        self._tls = httpcore2.default_ssl_context()
        self._backend = Backend()
        self._proxies = {scheme: self._proxy(url) for scheme, url in _proxy_urls().items()}
        self._sites: dict[str, Site] = {}

    def to(self, base_url: str) -> Site:
        """The site at a base URL."""
        site = self._sites.get(base_url)
        if site is None:
            # Two threads that come first get the same one.
            site = self._sites.setdefault(base_url, self._site(httpx2.URL(base_url)))
        return site

    def _site(self, url: httpx2.URL) -> Site:
        is_direct = proxy_bypass(url.netloc.decode("ascii"))
        pool = httpcore2.ConnectionPool(
            ssl_context=self._tls,
            proxy=None if is_direct else self._proxies.get(url.scheme),
            keepalive_expiry=_KEEPALIVE,
            network_backend=self._backend,
        )
        return Site(url, pool)

    def _proxy(self, address: str) -> httpcore2.Proxy:
        proxy = httpx2.Proxy(address if "://" in address else f"http://{address}")
        url = proxy.url
        return httpcore2.Proxy(
            httpcore2.URL(scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=url.raw_path),
            auth=proxy.raw_auth,
            ssl_context=self._tls if url.scheme == "https" else None,
        )

    def close(self) -> None:
        for site in self._sites.values():
            site.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _proxy_urls() -> dict[str, str]:
    """By the scheme of the sites that they lead to."""
    proxies = getproxies()
    ways = {scheme: proxies.get(scheme) or proxies.get("all") for scheme in ("http", "https")}
    return {scheme: url for scheme, url in ways.items() if url}
