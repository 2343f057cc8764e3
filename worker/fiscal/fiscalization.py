"""From a request of Bimp to a receipt with a number, in passes that hold no thread for waiting."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import cache, partial

from worker.fiscal.attempt_state import AttemptState
from worker.fiscal.chain import Reason, is_whole, mismatch
from worker.fiscal.chain_payment import ChainPayment
from worker.fiscal.chain_return import ChainReturn
from worker.fiscal.goods_return import GoodsReturn
from worker.fiscal.integrations import Cashier, Integration
from worker.fiscal.issuing import Dependencies, Issuing
from worker.fiscal.order import Operation, Request
from worker.fiscal.outcomes import Code, Fiscalized, Rejected, Verdict
from worker.fiscal.plan import Plan
from worker.fiscal.planner import plan
from worker.fiscal.ports import CashierSessions
from worker.fiscal.sale import Sale


class Fiscalization:
    """What the worker does with a request."""

    def __init__(
        self,
        integrations: Callable[[], Mapping[str, Integration]],
        sessions: CashierSessions,
        dependencies: Dependencies,
    ) -> None:
        self._integrations = integrations
        self._sessions = sessions
        self._dependencies = dependencies

    def fiscalize(self, request: Request, trail: AttemptState) -> Fiscalized:
        """One pass; raises a ``Verdict`` when it does not end in a numbered receipt."""
        try:
            integration, cashier = self._chosen(request)
            request = _as_sale(request, integration)
            planned = cache(partial(_plan, request, integration, trail.first_seen))
            if not trail.look_up_first:
                planned()  # what message and configuration alone decide needs no Checkbox
            with self._sessions.enter(integration, cashier) as session:
                issuing = Issuing(request, trail, integration, session, self._dependencies)
                return self._issue(issuing, planned)
        except Verdict as verdict:
            if verdict.receipt_made is None and verdict.trail is None and trail.posted_at is not None:
                verdict.receipt_made = True
            raise

    def _issue(self, issuing: Issuing, planned: Callable[[], Plan]) -> Fiscalized:
        try:
            return _KINDS[issuing.request.operation](issuing, planned).run()
        except Verdict as verdict:
            verdict.trail = issuing.trail
            if verdict.receipt_made is None:
                verdict.receipt_made = issuing.receipt_made
            raise
        finally:
            if issuing.has_posted:
                for warning in planned().warnings:
                    self._dependencies.warn(warning)

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


_KINDS: Mapping[
    Operation, Callable[[Issuing, Callable[[], Plan]], Sale | ChainPayment | GoodsReturn | ChainReturn]
] = {
    Operation.SELL: Sale,
    Operation.PREPAYMENT: ChainPayment,
    Operation.AFTERPAYMENT: ChainPayment,
    Operation.RETURN: GoodsReturn,
    Operation.PREPAYMENT_RETURN: ChainReturn,
}


def _as_sale(request: Request, integration: Integration) -> Request:
    """A prepayment of the whole order is its sale."""
    is_sale = request.operation is Operation.PREPAYMENT and is_whole(request, integration.cash_rounding)
    return replace(request, operation=Operation.SELL) if is_sale and integration.prepayments else request


def _plan(request: Request, integration: Integration, first_seen: float) -> Plan:
    """A return is planned without tax codes at first: they are its sale's."""
    tax_codes = (lambda _: ()) if request.operation is Operation.RETURN else None
    planned = plan(request, integration, first_seen, tax_codes)
    if request.operation.is_of_chain and not integration.prepayments:
        raise mismatch(Reason.NOT_ENABLED, receipt_made=None)
    return planned
