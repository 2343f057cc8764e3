"""The operators' way to the journal."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from typing import TYPE_CHECKING

from config.errors import ConfigurationError
from config.setting_lines import variable
from config.settings import Settings
from worker.journal.action import DonePage
from worker.journal.found_order import FoundOrder

if TYPE_CHECKING:
    from sqlalchemy import Engine


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


@contextmanager
def journal(settings: Settings) -> Iterator[Engine]:
    """A way to read it. Raises ``ConfigurationError``, and ``JournalAway``."""
    url = journal_url(settings)
    from worker.journal import database
    from worker.journal.finding import JournalUnreadable

    engine = database.reading(url)
    try:
        yield engine
    except JournalUnreadable as error:
        raise JournalAway(str(error)) from None
    finally:
        engine.dispose()


def found_in_journal(settings: Settings, text: str) -> list[FoundOrder]:
    """Orders by whatever a person has of them. Raises what ``journal`` raises."""
    with journal(settings) as engine:
        from worker.journal.finding import find

        return find(engine, text)


def done_by_people(settings: Settings, page: int) -> DonePage:
    """Replays, discards, shifts closed and opened. Raises what ``journal`` raises."""
    with journal(settings) as engine:
        from worker.journal.actions import done_page

        return done_page(engine, page)
