"""Fetches the document from an address with conditional requests."""

from __future__ import annotations

from dataclasses import dataclass, field

import httpx2

from worker import __version__
from worker.http.call import NoAnswer, Timeouts, call
from worker.http.connections import Connections

_TIMEOUTS = Timeouts(connect=5.0, read=10.0, write=5.0, whole=10.0)
#: Bytes of a document.
LONGEST = 16 * 1024 * 1024
#: Characters of an ETag.
LONGEST_ETAG = 1024


@dataclass(frozen=True, slots=True)
class Fetched:
    """A document; it holds secrets, so its ``repr`` does not show it."""

    body: bytes = field(repr=False)
    #: Empty if the address sends none.
    etag: str = ""


class NotFetched(Exception):
    """No document; the text is the reason, without the address and its answer."""


class Address:
    """The address of ``FISCAL_INTEGRATIONS_URL``. For one thread."""

    def __init__(self, url: str, token: str | None) -> None:
        self._url = httpx2.URL(url)
        self._connections = Connections()
        self._headers = {
            "User-Agent": f"bimp-fiscal-worker/{__version__}",
            "Accept": "application/json, application/yaml",
        }
        if token:
            self._headers["Authorization"] = f"Bearer {token}"

    def fetch(self, etag: str) -> Fetched | None:
        """The document, or None if ``etag`` is still current. Raises ``NotFetched``, also for a redirect."""
        headers = {**self._headers, "If-None-Match": etag} if etag else self._headers
        site = self._connections.to(f"{self._url.scheme}://{self._url.netloc.decode('ascii')}")
        target = self._url.raw_path.decode("ascii")
        try:
            answer = call(site, "GET", target, headers.items(), _TIMEOUTS, LONGEST)
        except NoAnswer as fault:
            raise NotFetched(f"no answer: {fault.reason}") from None
        if answer.status == 304 and etag:
            return None
        if answer.status != 200:
            raise NotFetched(f"status {answer.status} instead of 200{' or 304' if etag else ''}")
        return Fetched(answer.body, _sendable(answer.headers.get("etag", "")))


def _sendable(etag: str) -> str:
    """The ETag, or empty if it cannot be sent in a header."""
    return etag if len(etag) <= LONGEST_ETAG and etag.isascii() and etag.isprintable() else ""
