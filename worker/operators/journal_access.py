"""The operators' way to the journal."""

from __future__ import annotations

from importlib.util import find_spec

from config.errors import ConfigurationError
from config.setting_lines import variable
from config.settings import Settings
from worker.journal.found_order import FoundOrder


class JournalAway(Exception):
    """The journal could not be asked; the text says why."""


def journal_url(settings: Settings) -> str:
    """Where the journal is. Raises ``ConfigurationError`` where none is kept, or none can be read."""
    if settings.journal_url is None:
        raise ConfigurationError([f"{variable('journal_url')}: is not set, so there is no journal"])
    if find_spec("sqlalchemy") is None:
        raise ConfigurationError(
            [f"{variable('journal_url')}: sqlalchemy is not installed: pip install 'fiscal-worker[journal]'"]
        )
    return settings.journal_url.get_secret_value()


def found_in_journal(settings: Settings, text: str) -> list[FoundOrder]:
    """Orders by whatever a person has of them. Raises ``ConfigurationError``, and ``JournalAway``."""
    url = journal_url(settings)
    from worker.journal import database
    from worker.journal.finding import JournalUnreadable, find

    engine = database.reading(url)
    try:
        return find(engine, text)
    except JournalUnreadable as error:
        raise JournalAway(str(error)) from None
    finally:
        engine.dispose()
