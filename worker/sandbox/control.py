"""The control API under /sandbox, for people and tests."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import asdict
from functools import partial
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from worker.sandbox import parties
from worker.sandbox.arithmetic import total_up
from worker.sandbox.booking import book
from worker.sandbox.clock import iso
from worker.sandbox.external import external_totals
from worker.sandbox.faults import Fault
from worker.sandbox.ledger import Receipt
from worker.sandbox.refusals import Refusal
from worker.sandbox.state import State

_Json = Mapping[str, Any]
_Action = Callable[[State, _Json], Any]


def control_routes(state: State, seed: Callable[[State], None]) -> list[BaseRoute]:
    """Bodies and answers are JSON objects; an invalid body is answered with 400."""
    posts: dict[str, _Action] = {
        "faults": _add_fault,
        "clock": _advance,
        "options": _set_options,
        "cashiers": parties.put_cashier,
        "organizations": parties.set_organization,
        "registers": parties.set_register,
        "shifts": parties.set_shift,
        "receipts/{receipt_id}": _set_receipt,
        "reset": lambda state, _: _reset(state, seed),
    }
    gets: dict[str, _Action] = {"ledger": _ledger, "counters": _counters, "faults": _list_faults}
    routes: list[BaseRoute] = [
        Route(f"/sandbox/{path}", _endpoint(partial(_posted, state, action)), methods=["POST"])
        for path, action in posts.items()
    ]
    routes += [
        Route(f"/sandbox/{path}", _endpoint(partial(_asked, state, action)), methods=["GET"])
        for path, action in gets.items()
    ]
    routes.append(
        Route("/sandbox/faults", _endpoint(partial(_asked, state, _clear_faults)), methods=["DELETE"])
    )
    return routes


def _endpoint(
    handle: Callable[[Request], Awaitable[Response]],
) -> Callable[[Request], Awaitable[Response]]:
    async def endpoint(request: Request) -> Response:
        try:
            return await handle(request)
        except KeyError as error:
            return JSONResponse({"error": f"no {error}"}, status_code=404)
        except Refusal as refusal:
            return JSONResponse({"error": str(refusal)}, status_code=409)
        except (ValueError, TypeError) as error:
            return JSONResponse({"error": str(error)}, status_code=400)

    return endpoint


async def _posted(state: State, action: _Action, request: Request) -> Response:
    raw = await request.body()
    body = json.loads(raw) if raw else {}
    if not isinstance(body, dict):
        raise ValueError("the body is a JSON object")
    return JSONResponse(action(state, {**body, **request.path_params}))


async def _asked(state: State, action: _Action, request: Request) -> Response:
    return JSONResponse(action(state, dict(request.query_params)))


def _ledger(state: State, query: _Json) -> Any:
    """All receipts in order of creation; ``?body=0`` omits the requests."""
    with_body = query.get("body", "1") not in ("0", "false")
    now = state.clock.now()
    return [_entry(receipt, now, with_body=with_body) for receipt in state.receipts.values()]


def _entry(receipt: Receipt, now: float, *, with_body: bool) -> dict[str, Any]:
    is_over = receipt.transaction.is_over(now)
    entry = {
        "id": receipt.id,
        "type": receipt.type,
        "status": receipt.status(now),
        "serial": receipt.serial,
        "fiscal_code": receipt.fiscal_code(now),
        "offline": receipt.is_offline,
        "error": receipt.transaction.error if is_over else None,
        "context": receipt.context,
        "cashier": receipt.shift.cashier.login,
        "organization": receipt.shift.register.organization.title,
        "register": receipt.shift.register.fiscal_number,
        "shift_id": receipt.shift.id,
        "related_receipt_id": receipt.related_receipt_id,
        "relation_id": (receipt.made_of or {}).get("pre_payment_relation_id"),
        **asdict(receipt.sums),
        "created_at": iso(receipt.created_at),
        "done_at": iso(receipt.transaction.done_at) if is_over else None,
        "shown_at": iso(receipt.shown_at) if receipt.shown_at is not None else None,
    }
    if with_body:
        entry["body"] = json.loads(receipt.request)
    return entry


def _counters(state: State, _: _Json) -> Any:
    now = state.clock.now()
    statuses: dict[str, int] = {}
    for receipt in state.receipts.values():
        status = receipt.status(now)
        statuses[status] = statuses.get(status, 0) + 1
    return {
        "requests": {endpoint: dict(counts) for endpoint, counts in state.requests.items()},
        "sign_ins": dict(state.sign_ins),
        "tokens": {login: len(one.tokens) for login, one in state.cashiers.items() if one.tokens},
        "faults": dict(state.faults.struck),
        "throttled": dict(state.throttled),
        "duplicates_refused": state.duplicates_refused,
        "receipts": statuses,
    }


def _list_faults(state: State, _: _Json) -> Any:
    return state.faults.listed()


def _clear_faults(state: State, _: _Json) -> Any:
    state.faults.clear()
    return []


def _add_fault(state: State, body: _Json) -> Any:
    settings = dict(body)
    state.faults.add(Fault.of(str(settings.pop("kind", "")), settings))
    return state.faults.listed()


def _advance(state: State, body: _Json) -> Any:
    state.clock.advance(float(body["advance_seconds"]))
    return {"now": iso(state.clock.now())}


def _set_options(state: State, body: _Json) -> Any:
    state.options = state.options.with_changes(body)
    return asdict(state.options)


def _set_receipt(state: State, body: _Json) -> Any:
    """End the receipt now, in DONE or in ERROR with ``words``; ERROR reverses its booking.

    GONE: it is lost, and only the shift's figures still count it.
    """
    receipt = state.receipts[body["receipt_id"].lower()]
    status = body["status"]
    if status not in ("DONE", "ERROR", "GONE"):
        raise ValueError("the status is DONE, ERROR or GONE")
    now = state.clock.now()
    if status == "GONE":
        state.lose(receipt)
        return _entry(receipt, now, with_body=False)
    transaction = receipt.transaction
    if status == "ERROR" and transaction.error is None:
        if not receipt.is_offline:
            _book(state, receipt, sign=-1)
        transaction.error = str(body.get("words", "Помилка перевірки документа"))
    elif status == "DONE" and transaction.error is not None:
        if not receipt.is_offline:
            _book(state, receipt, sign=1)
        transaction.error = None
    transaction.done_at = min(transaction.done_at, now)
    return _entry(receipt, now, with_body=False)


def _book(state: State, receipt: Receipt, *, sign: int) -> None:
    totals = None
    if receipt.type in ("SELL", "RETURN"):
        organization = receipt.shift.register.organization
        body = receipt.made_of or json.loads(receipt.request)
        totals = external_totals(body) if receipt.is_external else total_up(body, organization, state.options)
    book(receipt, totals, sign=sign)


def _reset(state: State, seed: Callable[[State], None]) -> Any:
    """Back to the state after the start, except for the clock."""
    state.forget()
    seed(state)
    return {"cashiers": len(state.cashiers)}
