"""From a request of Bimp to a receipt with a number, in passes that hold no thread for waiting."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache, partial

from worker.fiscal.attempt_state import AttemptState
from worker.fiscal.chain import ChainReason, mismatch
from worker.fiscal.chain_payment import ChainPayment
from worker.fiscal.chain_return import ChainReturn
from worker.fiscal.configured import Integrations
from worker.fiscal.goods_return import GoodsReturn
from worker.fiscal.integrations import Integration
from worker.fiscal.issuing import Issuing, PassDependencies
from worker.fiscal.order import Operation, Request
from worker.fiscal.outcomes import Code, Fiscalized, Rejected, Verdict
from worker.fiscal.paid_whole import after_pass, as_sale, await_other_kind
from worker.fiscal.plan import Plan
from worker.fiscal.planner import check_currency, plan
from worker.fiscal.ports import CashierSessions
from worker.fiscal.sale import Sale


class Fiscalization:
    """What the worker does with a request."""

    def __init__(
        self,
        integrations: Callable[[], Integrations],
        sessions: CashierSessions,
        dependencies: PassDependencies,
    ) -> None:
        self._integrations = integrations
        self._sessions = sessions
        self._dependencies = dependencies

    def fiscalize(self, request: Request, state: AttemptState) -> Fiscalized:
        """One pass; raises a ``Verdict`` when it does not end in a numbered receipt."""
        try:
            integration, cashier = self._integrations().choose(
                request.integration, request.cashier, request.source
            )
            check_currency(request.order)  # the plan waits for a look where the request may have sold before
            await_other_kind(request, state, self._dependencies.clock())
            asked, request = request.operation, as_sale(request, integration, state)
            planned = cache(partial(_plan, request, integration, state.first_seen, asked))
            if not state.look_up_first:
                planned()  # what message and configuration alone decide needs no Checkbox
            with self._sessions.enter(integration, cashier) as session:
                issuing = Issuing(request, state, integration, session, self._dependencies)
                return self._issue(issuing, planned, asked)
        except Verdict as verdict:
            if verdict.receipt_made is None and verdict.state is None and state.posted_at is not None:
                verdict.receipt_made = True
            raise

    def _issue(self, issuing: Issuing, planned: Callable[[], Plan], asked: Operation) -> Fiscalized:
        done_as = issuing.request.operation
        try:
            return _KINDS[done_as](issuing, planned).run()
        except Verdict as verdict:
            verdict.state = after_pass(asked, done_as, issuing.state, verdict)
            if verdict.receipt_made is None:
                verdict.receipt_made = issuing.receipt_made
            raise
        finally:
            if issuing.has_posted:
                for warning in planned().warnings:
                    self._dependencies.warn(warning)


def decide_alone(request: Request, integrations: Integrations, first_seen: float) -> None:
    """The verdicts that need no Checkbox. Raises ``Rejected``; ``first_seen`` in seconds since the epoch."""
    integration, _ = integrations.choose(request.integration, request.cashier, request.source)
    _plan(request, integration, first_seen, request.operation)
    if request.order.archived:
        raise Rejected(Code.ORDER_ARCHIVED)


_KINDS: Mapping[
    Operation, Callable[[Issuing, Callable[[], Plan]], Sale | ChainPayment | GoodsReturn | ChainReturn]
] = {
    Operation.SELL: Sale,
    Operation.PREPAYMENT: ChainPayment,
    Operation.AFTERPAYMENT: ChainPayment,
    Operation.RETURN: GoodsReturn,
    Operation.PREPAYMENT_RETURN: ChainReturn,
}


def _plan(request: Request, integration: Integration, first_seen: float, asked: Operation) -> Plan:
    """A return is planned without tax codes at first: they are its sale's.

    ``asked``: the operation of the message, which may have become a sale.
    """
    tax_codes = (lambda _: ()) if request.operation is Operation.RETURN else None
    planned = plan(request, integration, first_seen, tax_codes)
    if asked.is_of_chain and not integration.prepayments:
        raise mismatch(ChainReason.NOT_ENABLED, receipt_made=None)
    return planned
