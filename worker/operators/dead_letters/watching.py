"""A round of ``dead-letters watch``: look at the letters, ask whether their causes are gone, replay."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack, closing
from datetime import UTC, datetime, timedelta
from typing import Self

from config.errors import ConfigurationError
from config.settings import Settings
from worker.app import archive_check_of, read_integrations
from worker.checkbox.client import CheckboxClient
from worker.operators.audit import Audit
from worker.operators.dead_letters.access import letters_alone
from worker.operators.dead_letters.causes import Cause, Causes, cause_of
from worker.operators.dead_letters.changes import Heard, Report, change_each, replaying
from worker.operators.dead_letters.lock import Locked
from worker.operators.dead_letters.look_through import NoDeadLetterQueue
from worker.operators.unreachable import BrokerUnreachable
from worker.rabbit.dead_letter import DeadLetter

_NAME = "dead-letters watch"
Stopping = Callable[[], bool]


class Watching:
    """What the rounds have in common: who is signed in, and the rules."""

    def __init__(
        self,
        settings: Settings,
        interval: timedelta,
        max_replays: int,
        rate: float,
        say: Callable[[str], None],
        heard: Heard,
        audit: Audit,
    ) -> None:
        self._settings = settings
        self._archive = archive_check_of(settings)
        self._interval = interval
        self._what = replaying(max_replays)
        self._rate = rate
        self._say = say
        self._heard = heard
        self._audit = audit
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        client = self._stack.enter_context(closing(CheckboxClient()))
        self._causes = self._stack.enter_context(Causes(client))
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def round(self, stopping: Stopping) -> bool:
        """Whether nothing failed. The queue is not held while Checkbox is asked."""
        try:
            waiting = self._waiting(stopping)
            gone = self._gone(waiting, stopping) if waiting else set()
            return not gone or stopping() or self._replay(gone, stopping)
        except (BrokerUnreachable, Locked, NoDeadLetterQueue) as fault:
            self._say(str(fault))
        except ConfigurationError as error:
            self._say(error.lines[0])
        return False

    def _waiting(self, stopping: Stopping) -> set[Cause]:
        with (
            letters_alone(_NAME) as letters,
            letters.looked_through(self._may_go, stopping) as look,
        ):
            return {cause for letter in look.letters() if (cause := cause_of(letter))}

    def _gone(self, waiting: set[Cause], stopping: Stopping) -> set[Cause]:
        loaded = read_integrations(self._settings)
        return {
            cause
            for cause in waiting
            if not stopping() and self._causes.is_gone(cause, loaded.integrations.in_force, self._archive)
        }

    def _replay(self, gone: set[Cause], stopping: Stopping) -> bool:
        def wanted(letter: DeadLetter) -> bool:
            return self._may_go(letter) and cause_of(letter) in gone

        report = Report()
        with (
            letters_alone(_NAME, changes=True) as letters,
            letters.looked_through(wanted, stopping) as look,
        ):
            change_each(self._what, letters, look, report, self._heard, rate=self._rate, limit=None)
        codes = ", ".join(sorted({f"{cause.code} {cause.integration}/{cause.cashier}" for cause in gone}))
        self._audit.letters("dead_letters_replayed", codes, report)
        self._say(f"{report.done} replayed, {report.failed} failed: {codes}")
        return report.failed == 0

    def _may_go(self, letter: DeadLetter) -> bool:
        """Not one that came back so often, nor one that came back just now."""
        if cause_of(letter) is None or self._what.withholds(letter):
            return False
        failed_at = letter.failed_at
        pause = self._interval * (2.0 ** min(letter.replays, 30) - 1)
        return failed_at is None or datetime.now(UTC) - failed_at >= pause
