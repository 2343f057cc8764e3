"""Reports of a shift, and the documents sent to the tax service."""

from __future__ import annotations

from worker.sandbox.bodies import report_body, shift_body
from worker.sandbox.endpoints.query import page, path_id
from worker.sandbox.exchange import Call
from worker.sandbox.ledger import Report
from worker.sandbox.refusals import not_found, shift_not_opened
from worker.sandbox.replies import Reply, answer
from worker.sandbox.shifts import current_shift, make_report


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


def report_text(call: Call) -> Reply:
    report = _report(call)
    title = "Z-ЗВІТ" if report.is_z_report else "X-ЗВІТ"
    text = f"{title} {report.serial}\nЗАЛИШОК {report.shift.balance.balance / 100:.2f}\n"
    return Reply(text.encode(), media_type="text/plain; charset=utf-8")


def transaction_list(call: Call) -> Reply:
    now = call.state.clock.now()
    statuses, types = call.query.get("status"), call.query.get("type")
    found = [
        item
        for item in call.state.transactions.values()
        if item.shift is not None
        and item.shift.cashier is call.cashier
        and (statuses is None or item.status(now) in statuses)
        and (types is None or item.type in types)
    ]
    chosen, limit, offset = page(call, found, 1000)
    return answer(shift_body.page([shift_body.transaction(item, now) for item in chosen], limit, offset))


def transaction_get(call: Call) -> Reply:
    item = call.state.transactions.get(path_id(call, "transaction_id"))
    if item is None:
        raise not_found("Транзакцію")
    return answer(shift_body.transaction(item, call.state.clock.now()))


def _report(call: Call) -> Report:
    report = call.state.reports.get(path_id(call, "report_id"))
    if report is None:
        raise not_found("Звіт")
    return report
