"""The composition root: from settings to the parts that several programs need."""

from __future__ import annotations

from config.environment import environment
from config.errors import ConfigurationError
from config.integrations_watch import IntegrationsWatch, Version
from config.reading import Document, DocumentReader
from config.setting_lines import variable
from config.settings import Settings
from config.sources import Files
from worker.bimp.archive_check import ArchiveCheck
from worker.integrations.address import LONGEST, LONGEST_ETAG, Address, NotFetched
from worker.interprocess.shared_document import SharedDocument
from worker.rabbit.topology import Topology
from worker.telemetry import metrics, trace
from worker.telemetry.logs import logger

_log = logger(__name__)
#: Stands for the address in lines: the address itself may hold a key in its query.
ADDRESS = variable("integrations_url")


def topology_of(settings: Settings) -> Topology:
    return Topology(settings.queue, settings.bindings, settings.queue_type)


def archive_check_of(settings: Settings) -> ArchiveCheck | None:
    """Bimp's check, where it is configured."""
    if settings.archive_check_url is None:
        return None
    token = settings.archive_check_token
    return ArchiveCheck(
        settings.archive_check_url,
        token.get_secret_value() if token else None,
        trace.headers,
    )


def integrations_of(settings: Settings, document: SharedDocument | None = None) -> IntegrationsWatch:
    """The watch for the settings' integrations; ``document`` is where another process puts fetched ones."""
    url, environ = settings.integrations_url, environment()
    source = Files(settings.integrations_file) if document is None else _Shared(document)
    reader = DocumentReader(settings.checkbox_url, environ, is_remote=url is not None)
    return IntegrationsWatch(source, reader)


def document_of(settings: Settings) -> SharedDocument | None:
    """Memory for integrations from an address, created before the processes are forked; else None."""
    return None if settings.integrations_url is None else SharedDocument(LONGEST + LONGEST_ETAG)


def address_of(settings: Settings) -> Address | None:
    """The address of the integrations, if they come from one."""
    if settings.integrations_url is None:
        return None
    token = settings.integrations_token
    return Address(settings.integrations_url, token.get_secret_value() if token else None)


def read_integrations(settings: Settings) -> Version:
    """Once, for a command. Raises ``ConfigurationError`` if no document can be read."""
    document, address = None, address_of(settings)
    if address is not None:
        try:
            fetched = address.fetch("")
        except NotFetched as fault:
            raise ConfigurationError([f"{ADDRESS}: {fault}"]) from None
        assert fetched is not None, "no version was named that it could be like"
        document = SharedDocument(len(fetched.body))
        document.write(b"", fetched.body)
    watch = integrations_of(settings, document)
    watch.start()
    return watch.version


def integrations_read(version: Version) -> None:
    """Log a new version and show it in the metrics."""
    metrics.INTEGRATIONS_BROKEN.set(bool(version.faults))
    if version.faults:
        _log.error("integrations_file_refused", problems=version.faults)
    _log.info("integrations_file_read", integrations=len(version.integrations.in_force))
    for integration in version.changed_problems:
        lines = version.problems[integration]
        _log.error("integration_out_of_service", integration=integration, problems=lines)
    for warning in version.warnings:
        _log.warning("integrations_file_doubtful", message=warning)


class _Shared:
    """The document that another process fetches."""

    def __init__(self, document: SharedDocument) -> None:
        self._document = document

    def state(self) -> int:
        return self._document.version

    def documents(self) -> list[Document]:
        found = self._document.read()
        text, fault = (found[1], "") if found else (None, "has not been read yet")
        return [Document(ADDRESS, text, fault)]
