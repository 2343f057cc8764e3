"""Closes the shifts that grow old while no order comes (``shifts: auto``).

One process of a deployment does it: the one that holds an exclusive queue. It uses that process's own
sessions, so that it costs no sign-in of its own.
"""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Mapping

import pika
from pika.exceptions import AMQPError

from worker.checkbox.session import Session
from worker.checkbox.sessions import Sessions
from worker.fiscal.integrations import Cashier, Integration, ShiftPolicy
from worker.fiscal.outcomes import Rejected, Verdict
from worker.fiscal.shifts import close, seconds_to_closing
from worker.telemetry.logs import logger

_log = logger(__name__)
#: Seconds between two rounds, and until a process that is not the one asks again.
_ROUND = 10.0
#: Seconds until a cashier is looked at again whose shift is not due: people open and close shifts as well.
_LOOK_AGAIN = 30.0
#: With many cashiers less often, for Checkbox's sake; but before a new shift can be due (an hour at least).
_LOOKS_A_SECOND = 2.0
_LOOK_AGAIN_AT_LEAST = 1800.0
#: A shift that is due, but has an unfinished receipt or a fault in the way.
_TRY_AGAIN = 5.0


class ShiftKeeper:
    """Run in a thread of each worker process."""

    def __init__(
        self,
        params: list[pika.URLParameters],
        queue: str,
        integrations: Callable[[], Mapping[str, Integration]],
        sessions: Sessions,
    ) -> None:
        self._params = params
        self._lock_queue = f"{queue}.shift_keeper"
        self._integrations = integrations
        self._sessions = sessions
        self._due: dict[tuple[str, str], float] = {}

    def run(self, stop: threading.Event) -> None:
        """Until ``stop``; while another process is the one, wait for its end."""
        while not stop.wait(_ROUND / 5):
            if any(integration.shifts is ShiftPolicy.AUTO for integration in self._integrations().values()):
                self._keep_while_chosen(stop)

    def _keep_while_chosen(self, stop: threading.Event) -> None:
        try:
            with pika.BlockingConnection(self._params) as connection:
                connection.channel().queue_declare(self._lock_queue, exclusive=True)
                while not stop.is_set():
                    self._round(stop, connection)
                    connection.process_data_events(time_limit=1.0)
        except (AMQPError, OSError):
            stop.wait(_ROUND)

    def _round(self, stop: threading.Event, connection: pika.BlockingConnection) -> None:
        kept = [
            (integration, cashier)
            for integration in self._integrations().values()
            if integration.shifts is ShiftPolicy.AUTO
            for cashier in integration.cashiers.values()
        ]
        look_again = min(max(_LOOK_AGAIN, len(kept) / _LOOKS_A_SECOND), _LOOK_AGAIN_AT_LEAST)
        for integration, cashier in kept:
            key = (integration.id, cashier.id)
            if stop.is_set() or self._due.get(key, 0.0) > time.monotonic():
                continue
            wait = min(look_again, self._keep(integration, cashier))
            self._due[key] = time.monotonic() + wait
            connection.process_data_events(time_limit=0)

    def _keep(self, integration: Integration, cashier: Cashier) -> float:
        """Seconds until the next look at this cashier, at most."""
        try:
            with self._sessions.enter(integration, cashier) as session:
                return self._look(session, integration, cashier)
        except Verdict as verdict:
            _log.info(
                "shift_not_looked_at",
                integration=integration.id,
                cashier=cashier.id,
                reason=type(verdict).__name__,
            )
            return math.inf if isinstance(verdict, Rejected) else _TRY_AGAIN

    def _look(self, session: Session, integration: Integration, cashier: Cashier) -> float:
        rollover_after = integration.rollover_after.total_seconds()
        session.doubt_shift()
        shift = session.shift(rollover_after)
        if shift is None or not shift.is_open:
            return math.inf
        left = seconds_to_closing(shift, rollover_after, time.time())
        if left > 0:
            return left
        if close(session, shift, time.time()):
            _log.info("shift_rolled_over", integration=integration.id, cashier=cashier.id)
        return _TRY_AGAIN
