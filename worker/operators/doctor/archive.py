"""Bimp's archive check, where one is configured."""

from __future__ import annotations

from collections.abc import Iterator
from uuid import uuid4

from worker.bimp.archive_check import ArchiveCheck
from worker.fiscal.outcomes import Unavailable
from worker.operators.doctor.finding import Finding, ok, wrong

_CHECK = "archive check"
_SUBJECT = "FISCAL_ARCHIVE_CHECK_URL"


def check_archive(check: ArchiveCheck | None) -> Iterator[Finding]:
    """Ask for an order that does not exist: the answer must be archived, or not found."""
    if check is None:
        return
    try:
        archived = check.is_archived(uuid4())
    except Unavailable as fault:
        status = fault.detail.get("status")
        seen = f"answers {status}, which is not understood" if status else f"{fault.detail['reason']}"
        advice = (
            "have FISCAL_ARCHIVE_CHECK_TOKEN renewed by Bimp"
            if status in (401, 403)
            else "have Bimp answer there, or correct the address: until then nothing is sold"
        )
        yield wrong(_CHECK, _SUBJECT, seen, advice)
        return
    seen = "reports an unknown order as archived" if archived else "answers"
    yield ok(_CHECK, _SUBJECT, seen)
