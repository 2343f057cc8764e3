"""The checks of receipts and what they lead to: sales, returns, cash put into the till and taken out."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any

from worker.sandbox.arithmetic import Totals, total_up
from worker.sandbox.bodies.party_body import is_offline
from worker.sandbox.bodies.receipt_body import fixed_members, fixed_members_of_service
from worker.sandbox.clock import iso, parse_iso
from worker.sandbox.entities import Sums
from worker.sandbox.external import external_totals
from worker.sandbox.issuing import SELL, SERVICE, issue, make_offline, new_receipt
from worker.sandbox.ledger import Cashier, Receipt, Shift
from worker.sandbox.offline import codes
from worker.sandbox.refusals import (
    fiscal_date_before_shift,
    no_offline_codes,
    offline_code_used,
    previous_receipt_differs,
    receipt_exists,
    shift_not_opened,
    shift_open_over_24h,
    should_be_offline,
    till_short,
    total_sum_disabled,
)
from worker.sandbox.shifts import current_shift
from worker.sandbox.state import State


def sell(state: State, cashier: Cashier, body: Mapping[str, Any], request: bytes) -> bytes:
    """A sale or a return: the 201 body. Raises ``Refusal``, and then nothing was made and the id stays free.

    Of the order of the checks only this is known: a duplicate id is refused in every state of the first
    receipt, whatever the payload.
    """
    shift = ready_shift(state, cashier, body)
    totals = checked_totals(state, shift, body)
    return issue(state, of_goods(state, shift, body, request, totals), totals)


def sell_offline(state: State, cashier: Cashier, body: Mapping[str, Any], request: bytes) -> bytes:
    """A receipt with a code from the register's stock and a time set by the client. Raises ``Refusal``."""
    shift = ready_shift(state, cashier, body)
    _check_offline(shift, body)
    totals = checked_totals(state, shift, body)
    return _issue_offline(state, of_goods(state, shift, body, request, totals), body, totals)


def add_external(state: State, cashier: Cashier, body: Mapping[str, Any], request: bytes) -> bytes:
    """A receipt that the client has calculated itself; with ``fiscal_code`` it was made offline.

    Raises ``Refusal``.
    """
    shift = ready_shift(state, cashier, body)
    totals = external_totals(body)
    if body.get("fiscal_code") is None:
        return issue(state, of_goods(state, shift, body, request, totals, is_external=True), totals)
    _check_offline(shift, body)
    receipt = of_goods(state, shift, body, request, totals, is_external=True)
    return _issue_offline(state, receipt, body, totals)


def validate(state: State, cashier: Cashier, body: Mapping[str, Any]) -> None:
    """All the checks of a sale, and nothing is stored. Raises ``Refusal``."""
    checked_totals(state, ready_shift(state, cashier, body), body)


def service(state: State, cashier: Cashier, body: Mapping[str, Any], request: bytes) -> bytes:
    """Cash put into the till (above 0) or taken out: the 201 body. Raises ``Refusal``."""
    shift = ready_shift(state, cashier, body)
    value = body["payment"]["value"]
    if shift.register.till + value < 0:
        raise till_short()
    sums = Sums(total=abs(value), round_sum=0, cash=abs(value), card=0)
    fixed = fixed_members_of_service(body, abs(value))
    kind = "SERVICE_IN" if value >= 0 else "SERVICE_OUT"
    return issue(state, new_receipt(state, shift, body, request, kind, sums, fixed, SERVICE), None)


def ready_shift(state: State, cashier: Cashier, body: Mapping[str, Any]) -> Shift:
    """The open shift in which the receipt of this body may be issued. Raises ``Refusal``."""
    now = state.clock.now()
    receipt_id = (body.get("id") or "").lower()
    shift = current_shift(cashier, now)
    is_open = shift is not None and shift.status(now) == "OPENED"
    if receipt_id in state.receipts and (is_open or state.options.duplicate_before_shift):
        state.duplicates_refused += 1
        raise receipt_exists()
    if shift is None or not is_open:
        raise shift_not_opened()
    if shift.is_older_than_a_day(now):
        raise shift_open_over_24h(state.options)
    if is_offline(shift.register, now) and not codes(state, shift.register):
        raise no_offline_codes()
    previous = body.get("previous_receipt_id")
    stored = shift.register.receipts
    if previous is not None and (not stored or stored[-1].id != previous.lower()):
        raise previous_receipt_differs()
    return shift


def checked_totals(state: State, shift: Shift, body: Mapping[str, Any]) -> Totals:
    """Raises ``Refusal`` if the sums do not add up, or the till lacks the cash for a return."""
    if any(item.get("total_sum") is not None for item in body["goods"]):
        raise total_sum_disabled()
    totals = total_up(body, shift.register.organization, state.options)
    if totals.is_return and totals.cash > shift.register.till:
        raise till_short()
    return totals


def _check_offline(shift: Shift, body: Mapping[str, Any]) -> None:
    if not shift.register.stay_offline:
        raise should_be_offline()
    if parse_iso(body["fiscal_date"]) <= shift.opened_at:
        raise fiscal_date_before_shift(iso(shift.opened_at))
    if body["fiscal_code"] in shift.register.used_codes:
        raise offline_code_used(body["fiscal_code"])


def _issue_offline(state: State, receipt: Receipt, body: Mapping[str, Any], totals: Totals) -> bytes:
    """The 201 body has no transaction yet (seen live)."""
    make_offline(state, receipt, body["fiscal_code"], done_at=math.inf)
    receipt.fiscal_date = receipt.transaction.original_datetime = parse_iso(body["fiscal_date"])
    shown = json.loads(issue(state, receipt, totals))
    return json.dumps({**shown, "transaction": None, "transaction_id": None}, ensure_ascii=False).encode()


def of_goods(
    state: State,
    shift: Shift,
    body: Mapping[str, Any],
    request: bytes,
    totals: Totals,
    *,
    is_external: bool = False,
    endpoint: str = SELL,
) -> Receipt:
    """A receipt of these lines and payments; ``endpoint`` is where it was asked for, as faults name it."""
    sums = Sums(total=totals.total, round_sum=totals.round_sum, cash=totals.cash, card=totals.card)
    kind = "RETURN" if totals.is_return else "SELL"
    fixed = fixed_members(body, totals, state.options)
    receipt = new_receipt(state, shift, body, request, kind, sums, fixed, endpoint)
    receipt.is_external = is_external
    return receipt
