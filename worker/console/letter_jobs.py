"""Jobs on dead letters: exactly those that a page has shown go, one after the other."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable
from contextlib import ExitStack

from worker.console.jobs import Job
from worker.console.rendering import worded
from worker.console.rows import MAX_REPLAYS, Row, key_of
from worker.console.snapshot import Snapshot
from worker.fiscal.languages import N_
from worker.operators.audit import Audit
from worker.operators.connection import broker
from worker.operators.dead_letters.access import alone
from worker.operators.dead_letters.changes import Change, Report, change_each, discarding, replaying
from worker.operators.dead_letters.outcomes import WAIT, Outcomes
from worker.rabbit.dead_letter import DeadLetter

RATE = 5.0
_LAST_REFUSED = 10
_TICK = 0.1


class LetterJob(Job):
    """Changes letters. Others of its kind wait for their turn."""

    def __init__(self, actor: str, rows: list[Row], described: str, snapshot: Snapshot, audit: Audit) -> None:
        super().__init__(actor, len(rows))
        self.report = Report()
        #: Letters that the broker did not take, the last ones, with the reason.
        self.refused: list[tuple[str, str]] = []
        self.is_waiting_for_its_turn = True
        self._keys = {row.key for row in rows}
        self._described = described
        self._snapshot = snapshot
        self._audit = audit

    @property
    def done(self) -> int:
        return self.report.done + self.report.failed

    @property
    def claimed(self) -> frozenset[str]:
        return frozenset() if self.is_over else frozenset(self._keys)

    def work(self) -> None:
        lock = self._snapshot.turn
        while not lock.acquire(timeout=_TICK):
            if self.stop_wanted.is_set():
                return
        self.is_waiting_for_its_turn = False
        with ExitStack() as turn:
            turn.callback(lock.release)
            self.change(turn.close)

    @abstractmethod
    def change(self, release: Callable[[], None]) -> None:
        """Called when it has its turn; ``release`` lets others look and change before its end."""

    def heard(self, letter: DeadLetter, why: str | None) -> None:
        self._keys.discard(key_of(letter))
        if why is None:
            self._snapshot.gone(letter)
        else:
            name = letter.doc_number or letter.order or letter.request or "?"
            self.refused = [*self.refused, (name, why)][-_LAST_REFUSED:]

    def wanted(self, letter: DeadLetter) -> bool:
        return key_of(letter) in self._keys


class Replay(LetterJob):
    """Letters on their way back, and what becomes of them."""

    title = N_("Replay")
    outcomes: Outcomes | None = None

    def status(self, language: str) -> str:
        if self.is_waiting_for_its_turn:
            return worded(N_("Waiting for another job to end"), language)
        words = N_("%(done)s of %(total)s replayed")
        sent = worded(words, language, done=self.report.done, total=self.total)
        known = self.outcomes
        if known is None or not known.sent:
            return sent
        words = N_("%(fiscalized)s fiscalized, %(back)s came back, %(waiting)s still waiting")
        back = known.came_back.total()
        figures = {"fiscalized": known.fiscalized, "back": back, "waiting": known.waiting}
        return f"{sent}: {worded(words, language, **figures)}"

    def change(self, release: Callable[[], None]) -> None:
        with broker() as (settings, connection):
            self.outcomes = Outcomes(connection)
            try:
                with (
                    alone(settings, connection, "console", changes=True) as letters,
                    letters.looked_through(self.wanted, self.stop_wanted.is_set) as look,
                ):
                    what = replaying(MAX_REPLAYS)
                    change_each(what, letters, look, self.report, self._sent, rate=RATE, limit=self.total)
                release()
                self.outcomes.wait(settings, self.stop_wanted.is_set, WAIT)
            finally:
                self._audit.letters("dead_letters_replayed", self._described, self.report, self.outcomes)

    def _sent(self, letter: DeadLetter, why: str | None) -> None:
        if why is None and self.outcomes:
            self.outcomes.expect(letter)
        self.heard(letter, why)


class Discard(LetterJob):
    """Letters that somebody has a copy of are taken away for good."""

    title = N_("Discard")

    def status(self, language: str) -> str:
        if self.is_waiting_for_its_turn:
            return worded(N_("Waiting for another job to end"), language)
        words = N_("%(done)s of %(total)s discarded")
        return worded(words, language, done=self.report.done, total=self.total)

    def change(self, release: Callable[[], None]) -> None:
        what: Change = discarding(lambda _: None)
        with broker() as (settings, connection):
            try:
                with (
                    alone(settings, connection, "console", changes=True) as letters,
                    letters.looked_through(self.wanted, self.stop_wanted.is_set) as look,
                ):
                    change_each(what, letters, look, self.report, self.heard, rate=0, limit=self.total)
            finally:
                self._audit.letters("dead_letters_discarded", self._described, self.report)
