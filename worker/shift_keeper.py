"""Closes the shifts that grow old while no order comes (``shifts: auto``).

One process of a deployment does it: the one that holds an exclusive queue. It uses that process's own
sessions, so that it costs no sign-in of its own.
"""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress

import pika
from pika.exceptions import AMQPError

from worker.checkbox.session import Session
from worker.checkbox.sessions import Sessions
from worker.fiscal.integrations import Cashier, Integration, ShiftPolicy
from worker.fiscal.outcomes import Rejected, Verdict
from worker.fiscal.shifts import close, seconds_to_closing
from worker.telemetry.logs import logger

_log = logger(__name__)
#: Seconds until a process that is not the one asks again.
_ASK_AGAIN = 10.0
#: Seconds until a cashier is looked at again whose shift is not due: people open and close shifts as well.
_LOOK_AGAIN = 30.0
#: With many cashiers less often, for Checkbox's sake; but before a new shift can be due (an hour at least).
_LOOKS_A_SECOND = 2.0
_LOOK_AGAIN_AT_LEAST = 1800.0
#: A shift that is due, but has an unfinished receipt or a fault in the way.
_TRY_AGAIN = 5.0


class ShiftKeeper:
    """Run in a loop of each worker process."""

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
        self._connection: pika.BlockingConnection | None = None

    def keep(self, stop: threading.Event, progress: Callable[[], None]) -> None:
        """Look at each shift that may be due; ``progress`` is called after each.

        While another process is the one, or the broker is away, only wait. Raises what else goes wrong; the
        next round connects anew.
        """
        kept = [
            (integration, cashier)
            for integration in self._integrations().values()
            if integration.shifts is ShiftPolicy.AUTO
            for cashier in integration.cashiers.values()
        ]
        if self._connection is None and not kept:
            return
        try:
            connection = self._chosen()
            self._look_at(kept, stop, connection, progress)
            connection.process_data_events(time_limit=0)
        except (AMQPError, AssertionError, OSError):  # pika asserts where a broker dies under it
            self.close()
            stop.wait(_ASK_AGAIN)
        except Exception:
            self.close()
            raise

    def close(self) -> None:
        """Let another process be the one."""
        connection, self._connection = self._connection, None
        if connection is not None:
            with suppress(Exception):  # it is gone, which is what was wanted
                connection.close()

    def _chosen(self) -> pika.BlockingConnection:
        if self._connection is None:
            self._connection = pika.BlockingConnection(self._params)
            self._connection.channel().queue_declare(self._lock_queue, exclusive=True)
        return self._connection

    def _look_at(
        self,
        kept: list[tuple[Integration, Cashier]],
        stop: threading.Event,
        connection: pika.BlockingConnection,
        progress: Callable[[], None],
    ) -> None:
        look_again = min(max(_LOOK_AGAIN, len(kept) / _LOOKS_A_SECOND), _LOOK_AGAIN_AT_LEAST)
        for integration, cashier in kept:
            key = (integration.id, cashier.id)
            if stop.is_set() or self._due.get(key, 0.0) > time.monotonic():
                continue
            # Set before the look: a cashier whose looks all fail must not keep the others from theirs.
            self._due[key] = time.monotonic() + _TRY_AGAIN
            wait = min(look_again, self._keep(integration, cashier))
            self._due[key] = time.monotonic() + wait
            progress()
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
        if close(session, shift, rollover_after):
            _log.info("shift_rolled_over", integration=integration.id, cashier=cashier.id)
        return _TRY_AGAIN
