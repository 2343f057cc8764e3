"""Closes the shifts that grow old while no order comes (``shifts: auto``).

A chore: one process of the fleet does it, with its own sessions, so that it costs no further sign-in. Some
cashiers are looked at side by side, those first whose shifts are the nearest to their end: however many hang,
a sound one's shift is closed in time.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from worker.checkbox.session import Session
from worker.checkbox.sessions import Sessions
from worker.fiscal.integrations import Cashier, Integration, ShiftPolicy
from worker.fiscal.outcomes import Postponed, Rejected, Unavailable, Verdict
from worker.fiscal.shifts import close, seconds_to_closing
from worker.telemetry.logs import logger

_log = logger(__name__)
#: Cashiers that are looked at side by side.
LOOKS_AT_ONCE = 8
#: Seconds until a cashier is looked at again whose shift is not due: people open and close shifts as well.
_LOOK_AGAIN = 30.0
#: With many cashiers less often, for Checkbox's sake; but before a new shift can be due (an hour at least).
_LOOKS_A_SECOND = 2.0
_LOOK_AGAIN_AT_LEAST = 1800.0
#: A shift that is due, but has an unfinished receipt in the way, or a cashier whose session is in use.
_TRY_AGAIN = 5.0
#: The backoff of a cashier who does not answer goes up to this.
_LONGEST_BACKOFF = 300.0

Key = tuple[str, str]


@dataclass(slots=True)
class Watched:
    """A cashier. Times are monotonic seconds."""

    #: When the shift is to be closed; while that is unknown, it may be due.
    closing_at: float
    look_at: float = 0.0
    #: Looks in a row that were not answered.
    faults: int = 0
    is_looked_at: bool = False

    @property
    def need(self) -> tuple[int, float]:
        """Sort key: cashiers that do not answer come last; of the others the oldest is first."""
        return self.faults, self.closing_at


class ShiftKeeper:
    """The chore of closing shifts."""

    def __init__(self, integrations: Callable[[], Mapping[str, Integration]], sessions: Sessions) -> None:
        self._integrations = integrations
        self._sessions = sessions
        self._watched: dict[Key, Watched] = {}
        self._looks = ThreadPoolExecutor(LOOKS_AT_ONCE, "shift-keeper")

    def work(self, _: Callable[[], None]) -> None:
        """Begin a look at each shift that may be due, as many as there are threads for."""
        for key in self.next(time.monotonic()):
            self._looks.submit(self._look_at, key, self._watched[key])

    def rest(self) -> None:
        """Nothing is exported that would have to be withdrawn."""

    def next(self, now: float) -> list[Key]:
        """Those to be looked at now, in the order of need; as many as there are threads for."""
        kept = {
            (integration.id, cashier)
            for integration in self._integrations().values()
            if integration.shifts is ShiftPolicy.AUTO
            for cashier in integration.cashiers
        }
        self._watched = {key: self._watched.get(key) or Watched(closing_at=now) for key in kept}
        free = LOOKS_AT_ONCE - sum(watched.is_looked_at for watched in self._watched.values())
        due = [
            key
            for key, watched in self._watched.items()
            if not watched.is_looked_at and watched.look_at <= now
        ]
        chosen = sorted(due, key=lambda key: self._watched[key].need)[:free]
        for key in chosen:
            self._watched[key].is_looked_at = True
        return chosen

    def _look_at(self, key: Key, watched: Watched) -> None:
        wait, integration = self._look_again, self._integrations().get(key[0])
        cashier = integration.cashiers.get(key[1]) if integration is not None else None
        try:
            if integration is not None and cashier is not None:
                wait = self._seconds_to_next_look(watched, integration, cashier)
        except Exception as error:  # whatever it is, it is this cashier's alone
            _log.error("shift_look_broke", integration=key[0], cashier=key[1], exc_info=error)
        finally:
            watched.look_at = time.monotonic() + wait
            watched.is_looked_at = False

    def _seconds_to_next_look(self, watched: Watched, integration: Integration, cashier: Cashier) -> float:
        try:
            with self._sessions.enter(integration, cashier) as session:
                left = self._look(session, integration, cashier)
        except Verdict as verdict:
            reason = verdict.code.value if isinstance(verdict, Rejected) else type(verdict).__name__
            _log.info("shift_not_looked_at", integration=integration.id, cashier=cashier.id, reason=reason)
            return self._after(verdict, watched)
        watched.faults = 0
        watched.closing_at = time.monotonic() + left
        return min(self._look_again, left if left > 0 else _TRY_AGAIN)

    def _after(self, verdict: Verdict, watched: Watched) -> float:
        if isinstance(verdict, Rejected):
            return self._look_again
        if isinstance(verdict, Unavailable):
            watched.faults += 1
            backoff = min(_LONGEST_BACKOFF, _TRY_AGAIN * 2.0 ** min(watched.faults - 1, 10))
            return max(backoff, verdict.retry_after or 0.0)
        assert isinstance(verdict, Postponed)
        return min(_TRY_AGAIN, verdict.after)

    @property
    def _look_again(self) -> float:
        return min(max(_LOOK_AGAIN, len(self._watched) / _LOOKS_A_SECOND), _LOOK_AGAIN_AT_LEAST)

    def _look(self, session: Session, integration: Integration, cashier: Cashier) -> float:
        """Seconds until the shift is to be closed; 0 or less: it was tried."""
        rollover_after = integration.rollover_after.total_seconds()
        session.doubt_shift()
        shift = session.shift(rollover_after)
        if shift is None or not shift.is_open:
            return math.inf
        left = seconds_to_closing(shift, rollover_after, time.time())
        if left <= 0 and close(session, shift, time.time()):
            _log.info("shift_rolled_over", integration=integration.id, cashier=cashier.id)
        return left
