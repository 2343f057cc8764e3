"""Bimp's own word, right before a sale, whether the order is archived."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any
from uuid import UUID

import httpx2

from worker import __version__
from worker.fiscal.outcomes import Unavailable

_TIMEOUT = httpx2.Timeout(connect=3, read=5, write=3, pool=3)
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

    def is_archived(self, order: UUID) -> bool:
        """404 is archived too: an order that is not there is not sold. Raises ``Unavailable`` on all else."""
        url = self._template.replace(_PLACE, str(order))
        try:
            answer = self._http.get(url, headers=self._headers())
        except httpx2.HTTPError as error:
            fault = type(error).__name__
        else:
            if answer.status_code == 404:
                return True
            archived = _archived(answer)
            if archived is not None:
                return archived
            fault = "answer not understood"
            raise Unavailable({"service": SERVICE, "status": answer.status_code, "reason": fault})
        raise Unavailable({"service": SERVICE, "reason": fault})


def _archived(answer: httpx2.Response) -> bool | None:
    if answer.status_code != 200:
        return None
    try:
        body: Any = answer.json()
    except ValueError:
        return None
    archived = body.get("archived") if isinstance(body, dict) else None
    return archived if isinstance(archived, bool) else None
