"""The dead letters as they were seen last, so that no page waits for the broker or for a job.

A look consumes all letters and puts them back, and only one look or change is under way at a time. So one
thread looks for all pages; while a job of this console changes letters, the job keeps the picture current.
"""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass
from datetime import UTC, datetime

from config.errors import ConfigurationError
from worker.console.asking import Answer, NoAnswer
from worker.console.rows import Row, key_of
from worker.operators.dead_letters.access import letters_alone
from worker.operators.dead_letters.filter import Filter
from worker.operators.dead_letters.lock import Locked
from worker.operators.dead_letters.look_through import NoDeadLetterQueue
from worker.operators.unreachable import BrokerUnreachable
from worker.rabbit.dead_letter import DeadLetter

#: What a look or a job may end with, in words for people.
FAULTS = (BrokerUnreachable, Locked, NoDeadLetterQueue, ConfigurationError)
#: Seconds that a page which shows other things too waits for what the broker knows.
PATIENCE = 2.0
#: Seconds that a page waits for a new look, where there is an older one; and where there is none.
_PATIENCE, _FIRST_PATIENCE = 0.7, 20.0
#: A look that takes longer than that patience is made again after so many times its length.
_RARELY = 3
#: Bytes of messages that are kept.
_BUDGET = 128 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class View:
    """The letters, oldest first; ``trouble`` says why they are not those of now."""

    rows: tuple[Row, ...]
    seen_at: datetime
    trouble: str | None


class NothingSeen(Exception):
    """There is no look yet, in words."""


def seen_within(answer: Answer[View]) -> View | None:
    """For a page that does without the letters where they are not seen in time."""
    try:
        return answer.within(PATIENCE)
    except (NoAnswer, NothingSeen, *FAULTS):
        return None


class Snapshot:
    """For any thread."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._rows: dict[str, Row] = {}
        self._seen_at: datetime | None = None
        self._trouble: str | None = None
        #: Seconds that the last look took.
        self._took = 0.0
        #: Looks that were asked for, and the newest that is done. The first begins before anybody asks.
        self._wanted, self._done = 1, 0
        self._stopping = False
        #: Held by whatever looks or changes.
        self.turn = threading.Lock()
        self._thread = threading.Thread(target=self._run, name="letters", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def end(self) -> None:
        with self._changed:
            self._stopping = True
            self._changed.notify_all()
        self._thread.join(15)

    def view(self) -> View:
        """The letters of now, or else of a short while ago. Raises ``NothingSeen``."""
        with self._changed:
            if not self._is_young():
                self._wanted += 1
                number = self._wanted
                self._changed.notify_all()
                self._changed.wait_for(lambda: self._done >= number or self._stopping, self._patience())
            if self._seen_at is None:
                raise NothingSeen(self._trouble or "the letters are being read")
            return View(tuple(self._rows.values()), self._seen_at, self._trouble)

    def _is_young(self) -> bool:
        """Of very many letters a look takes seconds: it is not begun again at once."""
        if self._seen_at is None or self._trouble or self._took < _PATIENCE:
            return False
        return (datetime.now(UTC) - self._seen_at).total_seconds() < _RARELY * self._took

    def _patience(self) -> float:
        if self._seen_at is None:
            return _FIRST_PATIENCE
        return _PATIENCE if self._took < _PATIENCE else 0

    def gone(self, letter: DeadLetter) -> None:
        """A job has taken a letter away."""
        with self._changed:
            self._rows.pop(key_of(letter), None)
            self._seen_at = datetime.now(UTC)

    def _run(self) -> None:
        while self._await():
            number = self._wanted
            if not self.turn.acquire(blocking=False):
                time.sleep(0.05)  # a job is at work, and reports each letter
                self._is_done(number)
                continue
            began = time.monotonic()
            try:
                rows = self._look()
            except FAULTS as fault:
                words = fault.lines[0] if isinstance(fault, ConfigurationError) else str(fault)
                self._is_done(number, trouble=words)
            except Exception as error:  # whatever it is, the next look may go well
                self._is_done(number, trouble=f"the letters could not be read: {type(error).__name__}")
            else:
                self._took = time.monotonic() - began
                self._is_done(number, rows)
            finally:
                self.turn.release()

    def _await(self) -> bool:
        with self._changed:
            self._changed.wait_for(lambda: self._wanted > self._done or self._stopping)
            return not self._stopping

    def _look(self) -> dict[str, Row]:
        known, rows, left = self._rows, {}, _BUDGET
        with (
            letters_alone("console") as letters,
            letters.looked_through(Filter(), lambda: self._stopping) as look,
        ):
            for letter in look.letters():
                key = key_of(letter)
                left -= len(letter.delivery.body)
                rows[key] = known.get(key) or Row.of(key, letter, keeps=left > 0)
        return rows

    def _is_done(self, number: int, rows: dict[str, Row] | None = None, trouble: str | None = None) -> None:
        with self._changed:
            self._done, self._trouble = number, trouble
            if rows is not None:
                self._rows, self._seen_at = rows, datetime.now(UTC)
            self._changed.notify_all()
