"""Keeps the shared document as the address has it."""

from __future__ import annotations

from worker.integrations.address import Address, NotFetched
from worker.interprocess.shared_document import SharedDocument
from worker.telemetry.logs import logger

_log = logger(__name__)


class Polling:
    """In one process of the worker; a process that replaces it goes on with the ETag of the document."""

    def __init__(self, address: Address, document: SharedDocument) -> None:
        self._address = address
        self._document = document
        #: Why the last look found no document; None where it did, or found nothing new.
        self.fault: str | None = None

    @property
    def awaited(self) -> str | None:
        """Why the worker has no integrations yet; None where it has."""
        document = self._document
        if document.version and not document.refusal:
            return None
        return self.fault or document.refusal or "not asked yet"

    def poll(self) -> None:
        """Ask once. What cannot be had changes nothing."""
        known = self._document.read()
        try:
            fetched = self._address.fetch(known[0].decode("ascii") if known else "")
        except NotFetched as fault:
            self._tell(str(fault))
            return
        self._tell(None)
        if fetched is not None and known != (found := (fetched.etag.encode("ascii"), fetched.body)):
            self._document.write(*found)

    def _tell(self, fault: str | None) -> None:
        """Once for each reason, until the address answers again."""
        if fault is not None and fault != self.fault:
            _log.error("integrations_not_fetched", reason=fault)
        elif fault is None and self.fault is not None:
            _log.info("integrations_fetched_again")
        self.fault = fault
