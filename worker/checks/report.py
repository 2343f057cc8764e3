"""What a check came to, for people who ask the fleet: the notice and, of each cashier, shift and key."""

from __future__ import annotations

from typing import Any

from worker.checks.finding import Finding
from worker.checks.integration import Checked, CheckedCashier
from worker.checks.texts import message
from worker.fiscal.instants import rfc3339


def report(checked: Checked, now: float) -> dict[str, Any]:
    """For JSON; times by RFC 3339, null where not known. ``now`` is in seconds since the epoch."""
    return {
        "integration": checked.integration,
        "checkedAt": rfc3339(now),
        "subscriptionEnd": _time(checked.subscription_end),
        "findings": [_finding(one) for one in checked.findings],
        "cashiers": [_cashier(one) for one in checked.cashiers],
    }


def _finding(finding: Finding) -> dict[str, Any]:
    return {
        "severity": finding.code.severity.value,
        "code": finding.code.value,
        "message": message(finding),
    }


def _cashier(one: CheckedCashier) -> dict[str, Any]:
    seen = one.seen
    shift = seen.shift if seen is not None else None
    me = seen.me if seen is not None else None
    register = seen.register if seen is not None else None
    number = shift.register_number if shift is not None else None
    return {
        "id": one.id,
        "name": one.name,
        "register": number or (register.fiscal_number if register is not None else None),
        "shift": None
        if seen is None or not seen.is_shift_known
        else {
            "state": shift.status if shift is not None else "NONE",
            "openedAt": _time(shift.opened_at if shift is not None and not shift.is_closed else None),
        },
        "keyEnd": _time(me.certificate_end if me is not None else None),
    }


def _time(moment: float | None) -> str | None:
    return None if moment is None else rfc3339(moment)
