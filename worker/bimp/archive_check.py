"""Asks Bimp, right before a sale, whether the order is archived."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any
from uuid import UUID

import httpx2

from worker import __version__
from worker.fiscal.outcomes import Unavailable
from worker.fiscal.reasons import Reason
from worker.http.call import Answer, NoAnswer, Timeouts, call
from worker.http.connections import Connections

_TIMEOUTS = Timeouts(connect=3.0, read=5.0, write=3.0, whole=8.0)
#: Bytes of an answer.
_LONGEST = 65536
_PLACE = "{orderUuid}"


class ArchiveCheck:
    """Asks the address of ``FISCAL_ARCHIVE_CHECK_URL``; one for each process, shared by its threads."""

    def __init__(self, template: str, token: str | None, headers: Callable[[], Mapping[str, str]]) -> None:
        self._template = template
        self._headers = headers
        self._own = {"User-Agent": f"bimp-fiscal-worker/{__version__}"}
        if token:
            self._own["Authorization"] = f"Bearer {token}"
        self._connections = Connections()

    def is_archived(self, order: UUID) -> bool:
        """404 counts as archived: an unknown order is not sold. Raises ``Unavailable`` on all else."""
        try:
            answer = self._get(httpx2.URL(self._template.replace(_PLACE, str(order))))
        except NoAnswer as fault:
            raise Unavailable({"service": Reason.ARCHIVE_CHECK, "reason": fault.reason}) from None
        if answer.status == 404:
            return True
        archived = _archived(answer.body) if answer.status == 200 else None
        if archived is None:
            raise Unavailable(
                {"service": Reason.ARCHIVE_CHECK, "status": answer.status, "reason": "answer not understood"}
            )
        return archived

    def _get(self, url: httpx2.URL) -> Answer:
        site = self._connections.to(f"{url.scheme}://{url.netloc.decode('ascii')}")
        headers = {**self._own, **self._headers()}
        return call(site, "GET", url.raw_path.decode("ascii"), headers.items(), _TIMEOUTS, _LONGEST)


def _archived(body: bytes) -> bool | None:
    try:
        document: Any = json.loads(body)
    except (ValueError, RecursionError):
        return None
    archived = document.get("archived") if isinstance(document, dict) else None
    return archived if isinstance(archived, bool) else None
