"""A prepayment of the whole order is the order's sale, with the sale's id; as what it was posted, it stays.

Cash may come to the whole by rounding alone, and the integration's rounding may change between two passes.
"""

from __future__ import annotations

from dataclasses import replace

from worker.fiscal.attempt_state import AttemptState
from worker.fiscal.chain import is_whole
from worker.fiscal.integrations import CashRounding, Integration
from worker.fiscal.issuing import LONGEST_LOOK, SETTLED_AFTER
from worker.fiscal.order import Operation, Request
from worker.fiscal.outcomes import Postponed, Unavailable, Verdict
from worker.fiscal.reasons import Wait


def as_sale(request: Request, integration: Integration, state: AttemptState) -> Request:
    """The request as the sale that it is, or was when it was posted; any other as it is."""
    if request.operation is not Operation.PREPAYMENT:
        return request
    posted = state.posted_as_sale
    is_sale = is_whole(request, integration.cash_rounding) if posted is None else posted
    return replace(request, operation=Operation.SELL) if is_sale else request


def after_pass(asked: Operation, done_as: Operation, state: AttemptState, verdict: Verdict) -> AttemptState:
    """The attempt state that remembers as what a prepayment was posted, or may have been."""
    may_be_unanswered = isinstance(verdict, Unavailable) and verdict.may_have_sold
    if asked is not Operation.PREPAYMENT or not (state.posted_id or may_be_unanswered):
        return state
    return replace(state, posted_as_sale=done_as is Operation.SELL)


def await_other_kind(request: Request, state: AttemptState, now: float) -> None:
    """Raise ``Postponed`` while a receipt may appear that was posted by another rounding.

    Either kind looks for the other's receipts before it posts; half a minute later they are shown.
    """
    if state.posted_as_sale is not None or not _hangs_on_rounding(request):
        return
    current = state.taken_up(now)
    posted_at = current.may_have_posted_at
    if posted_at is None:
        return
    left = SETTLED_AFTER - (now - posted_at)
    if left > 0:
        raise Postponed(min(left, LONGEST_LOOK), Wait.RECEIPT_MAY_APPEAR, state=current)


def _hangs_on_rounding(request: Request) -> bool:
    is_prepayment = request.operation is Operation.PREPAYMENT
    return is_prepayment and len({is_whole(request, rounding) for rounding in CashRounding}) > 1
