"""Cash registers and offline mode."""

from __future__ import annotations

from worker.sandbox import offline
from worker.sandbox.bodies import party_body, register_body, shift_body
from worker.sandbox.clock import parse_iso
from worker.sandbox.endpoints.query import flag, moment, number, one, page, path_id
from worker.sandbox.endpoints.shifts import shift_page
from worker.sandbox.exchange import Call
from worker.sandbox.refusals import not_found
from worker.sandbox.replies import Reply, answer
from worker.sandbox.shifts import current_shift


def register_list(call: Call) -> Reply:
    """``in_use`` selects occupied or free registers."""
    now = call.state.clock.now()
    fiscal_number = one(call, "fiscal_number")
    in_use = flag(call, "in_use", default=None)
    found = [
        register
        for register in call.state.registers.values()
        if register.organization is call.cashier.organization
        and (fiscal_number is None or register.fiscal_number == fiscal_number)
        and (in_use is None or in_use == (current_shift(register, now) is not None))
    ]
    chosen, limit, offset = page(call, found, 1000)
    return answer(
        shift_body.page([register_body.register_in_list(item, now) for item in chosen], limit, offset)
    )


def register_get(call: Call) -> Reply:
    register = call.state.registers_by_id.get(path_id(call, "cash_register_id"))
    if register is None:
        raise not_found("Касу")
    return answer(register_body.register_in_list(register, call.state.clock.now()))


def register_info(call: Call) -> Reply:
    now = call.state.clock.now()
    current_shift(call.register, now)
    return answer(party_body.register_info(call.register, now))


def ping_tax_service(call: Call) -> Reply:
    is_silent = party_body.is_offline(call.register, call.state.clock.now())
    return answer(_fiscal_response("TIMEOUT" if is_silent else "DONE"))


def go_offline(call: Call) -> Reply:
    date = call.body.get("go_offline_date")
    start = parse_iso(date) if date else call.state.clock.now()
    return answer(offline.go_offline(call.register, start, call.body.get("fiscal_code")))


def go_online(call: Call) -> Reply:
    return answer(offline.go_online(call.state, call.register, call.cashier.login))


def ask_offline_codes(call: Call) -> Reply:
    number(call, "count", 2000, low=1, high=10_000)
    if party_body.is_offline(call.register, call.state.clock.now()):
        return answer(_fiscal_response("ERROR"))
    offline.codes(call.state, call.register)
    return answer(_fiscal_response("DONE" if flag(call, "sync", default=False) else "OK"))


def get_offline_codes(call: Call) -> Reply:
    count = number(call, "count", 150, low=1, high=10_000)
    return answer(offline.listed_codes(call.state, call.register, count))


def get_offline_codes_count(call: Call) -> Reply:
    return answer(offline.count_of_codes(call.state, call.register))


def get_offline_time(call: Call) -> Reply:
    start, end = moment(call, "from_date"), moment(call, "to_date")
    return answer(offline.offline_time(call.register, call.state.clock.now(), start, end))


def register_shifts(call: Call) -> Reply:
    """Shifts of all cashiers by licence key; the bodies name neither cashier nor register."""
    return shift_page(call, call.register.shifts, most=50, with_register=False)


def _fiscal_response(status: str) -> shift_body.Body:
    return {"status": status, "error": None, "response_status": None, "response": None}
