"""One shop's trouble is its own: what a cashier, an integration and an address may take of a process.

Nearly all integrations share Checkbox's one address. So its circuit opens only when three integrations that
it had served met silence and no answer came in between; an integration's, when three of its cashiers did.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import lru_cache
from urllib.parse import urlsplit

from worker.fiscal.integrations import Cashier, Integration
from worker.fiscal.outcomes import Postponed, Unavailable
from worker.fiscal.reasons import Reason, Wait
from worker.http.bulkhead import Bulkhead, BulkheadFull
from worker.http.circuit_breaker import CircuitBreakers, CircuitOpen, Scope

#: Different callers for whom silence opens the circuit of an integration, or of an address.
_THRESHOLD = 3
#: Seconds for which an answer proves that a cashier is served.
_PROVEN = 600.0


class Isolation:
    """Of one process; shared by its threads."""

    def __init__(self, threads: int, monotonic: Callable[[], float]) -> None:
        """``threads`` is what one integration may have; the process has twice as many (``threads_of``)."""
        self._threads = threads
        self._monotonic = monotonic
        self._breakers = CircuitBreakers(monotonic, trials=max(1, threads // 4))
        self._bulkhead = Bulkhead(monotonic)
        self._answered_at: dict[str, float] = {}

    @contextmanager
    def guard(self, integration: Integration, cashier: Cashier) -> Iterator[None]:
        """Around a pass with this cashier's session.

        Raises ``Unavailable`` where one of the three is known to hang, and ``Postponed`` where that is being
        found out, or there are too many passes at once; nothing was sent then.
        """
        key = f"{integration.id}/{cashier.id}"
        address = _address(integration.checkbox_url)
        scopes = (
            Scope("cashier", key, key, 1),
            Scope("integration", integration.id, key, _THRESHOLD),
            Scope("address", address, integration.id, _THRESHOLD, counts=self._is_proven(key)),
        )
        try:
            with (
                self._breakers.closed(scopes) as heard,
                self._bulkhead.within(self._limits(key, integration.id, address)),
            ):
                try:
                    yield
                finally:
                    self._note(key, heard.is_silent)
        except CircuitOpen as circuit:
            if not circuit.is_certain:
                raise Postponed(circuit.seconds, Wait.THREADS_IN_USE) from None
            raise Unavailable({"reason": Reason.CIRCUIT_OPEN}, retry_after=circuit.seconds) from None
        except BulkheadFull as full:
            raise Postponed(full.seconds, Wait.THREADS_IN_USE) from None

    def _limits(self, cashier: str, integration: str, address: str) -> dict[str, int]:
        """A cashier that was not answered lately may hang, and so may all others like it."""
        limits = {
            f"integration {integration}": self._threads,
            f"address {address}": self._threads + max(1, self._threads // 2),
        }
        if not self._is_proven(cashier):
            limits["unproven"] = self._threads
        return limits

    def _is_proven(self, cashier: str) -> bool:
        answered_at = self._answered_at.get(cashier)
        return answered_at is not None and self._monotonic() - answered_at <= _PROVEN

    def _note(self, cashier: str, is_silent: bool | None) -> None:
        if is_silent:
            self._answered_at.pop(cashier, None)
        elif is_silent is False:
            self._answered_at[cashier] = self._monotonic()


def threads_of(threads: int) -> int:
    """Threads of a process in which one integration has ``threads``."""
    return 2 * threads


@lru_cache(maxsize=1024)
def _address(url: str) -> str:
    return urlsplit(url).netloc
