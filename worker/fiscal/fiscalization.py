"""The story: from a request of Bimp to a receipt with a number, in passes that hold no thread for waiting."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from worker.fiscal.integrations import Cashier, Integration
from worker.fiscal.issuing import Issuing, Surroundings
from worker.fiscal.number_times import NumberTimes
from worker.fiscal.order import Request
from worker.fiscal.outcomes import Code, Fiscalized, Postponed, Rejected
from worker.fiscal.planner import Plan, plan
from worker.fiscal.ports import ArchiveCheck, CashierSessions
from worker.fiscal.trail import Trail


class Fiscalization:
    """What the worker does with a request."""

    def __init__(
        self,
        integrations: Callable[[], Mapping[str, Integration]],
        sessions: CashierSessions,
        archive: ArchiveCheck | None,
        clock: Callable[[], float],
        return_wait: float,
        warn: Callable[[str], None],
        duplicate_prevented: Callable[[], None],
    ) -> None:
        self._integrations = integrations
        self._sessions = sessions
        self._surroundings = Surroundings(
            archive, clock, return_wait, NumberTimes(), duplicate_prevented, warn
        )

    def fiscalize(self, request: Request, trail: Trail, planned: Plan | None = None) -> Fiscalized:
        """One pass; raises a ``Verdict`` when it does not end in a numbered receipt.

        ``planned`` is what an earlier pass made of the same request; a receipt that exists was made by it.
        """
        integration, cashier = self._chosen(request)
        planned = planned or plan(request, integration, trail.first_seen)
        with self._sessions.enter(integration, cashier) as session:
            issuing = Issuing(request, planned.receipt, trail, integration, session, self._surroundings)
            try:
                return issuing.run()
            except Postponed as wait:
                wait.planned = planned
                raise
            finally:
                if issuing.has_sold:
                    for warning in planned.warnings:
                        self._surroundings.warn(warning)

    def _chosen(self, request: Request) -> tuple[Integration, Cashier]:
        integration = self._integrations().get(request.integration)
        if integration is None or integration.is_foreign(request.source):
            raise Rejected(Code.UNKNOWN_INTEGRATION, {"integration": request.integration})
        cashier = integration.cashiers.get(request.cashier)
        if cashier is None:
            raise Rejected(
                Code.UNKNOWN_CASHIER, {"integration": request.integration, "cashier": request.cashier}
            )
        return integration, cashier
