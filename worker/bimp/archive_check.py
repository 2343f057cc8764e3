"""Bimp's own word, right before a sale, whether the order is archived."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any
from uuid import UUID

import httpx2

from worker import __version__
from worker.deadline import Deadline, keep_to_deadlines
from worker.fiscal.outcomes import Unavailable

_TIMEOUT = httpx2.Timeout(connect=3, read=5, write=3, pool=3)
#: Seconds of a whole call.
_WHOLE = 8.0
#: Bytes of an answer.
_LONGEST = 65536
_PLACE = "{orderUuid}"
#: ``detail.service`` of what this check could not find out.
SERVICE = "archive_check"


class ArchiveCheck:
    """Asks the address of ``FISCAL_ARCHIVE_CHECK_URL``; one for each process, shared by its threads."""

    def __init__(
        self, template: str, token: str | None, threads: int, headers: Callable[[], Mapping[str, str]]
    ) -> None:
        self._template = template
        self._headers = headers
        authorization = {"Authorization": f"Bearer {token}"} if token else {}
        self._http = httpx2.Client(
            headers={"User-Agent": f"bimp-fiscal-worker/{__version__}", **authorization},
            timeout=_TIMEOUT,
            limits=httpx2.Limits(max_connections=threads, max_keepalive_connections=threads),
        )
        keep_to_deadlines(self._http)

    def is_archived(self, order: UUID) -> bool:
        """404 is archived too: an order that is not there is not sold. Raises ``Unavailable`` on all else."""
        try:
            status, body = self._get(self._template.replace(_PLACE, str(order)))
        except (httpx2.HTTPError, _TooMuch) as error:
            raise Unavailable({"service": SERVICE, "reason": type(error).__name__}) from None
        if status == 404:
            return True
        archived = _archived(body) if status == 200 else None
        if archived is None:
            raise Unavailable({"service": SERVICE, "status": status, "reason": "answer not understood"})
        return archived

    def _get(self, url: str) -> tuple[int, bytes]:
        body = b""
        with Deadline(_WHOLE), self._http.stream("GET", url, headers=self._headers()) as answer:
            for chunk in answer.iter_bytes():
                body += chunk
                if len(body) > _LONGEST:
                    raise _TooMuch
        return answer.status_code, body


class _TooMuch(Exception):
    """More than an answer to a yes-or-no question can be."""


def _archived(body: bytes) -> bool | None:
    try:
        document: Any = json.loads(body)
    except (ValueError, RecursionError):
        return None
    archived = document.get("archived") if isinstance(document, dict) else None
    return archived if isinstance(archived, bool) else None
