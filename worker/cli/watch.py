"""``dead-letters watch``: replays by itself what only waited for a cause to go away."""

from __future__ import annotations

import time
from collections import Counter
from contextlib import closing
from datetime import UTC, datetime, timedelta
from typing import Annotated

import typer

from config import integrations as integrations_file
from config import settings as configuration
from config.errors import ConfigurationError
from config.settings import Settings
from worker.app import archive_check_of
from worker.checkbox.client import CheckboxClient
from worker.cli.broker import BrokerUnreachable
from worker.cli.causes import Cause, Causes, cause_of
from worker.cli.events import duration
from worker.cli.interruption import Interruption
from worker.cli.letter_access import dead_letters
from worker.cli.letter_changes import Report, change_each, replaying
from worker.cli.output import note
from worker.rabbit.letters import Letter

_SHORTEST = timedelta(seconds=5)
_TICK = 0.2


class _Failed(Exception):
    """This round came to nothing; the next one may."""


def watch(
    once: Annotated[bool, typer.Option("--once", help="One look, for a timer of your own.")] = False,
    interval: Annotated[
        timedelta, typer.Option(parser=duration, metavar="DURATION", help="Between two looks.")
    ] = "PT1M",  # type: ignore[assignment] # typer parses it
    max_replays: Annotated[
        int, typer.Option(min=1, help="Leave letters alone that were replayed so often and came back.")
    ] = 5,
    rate: Annotated[float, typer.Option(min=0, help="Letters a second; 0 is no limit.")] = 5.0,
    as_json: Annotated[bool, typer.Option("--json", help="A line of JSON for each replay.")] = False,
) -> None:
    """Replay letters whose cause is gone, until Ctrl-C: a shift is open again, a sign-in works, Checkbox answers.

    All other letters wait for a person. One that comes back waits longer each time.
    """
    if interval < _SHORTEST:
        raise typer.BadParameter("--interval is PT5S or more")
    settings = configuration.load()
    watching = _Watch(settings, interval, max_replays, rate, as_json=as_json)
    with closing(CheckboxClient(threads=1)) as client, Causes(client) as causes, Interruption() as stopping:
        while not stopping():
            try:
                watching.round(causes, stopping)
            except _Failed as fault:
                note(str(fault))
                if once:
                    raise typer.Exit(1) from None
            if once:
                return
            _sleep(interval, stopping)


def _sleep(interval: timedelta, stopping: Interruption) -> None:
    end = time.monotonic() + interval.total_seconds()
    while not stopping() and time.monotonic() < end:
        time.sleep(_TICK)


class _Watch:
    """What the rounds have in common."""

    def __init__(
        self, settings: Settings, interval: timedelta, max_replays: int, rate: float, *, as_json: bool
    ) -> None:
        self._settings = settings
        self._interval = interval
        self._what = replaying(max_replays)
        self._rate = rate
        self._as_json = as_json

    def round(self, causes: Causes, stopping: Interruption) -> None:
        """Look, ask, replay. The queue is not held while Checkbox is asked. Raises ``_Failed``."""
        try:
            waiting = self._waiting(stopping)
            gone = self._gone(waiting, causes, stopping) if waiting else set()
            if gone and not stopping():
                self._replay(gone, stopping)
        except (BrokerUnreachable, typer.Exit) as error:
            words = str(error) if isinstance(error, BrokerUnreachable) else "the dead letters were not read"
            raise _Failed(words) from None
        except ConfigurationError as error:
            raise _Failed(error.lines[0]) from None

    def _waiting(self, stopping: Interruption) -> Counter[Cause]:
        counts: Counter[Cause] = Counter()
        with (
            dead_letters("dead-letters watch") as letters,
            letters.looked_through(self._may_go, "looking", stopping=stopping) as look,
        ):
            for letter in look.letters():
                counts[self._cause(letter)] += 1
        return counts

    def _gone(self, waiting: Counter[Cause], causes: Causes, stopping: Interruption) -> set[Cause]:
        loaded = integrations_file.load(
            self._settings.integrations_file, self._settings.checkbox_url, configuration.environment()
        )
        archive = archive_check_of(self._settings)
        gone = set()
        for cause in waiting:
            if not stopping() and causes.is_gone(cause, loaded.integrations, archive):
                gone.add(cause)
        return gone

    def _replay(self, gone: set[Cause], stopping: Interruption) -> None:
        report = Report()
        with (
            dead_letters("dead-letters watch", changes=True) as letters,
            letters.looked_through(
                lambda letter: self._may_go(letter) and self._cause(letter) in gone, "replay", stopping=stopping
            ) as look,
        ):
            change_each(self._what, letters, look, None, self._rate, report, self._as_json)
        codes = ", ".join(sorted({f"{cause.code} {cause.integration}/{cause.cashier}" for cause in gone}))
        note(f"{report.done} replayed, {report.failed} failed: {codes}")

    def _cause(self, letter: Letter) -> Cause:
        cause = cause_of(letter)
        assert cause is not None  # `_may_go` has let it through
        return cause

    def _may_go(self, letter: Letter) -> bool:
        """Not one that came back so often, nor one that came back just now."""
        if cause_of(letter) is None or self._what.withholds(letter):
            return False
        failed_at = letter.failed_at
        pause = self._interval * (2**letter.replays - 1)
        return failed_at is None or datetime.now(UTC) - failed_at >= pause
