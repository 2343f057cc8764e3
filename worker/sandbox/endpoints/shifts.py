"""Shifts: open, read, close."""

from __future__ import annotations

from collections.abc import Iterable

from worker.sandbox.bodies import shift_body
from worker.sandbox.endpoints.query import choices, moment, page, path_id
from worker.sandbox.exchange import Call
from worker.sandbox.ledger import SHIFT_STATUSES, Shift
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
    """Shifts of the signed-in cashier."""
    own = [shift for shift in call.state.shifts.values() if shift.cashier is call.cashier]
    return shift_page(call, own, most=1000, with_register=True)


def shift_page(call: Call, shifts: Iterable[Shift], *, most: int, with_register: bool) -> Reply:
    """ASSUMED: the dates refer to the opening, ``to_date`` exclusive as in the search of receipts."""
    now = call.state.clock.now()
    statuses = choices(call, "statuses", SHIFT_STATUSES)
    start, end = moment(call, "from_date"), moment(call, "to_date")
    found = [
        shift
        for shift in shifts
        if (statuses is None or shift.status(now) in statuses)
        and (start is None or shift.created_at >= start)
        and (end is None or shift.created_at < end)
    ]
    chosen, limit, offset = page(call, found, most)
    results = [shift_body.listed_shift(shift, now, with_register=with_register) for shift in chosen]
    return answer(shift_body.page(results, limit, offset))


def shift_get(call: Call) -> Reply:
    return answer(shift_body.shift(_shift(call), call.state.clock.now()))


def _shift(call: Call) -> Shift:
    shift = call.state.shifts.get(path_id(call, "shift_id"))
    if shift is None:
        raise not_found("Зміну")
    return shift
