"""The operators' way to the journal."""

from __future__ import annotations

from importlib.util import find_spec

from config.errors import ConfigurationError
from config.settings import Settings, variable


def journal_url(settings: Settings) -> str:
    """Where the journal is. Raises ``ConfigurationError`` where none is kept, or none can be read."""
    if settings.journal_url is None:
        raise ConfigurationError([f"{variable('journal_url')}: is not set, so there is no journal"])
    if find_spec("sqlalchemy") is None:
        raise ConfigurationError(
            [f"{variable('journal_url')}: sqlalchemy is not installed: pip install 'fiscal-worker[journal]'"]
        )
    return settings.journal_url.get_secret_value()
