"""Keeps the shared document up to date with the address."""

from __future__ import annotations

from worker.integrations.address import Address, NotFetched
from worker.interprocess.shared_document import SharedDocument
from worker.telemetry.logs import logger

_log = logger(__name__)


class Polling:
    """Used by one process of the worker. Its replacement continues with the ETag in the document."""

    def __init__(self, address: Address, document: SharedDocument) -> None:
        self._address = address
        self._document = document
        #: Why the last question was not answered; None if it was.
        self.fault: str | None = None

    @property
    def awaited(self) -> str | None:
        """Why the worker has no integrations yet; None if it has some."""
        document = self._document
        if document.version and not document.refusal:
            return None
        return self.fault or document.refusal or "not asked yet"

    def poll(self) -> None:
        """Ask once; without an answer nothing changes."""
        known = self._document.read()
        try:
            fetched = self._address.fetch(known[0].decode("ascii") if known else "")
        except NotFetched as fault:
            self._note(str(fault))
            return
        self._note(None)
        if fetched is not None and known != (found := (fetched.etag.encode("ascii"), fetched.body)):
            self._document.write(*found)

    def _note(self, fault: str | None) -> None:
        """Log each reason once, until the address answers again."""
        if fault is not None and fault != self.fault:
            _log.error("integrations_not_fetched", reason=fault)
        elif fault is None and self.fault is not None:
            _log.info("integrations_fetched_again")
        self.fault = fault
