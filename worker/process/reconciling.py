"""The worker's way to the journal; what it needs is installed only where a journal is kept."""

from __future__ import annotations

from functools import partial
from importlib.util import find_spec

from config.settings import Settings
from worker.process.closed_shifts import Reconcile
from worker.telemetry.logs import logger

_log = logger(__name__)


def reconciling_of(settings: Settings) -> Reconcile | None:
    """None where no journal is kept. One that cannot be read here is logged: a journal stops no receipt."""
    if settings.journal_url is None:
        return None
    if find_spec("sqlalchemy") is None:
        _log.error("journal_not_installed", message="pip install 'fiscal-worker[journal]'")
        return None
    from worker.journal import database
    from worker.journal.reconciliation.shift import reconcile_shift

    return partial(reconcile_shift, database.reading(settings.journal_url.get_secret_value()))
