"""The sessions of a process's cashiers, each for one thread at a time."""

from __future__ import annotations

import math
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from worker.checkbox.client import CheckboxClient
from worker.checkbox.isolation import Isolation
from worker.checkbox.session import ReceiptRate, Session
from worker.checkbox.tax_table import TaxTables
from worker.fiscal.integrations import Cashier, Integration
from worker.fiscal.outcomes import Postponed
from worker.fiscal.reasons import Wait
from worker.interprocess.rate_limiter import Reservations
from worker.telemetry import metrics

#: Seconds for which a pass uses the session: the first guess, and the most that counts for the estimate.
_TYPICAL_USE = 0.1
_LONGEST_USE = 2.0


class _Lane:
    """A session, and the queue for it."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self.lock = threading.Lock()
        self._reservations = Reservations()
        self._typical_use = _TYPICAL_USE

    def reserve(self, now: float) -> float:
        return self._reservations.reserve(now, self._typical_use)

    def was_used(self, seconds: float) -> None:
        self._typical_use += (min(seconds, _LONGEST_USE) - self._typical_use) / 8


class Sessions:
    """By credentials: rows with one login share a session, a changed password makes a new one."""

    def __init__(self, client: CheckboxClient, rate: ReceiptRate, isolation: Isolation) -> None:
        self._client = client
        self._rate = rate
        self._isolation = isolation
        self._tax_tables = TaxTables(rate.monotonic)
        self._lock = threading.Lock()
        self._lanes: dict[tuple[object, ...], _Lane] = {}
        self._shown: dict[tuple[str, str], float] = {}
        self._shown_unfinished: dict[tuple[str, str], float] = {}

    @contextmanager
    def enter(self, integration: Integration, cashier: Cashier) -> Iterator[Session]:
        """Take the cashier's session for this thread.

        Raises ``Postponed`` while another thread has it, and whatever ``Isolation.guard`` does.
        """
        lane = self._lane(integration, cashier)
        began = self._rate.monotonic()
        if not lane.lock.acquire(blocking=False):
            raise Postponed(lane.reserve(began), Wait.CASHIER_IN_USE)
        session = lane.session
        try:
            with self._isolation.guard(integration, cashier):
                session.serve(cashier)
                yield session
        finally:
            try:
                session.leave()
                lane.was_used(self._rate.monotonic() - began)
                self._show_shift(integration.id, cashier.id, session.shift_opened_at)
                self._show_unfinished(integration.id, cashier.id, session.unfinished_since)
            finally:
                lane.lock.release()

    def shown_for_longer_than(self, seconds: float) -> list[tuple[str, str]]:
        """Integration and cashier of shifts that the metrics show, opened that long ago."""
        now = self._rate.clock()
        return [key for key, opened_at in self._shown.copy().items() if now - opened_at >= seconds]

    def show_no_shift(self, integration: str, cashier: str) -> None:
        """The row is not in the configuration any more."""
        self._show_shift(integration, cashier, math.nan)
        self._show_unfinished(integration, cashier, math.nan)

    def _show_shift(self, integration: str, cashier: str, opened_at: float) -> None:
        if _show(self._shown, (integration, cashier), opened_at):
            metrics.SHIFT_OPENED.labels(integration, cashier).set(opened_at)

    def _show_unfinished(self, integration: str, cashier: str, since: float) -> None:
        if _show(self._shown_unfinished, (integration, cashier), since):
            metrics.SHIFT_HELD_BACK.labels(integration, cashier).set(since)

    def _lane(self, integration: Integration, cashier: Cashier) -> _Lane:
        url = integration.checkbox_url
        by_password = cashier.login is not None and cashier.password is not None
        credentials = (
            (cashier.login, cashier.password) if by_password else (cashier.pin_code, cashier.license_key)
        )
        key = (url, by_password, *credentials)
        with self._lock:
            lane = self._lanes.get(key)
            if lane is None:
                lane = self._lanes[key] = _Lane(
                    Session(self._client, url, cashier, self._rate, self._tax_tables)
                )
            return lane


def _show(shown: dict[tuple[str, str], float], key: tuple[str, str], value: float) -> bool:
    """Whether the value differs from the one that was shown; NaN stands for none."""
    before = shown.get(key, math.nan)
    if before == value or (math.isnan(before) and math.isnan(value)):
        return False
    shown[key] = value
    return True
