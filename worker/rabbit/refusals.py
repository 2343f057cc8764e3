"""What the broker refuses to publish: logged once for each object with the cure, and when it is over."""

from __future__ import annotations

import time
from concurrent.futures import Future
from functools import partial

from worker.rabbit.publishing_connection import Unconfirmed
from worker.telemetry.logs import logger
from worker.telemetry.quiet import Quietly

_log = logger(__name__)
#: Seconds in which an exchange that closed the channel of all is not tried again.
_BARRED_FOR = 5.0
#: What to do, by a part of the reason. Lost connections are not among them: the monitor logs those.
_CURES = {
    "ConnectionBlockedTimeout": "the broker has an alarm: give it memory or disk space",
    "ConfirmOverdue": "a queue that it is routed to does not answer: see whether most of its nodes are up",
    "NackError": "a queue that it is routed to is full or has no leader: see its length limit and its nodes",
    "UnroutableError": "no queue takes it: see the bindings",
    "TopologyMismatch": "see docs/runbook.md",
    "ACCESS_REFUSED": "give the broker's user the rights of docs/security.md",
    "NOT_FOUND": "find out who deletes it; it is declared again when it is needed",
}
_BROKER = "broker"


class Refusals:
    """Of the loop's thread, but for ``watch``."""

    def __init__(self) -> None:
        self._refused: set[str] = set()
        self._barred: dict[str, tuple[float, str]] = {}

    def watch(self, message: Unconfirmed) -> None:
        """By any thread, before it is sent: logs when something refused is taken again."""
        if self._refused:
            message.confirmed.add_done_callback(partial(self._taken, message))

    def note(self, message: Unconfirmed, why: str) -> None:
        cure = next((cure for part, cure in _CURES.items() if part in why), None)
        subject = _BROKER if "Blocked" in why else message.way
        if cure is None or subject in self._refused:
            return
        self._refused.add(subject)
        with Quietly():
            _log.error("publishing_refused", reason=f"{subject}: {why}", message=cure)

    def bar(self, exchange: str, why: str) -> None:
        """Each message to it would close the channel, and cost the others their connection."""
        if exchange:
            self._barred[exchange] = (time.monotonic() + _BARRED_FOR, why)

    def of_exchange(self, exchange: str) -> str | None:
        """Why nothing is sent there now."""
        until, why = self._barred.get(exchange, (0.0, ""))
        return why if until > time.monotonic() else None

    def _taken(self, message: Unconfirmed, done: Future[None]) -> None:
        if done.exception() is not None:
            return
        for subject in self._refused & {_BROKER, message.way}:
            self._refused.discard(subject)
            with Quietly():
                _log.info("publishing_works_again", reason=subject)
