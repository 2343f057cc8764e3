"""The pages' way to the journal. One that is away, or slow, takes no page more than some seconds."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Generic, TypeVar

from config import settings as configuration
from config.errors import ConfigurationError
from config.settings import Settings
from worker.console.asking import Answer, Asking, NoAnswer
from worker.operators.journal_access import JournalAway

T = TypeVar("T")
#: Seconds that a page waits.
PATIENCE = 3.0


@dataclass(frozen=True, slots=True)
class Reply(Generic[T]):
    """``value`` is None where no journal is kept, or where it could not be asked: ``trouble`` says why."""

    value: T | None
    trouble: str | None
    is_kept: bool


class Asked(Generic[T]):
    """A question under way; None where there is nobody to ask."""

    def __init__(self, answer: Answer[T] | None) -> None:
        self._answer = answer

    def reply(self) -> Reply[T]:
        """Waits."""
        if self._answer is None:
            return Reply(None, None, is_kept=False)
        try:
            return Reply(self._answer.within(PATIENCE), None, is_kept=True)
        except NoAnswer:
            return Reply(None, f"no answer within {PATIENCE:g} s", is_kept=True)
        except ConfigurationError as mistake:
            return Reply(None, mistake.lines[0], is_kept=True)
        except JournalAway as reason:
            return Reply(None, str(reason), is_kept=True)


class JournalDesk:
    """For any thread."""

    def __init__(self, asking: Asking) -> None:
        self._asking = asking

    def ask(self, question: Callable[[Settings], T]) -> Asked[T]:
        """``question`` raises what ``worker.operators.journal_access.journal`` raises."""
        settings = configuration.load()
        if settings.journal_url is None:
            return Asked(None)
        return Asked(self._asking.ask(partial(question, settings)))
