"""Shifts: open, look at, close."""

from __future__ import annotations

from worker.sandbox.bodies import shift_body
from worker.sandbox.endpoints.query import moment, page, path_id
from worker.sandbox.exchange import Call
from worker.sandbox.ledger import Shift
from worker.sandbox.refusals import not_found, shift_not_opened
from worker.sandbox.replies import Reply, answer
from worker.sandbox.shifts import close_shift, open_shift


def shift_open(call: Call) -> Reply:
    shift = open_shift(call.state, call.cashier, call.register, call.body, call.client_name)
    return answer(shift_body.shift(shift, shift.created_at), 202)


def shift_close(call: Call) -> Reply:
    shift = close_shift(call.state, call.cashier, call.body, call.client_name)
    return answer(shift_body.shift(shift, shift.closing_at), 202)


def shift_close_by_senior(call: Call) -> Reply:
    """ASSUMED: every cashier of the organization is a senior one."""
    shift = _shift(call)
    if shift.register is not call.register or shift.status(call.state.clock.now()) != "OPENED":
        raise shift_not_opened()
    close_shift(call.state, shift.cashier, call.body, call.client_name)
    return answer(shift_body.shift(shift, shift.closing_at))


def shift_list(call: Call) -> Reply:
    now = call.state.clock.now()
    statuses = call.query.get("statuses")
    start, end = moment(call, "from_date"), moment(call, "to_date")
    found = [
        shift
        for shift in call.state.shifts.values()
        if shift.cashier is call.cashier
        and (statuses is None or shift.status(now) in statuses)
        and (start is None or shift.created_at >= start)
        and (end is None or shift.created_at <= end)
    ]
    chosen, limit, offset = page(call, found, 1000)
    return answer(
        shift_body.page([shift_body.shift(shift, now, with_cashier=False) for shift in chosen], limit, offset)
    )


def shift_get(call: Call) -> Reply:
    return answer(shift_body.shift(_shift(call), call.state.clock.now()))


def _shift(call: Call) -> Shift:
    shift = call.state.shifts.get(path_id(call, "shift_id"))
    if shift is None:
        raise not_found("Зміну")
    return shift
