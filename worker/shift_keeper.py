"""Closes the shifts that grow old while no order comes (``shifts: auto``).

One process of a deployment does it: the one that holds an exclusive queue. It uses that process's own
sessions, so that it costs no sign-in of its own.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping

import pika
from pika.exceptions import AMQPError

from worker.checkbox.sessions import Session, Sessions
from worker.fiscal.integrations import Cashier, Integration, ShiftPolicy
from worker.fiscal.outcomes import Verdict
from worker.fiscal.shifts import ROLLOVER_GRACE, age, roll_over
from worker.telemetry.logs import logger

_log = logger(__name__)
#: Seconds between two rounds, and until a process that is not the one asks again.
_ROUND = 10.0
#: Where no shift is known: less than the least ``rollover_after``, so that none grows too old unseen.
_LOOK_AGAIN = 600.0
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
        for integration in list(self._integrations().values()):
            if integration.shifts is not ShiftPolicy.AUTO:
                continue
            for cashier in integration.cashiers.values():
                key = (integration.id, cashier.id)
                if stop.is_set() or self._due.get(key, 0.0) > time.time():
                    continue
                self._due[key] = time.time() + self._keep(integration, cashier)
                connection.process_data_events(time_limit=0)

    def _keep(self, integration: Integration, cashier: Cashier) -> float:
        """Seconds until the next look at this cashier."""
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
            return _TRY_AGAIN

    def _look(self, session: Session, integration: Integration, cashier: Cashier) -> float:
        session.forget_shift()
        shift = session.shift()
        if shift is None or not shift.is_open:
            return _LOOK_AGAIN
        rollover_after = integration.rollover_after.total_seconds()
        left = rollover_after + ROLLOVER_GRACE - age(shift, time.time())
        if left > 0:
            return min(left, _LOOK_AGAIN)
        roll_over(session, shift, rollover_after, time.time())
        _log.info("shift_rolled_over", integration=integration.id, cashier=cashier.id)
        return _TRY_AGAIN
