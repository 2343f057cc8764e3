"""What became of replayed letters, by the events that come back for them.

A request of which nothing can be read has no event. Such a letter is looked for among the dead letters again.
"""

from __future__ import annotations

import json
import time
from collections import Counter
from contextlib import suppress
from hashlib import sha256
from typing import Any

import pika

from config.settings import Settings
from worker.fiscal.sentences import Outcome
from worker.operators.dead_letters.access import DeadLetters, Stopping, alone
from worker.operators.dead_letters.lock import Locked
from worker.operators.event_stream import listen
from worker.rabbit.dead_letter import DeadLetter
from worker.rabbit.events import event_id
from worker.rabbit.message.reading import identify

#: Seconds after the last replay in which an outcome is waited for.
WAIT = 60.0
_TICK = 0.2
#: Seconds between two looks for letters without an event.
_LOOK_AGAIN = 2.0
_FINAL = (Outcome.SUCCEEDED, Outcome.FAILED)


class Outcomes:
    """Listens, from its making on, on a queue of its own: it takes no event away from Bimp."""

    def __init__(self, connection: pika.BlockingConnection) -> None:
        self._connection = connection
        self.sent = 0
        self.fiscalized = 0
        self.came_back: Counter[str] = Counter()
        #: How many events with such an id are due.
        self._due: Counter[str] = Counter()
        self._other: dict[str, str] = {}
        self._without_event: Counter[tuple[bytes, int]] = Counter()
        listen(connection, self._hear)

    @property
    def waiting(self) -> int:
        return self.sent - self.fiscalized - self.came_back.total()

    def line(self) -> dict[str, Any]:
        """The members of the last JSON line of a replay."""
        return {
            "sent": self.sent,
            "fiscalized": self.fiscalized,
            "cameBack": dict(self.came_back),
            "waiting": self.waiting,
        }

    def described(self) -> str:
        """In words."""
        codes = ", ".join(f"{code} {count}" for code, count in self.came_back.most_common())
        back = f"{self.came_back.total()} came back" + (f" ({codes})" if codes else "")
        return f"{self.fiscalized} fiscalized, {back}, {self.waiting} still waiting"

    def expect(self, letter: DeadLetter) -> None:
        """Count a letter that was sent. Call it before the connection's events are processed again."""
        self.sent += 1
        known, replays = identify(letter.delivery.body), letter.replays + 1
        if known.request_id is None:
            self._without_event[_key(letter, replays)] += 1
            return
        succeeded, failed = (event_id(known, outcome, replays) for outcome in _FINAL)
        self._other |= {succeeded: failed, failed: succeeded}
        self._due[succeeded] += 1
        self._due[failed] += 1

    def wait(self, settings: Settings, stopping: Stopping, seconds: float) -> None:
        """Until all is known, so many seconds have passed, or it is to stop."""
        end = time.monotonic() + seconds
        look_at = time.monotonic() + _LOOK_AGAIN
        while self.waiting and not stopping() and (left := end - time.monotonic()) > 0:
            self._connection.process_data_events(min(left, _TICK))
            if self._without_event and time.monotonic() > look_at:
                with suppress(Locked), alone(settings, self._connection, "replay") as letters:
                    self._look(letters, stopping)
                look_at = time.monotonic() + _LOOK_AGAIN

    def _look(self, letters: DeadLetters, stopping: Stopping) -> None:
        def is_back(letter: DeadLetter) -> bool:
            return self._without_event[_key(letter, letter.replays)] > 0

        with letters.looked_through(is_back, stopping) as look:
            for letter in look.letters():
                key = _key(letter, letter.replays)
                if self._without_event[key]:
                    self._without_event[key] -= 1
                    self.came_back[letter.code or "?"] += 1
        self._without_event = +self._without_event

    def _hear(self, body: bytes) -> None:
        try:
            event = json.loads(body)
            name = event["id"]
            if not self._due[name]:
                return
            is_success = event["type"].endswith(f".{Outcome.SUCCEEDED}.v1")
            code = None if is_success else str(event["data"]["code"])
        except (ValueError, LookupError, TypeError, AttributeError, RecursionError):
            return  # somebody else's message
        for one in (name, self._other[name]):
            self._due[one] -= 1
        if code is None:
            self.fiscalized += 1
        else:
            self.came_back[code] += 1


def _key(letter: DeadLetter, replays: int) -> tuple[bytes, int]:
    return sha256(letter.delivery.body).digest(), replays
