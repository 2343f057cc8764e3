"""The composition root: from settings to the parts that several programs need."""

from __future__ import annotations

from config.integrations_watch import Change, IntegrationsFile
from config.settings import Settings, environment
from worker.bimp.archive_check import ArchiveCheck
from worker.rabbit.topology import Topology
from worker.telemetry import metrics, trace
from worker.telemetry.logs import logger

_log = logger(__name__)


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


def read_integrations(settings: Settings) -> IntegrationsFile:
    """Raises ``ConfigurationError`` with a line for each problem."""
    return IntegrationsFile(
        settings.integrations_file,
        settings.checkbox_url,
        environment(),
        on_error=integrations_broken,
        on_change=integrations_read,
    )


def integrations_broken(lines: list[str]) -> None:
    metrics.INTEGRATIONS_BROKEN.set(1)
    _log.error("integrations_file_refused", problems=lines)


def integrations_read(change: Change) -> None:
    metrics.INTEGRATIONS_BROKEN.set(0)
    _log.info("integrations_file_read", integrations=change.total)
    for warning in change.warnings:
        _log.warning("integrations_file_doubtful", message=warning)
