"""Sign-in, the cashier, and the organization."""

from __future__ import annotations

from worker.sandbox.bodies import party_body, shift_body
from worker.sandbox.clock import iso
from worker.sandbox.exchange import Call
from worker.sandbox.replies import Reply, answer
from worker.sandbox.shifts import current_shift


def status(call: Call) -> Reply:
    return answer({"status": "ok", "timestamp": iso(call.state.clock.now())})


def sign_in(call: Call) -> Reply:
    return _token(call.state.sign_in(call.body["login"], call.body["password"]))


def sign_in_pin_code(call: Call) -> Reply:
    return _token(call.state.sign_in_by_pin_code(call.register, call.body["pin_code"]))


def sign_out(call: Call) -> Reply:
    call.state.revoke(call.token or "")
    return Reply(b"null" if call.state.options.sign_out_body == "null" else b"", 205)


def cashier_me(call: Call) -> Reply:
    return answer(party_body.cashier_me(call.cashier))


def cashier_shift(call: Call) -> Reply:
    """JSON null if there is no shift."""
    now = call.state.clock.now()
    shift = current_shift(call.cashier, now)
    return answer(shift_body.shift(shift, now) if shift else None)


def check_signature(call: Call) -> Reply:
    return answer(party_body.signature_status(call.cashier, call.state.clock.now()))


def cashier_tax(call: Call) -> Reply:
    return answer(shift_body.tax_list(call.cashier.organization))


def tax(call: Call) -> Reply:
    return answer(shift_body.tax_list(call.register.organization))


def organization_cashiers(call: Call) -> Reply:
    organization = call.cashier.organization
    cashiers = call.state.cashiers.values()
    return answer([party_body.workplace(item) for item in cashiers if item.organization is organization])


def billing_status(call: Call) -> Reply:
    return answer(party_body.billing_status(call.cashier.organization))


def _token(token: str) -> Reply:
    return answer({"type": "bearer", "token_type": "bearer", "access_token": token})
