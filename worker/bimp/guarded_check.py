"""The archive check behind a bulkhead and a circuit breaker: while Bimp hangs, it takes some threads only."""

from __future__ import annotations

from collections.abc import Callable
from uuid import UUID

from worker.fiscal.outcomes import Postponed, Unavailable
from worker.fiscal.ports import ArchiveCheck
from worker.fiscal.reasons import Reason, Wait
from worker.http.bulkhead import Bulkhead, BulkheadFull
from worker.http.circuit_breaker import CircuitBreakers, CircuitOpen, Scope, listening

_SCOPE = Scope("service", Reason.ARCHIVE_CHECK, caller="worker", threshold=1)


class GuardedArchiveCheck:
    """One for each process, shared by its threads."""

    def __init__(self, check: ArchiveCheck, threads: int, monotonic: Callable[[], float]) -> None:
        """At most ``threads`` ask at once."""
        self._check = check
        self._threads = threads
        self._breakers = CircuitBreakers(monotonic, trials=1)
        self._bulkhead = Bulkhead(monotonic)

    def is_archived(self, order: UUID) -> bool:
        """Raises ``Unavailable`` where Bimp does not answer or hangs, ``Postponed`` where too many ask."""
        try:
            with (
                self._breakers.closed((_SCOPE,)),
                self._bulkhead.within({Reason.ARCHIVE_CHECK: self._threads}),
                listening(),
            ):
                return self._check.is_archived(order)
        except CircuitOpen as circuit:
            raise Unavailable(
                {"service": Reason.ARCHIVE_CHECK, "reason": Reason.CIRCUIT_OPEN}, circuit.seconds
            ) from None
        except BulkheadFull as full:
            raise Postponed(full.seconds, Wait.THREADS_IN_USE) from None
