"""Offline mode: the stock of fiscal codes, going offline and online."""

from __future__ import annotations

import math
from uuid import uuid4

from worker.sandbox.bodies.shift_body import Body
from worker.sandbox.clock import iso, month_start
from worker.sandbox.entities import OfflineSession
from worker.sandbox.ledger import Register
from worker.sandbox.refusals import offline_code_used
from worker.sandbox.state import State

#: The size of a register's stock of codes, and the level at which it is refilled (seen live).
_STOCK, _MINIMUM = 2000, 1000


def codes(state: State, register: Register) -> list[str]:
    """The unused codes."""
    known = set(register.offline_codes) | register.used_codes
    while register.refills_codes and (len(register.offline_codes) < _MINIMUM or len(known) < _STOCK):
        code = state.new_code(f"{register.license_key}/{len(known)}", known.__contains__)
        known.add(code)
        register.offline_codes.append(code)
    return list(register.offline_codes)


def take_code(state: State, register: Register) -> str:
    codes(state, register)
    return register.offline_codes.popleft()


def count_of_codes(state: State, register: Register) -> Body:
    available = len(codes(state, register))
    return {
        "available": available,
        "default": _STOCK,
        "minimal": _MINIMUM,
        "used": len(register.used_codes),
        "enough_offline_codes": available >= _MINIMUM,
    }


def listed_codes(state: State, register: Register, count: int) -> list[Body]:
    return [
        {
            "fiscal_code": code,
            "serial_id": serial,
            "cash_register_id": register.id,
            "created_at": iso(register.created_at),
        }
        for serial, code in enumerate(codes(state, register)[:count], start=1)
    ]


def go_offline(register: Register, start: float, fiscal_code: str | None) -> Body:
    """Raises ``Refusal``. No document reaches the tax service until ``go_online``."""
    if fiscal_code in register.used_codes:
        raise offline_code_used(str(fiscal_code))
    if fiscal_code is not None:
        register.used_codes.add(fiscal_code)
    if not register.stay_offline:
        register.stay_offline = True
        register.offline_sessions.append(OfflineSession(start))
    return {"status": "ok", "id": str(uuid4())}


def go_online(state: State, register: Register, login: str) -> Body:
    """Upload the offline documents, unless a fault prevents it."""
    now = state.clock.now()
    if state.faults.draw("upload", "POST /cash-registers/go-online", login, None):
        return {"status": "ok"}
    register.stay_offline = False
    register.silent_until = min(register.silent_until, now)
    if register.offline_sessions and not register.offline_sessions[-1].is_over(now):
        register.offline_sessions[-1].end = now
    for receipt in register.receipts:
        if math.isinf(receipt.transaction.done_at):
            receipt.transaction.done_at = now + state.options.done_after
    return {"status": "ok"}


def fall_silent(register: Register, now: float, until: float) -> None:
    """The tax service is silent until then: Checkbox switches the register to offline mode."""
    if until <= register.silent_until:
        return
    if register.silent_until > now:
        register.offline_sessions[-1].end = until
    else:
        register.offline_sessions.append(OfflineSession(now, until))
    register.silent_until = until


def offline_time(register: Register, now: float, start: float | None, end: float | None) -> Body:
    """Offline time in seconds. The law allows 36 hours in a row and 168 a month.

    ASSUMED: without ``start`` it is the current month in Kyiv; a session that overlaps it counts whole.
    """
    since = month_start(now) if start is None else start
    sessions = [
        session
        for session in register.offline_sessions
        if session.end > since and (end is None or session.start < end)
    ]
    durations = [int((session.end if session.is_over(now) else now) - session.start) for session in sessions]
    is_offline = bool(sessions) and not sessions[-1].is_over(now)
    return {
        "status": {"current": durations[-1] if is_offline else 0, "total": sum(durations)},
        "sessions": [
            {
                "start": iso(session.start),
                "end": iso(session.end) if session.is_over(now) else None,
                "duration": duration,
            }
            for session, duration in zip(sessions, durations, strict=True)
        ],
    }
