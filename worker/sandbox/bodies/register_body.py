"""A register as Checkbox lists it, with its open shift."""

from __future__ import annotations

from worker.sandbox.bodies.party_body import ADDRESS, branch, is_offline, register_in_shift
from worker.sandbox.bodies.shift_body import Body, shift_with_cashier
from worker.sandbox.ledger import Register


def register_in_list(register: Register, now: float) -> Body:
    return {
        **register_in_shift(register),
        "is_test": register.is_test,
        "shift": shift_with_cashier(register.shift, now) if register.shift else None,
        "offline_mode": is_offline(register, now),
        "stay_offline": register.stay_offline,
        "branch": branch(register),
        "address": ADDRESS,
        "type": 0,
    }
