"""Reports, and documents sent to the tax service."""

from __future__ import annotations

from worker.sandbox.bodies import printed, printed_report, report_body, shift_body
from worker.sandbox.endpoints.query import (
    choices,
    flag,
    ids,
    moment,
    number,
    one,
    page,
    path_id,
    required_moment,
)
from worker.sandbox.exchange import Call
from worker.sandbox.ledger import Report
from worker.sandbox.refusals import not_found, shift_not_opened
from worker.sandbox.replies import Reply, answer
from worker.sandbox.shifts import current_shift, make_report
from worker.sandbox.transactions import TRANSACTION_STATUSES, TRANSACTION_TYPES

_PLAIN = "text/plain; charset=utf-8"


def report_create(call: Call) -> Reply:
    now = call.state.clock.now()
    shift = current_shift(call.cashier, now)
    if shift is None:
        raise shift_not_opened()
    shift.register.report_serial += 1
    report = make_report(call.state, shift, is_z_report=False, serial=shift.register.report_serial)
    return answer(report_body.report(report, now), 201)


def report_get(call: Call) -> Reply:
    report = _report(call)
    return answer(report_body.report(report, call.state.clock.now()))


def report_list(call: Call) -> Reply:
    """Reports of the signed-in cashier."""
    return _report_page(call, [item for item in _reports(call) if item.shift.cashier is call.cashier])


def report_search(call: Call) -> Reply:
    """Reports of the organization, optionally by register."""
    registers = ids(call, "cash_register_id")
    organization = call.cashier.organization
    found = [
        item
        for item in _reports(call)
        if item.shift.register.organization is organization
        and (registers is None or item.shift.register.id in registers)
    ]
    return _report_page(call, found)


def periodical(call: Call) -> Reply:
    """Totals of a register's Z reports in a period, as plain text."""
    start, end = required_moment(call, "from_date"), required_moment(call, "to_date")
    width = number(call, "width", 42, low=10, high=250)
    is_short = flag(call, "is_short", default=False)
    shifts = [
        shift
        for shift in call.register.shifts
        if shift.z_report is not None and start <= shift.z_report.created_at < end
    ]
    text = printed_report.periodical(shifts, width, is_short=is_short)
    return Reply(text.encode(), media_type=_PLAIN)


def report_text(call: Call) -> Reply:
    width = number(call, "width", 42, low=10, high=250)
    return Reply(printed_report.text(_report(call), width).encode(), media_type=_PLAIN)


def report_png(call: Call) -> Reply:
    return Reply(printed.png(_report(call).id), media_type="image/png")


def transaction_list(call: Call) -> Reply:
    now = call.state.clock.now()
    statuses = choices(call, "status", TRANSACTION_STATUSES)
    types = choices(call, "type", TRANSACTION_TYPES)
    found = [
        item
        for item in call.state.transactions.values()
        if item.cashier_id == call.cashier.id
        and (statuses is None or item.status(now) in statuses)
        and (types is None or item.type in types)
    ]
    chosen, limit, offset = page(call, found, 1000)
    return answer(shift_body.page([shift_body.transaction(item, now) for item in chosen], limit, offset))


def transaction_get(call: Call) -> Reply:
    item = call.state.transactions.get(path_id(call, "transaction_id"))
    if item is None:
        raise not_found("Транзакцію")
    return answer(shift_body.whole_transaction(item, call.state.clock.now()))


def _reports(call: Call) -> list[Report]:
    """ASSUMED: the dates refer to the creation, ``to_date`` exclusive as in the search of receipts."""
    start, end = moment(call, "from_date"), moment(call, "to_date")
    shifts, serial = ids(call, "shift_id"), one(call, "serial")
    is_z_report = flag(call, "is_z_report", default=None)
    return [
        item
        for item in call.state.reports.values()
        if (start is None or item.created_at >= start)
        and (end is None or item.created_at < end)
        and (shifts is None or item.shift.id in shifts)
        and (serial is None or str(item.serial) == serial)
        and (is_z_report is None or item.is_z_report == is_z_report)
    ]


def _report_page(call: Call, found: list[Report]) -> Reply:
    now = call.state.clock.now()
    chosen, limit, offset = page(call, found, 1000)
    return answer(shift_body.page([report_body.report(item, now) for item in chosen], limit, offset))


def _report(call: Call) -> Report:
    report = call.state.reports.get(path_id(call, "report_id"))
    if report is None:
        raise not_found("Звіт")
    return report
