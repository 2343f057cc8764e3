"""The short form of a receipt, which the search may give: no context, and no related receipt."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any

from worker.sandbox.bodies.party_body import branch
from worker.sandbox.bodies.receipt_body import receipt_bodies
from worker.sandbox.ledger import Receipt
from worker.sandbox.state import State

_SAME = (
    "id",
    "fiscal_date",
    "organization_id",
    "fiscal_code",
    "status",
    "type",
    "serial",
    "goods",
    "total_sum",
    "total_payment",
    "total_rest",
    "round_sum",
    "is_test",
    "fiscal_api_type",
    "pre_payment_relation_id",
    "tax_url",
)


def short_receipt_body(state: State, receipt: Receipt, now: float) -> bytes:
    """The receipt as JSON."""
    return next(short_receipt_bodies(state, [receipt], now))


def short_receipt_bodies(state: State, receipts: Sequence[Receipt], now: float) -> Iterator[bytes]:
    """Each receipt as JSON."""
    for receipt, whole in zip(receipts, receipt_bodies(state, receipts, now), strict=True):
        yield _shortened(receipt, json.loads(whole))


def _shortened(receipt: Receipt, whole: dict[str, Any]) -> bytes:
    shift, register = receipt.shift, receipt.shift.register
    outlet = branch(register)
    body = {
        **{name: whole.get(name) for name in _SAME},
        "cash_register": {"id": register.id, "fiscal_number": register.fiscal_number},
        "branch": {name: outlet[name] for name in ("id", "name", "address")},
        "shift": {"id": shift.id, "serial": shift.serial, "evpez_shift_id": None},
        "payments": [
            {name: payment[name] for name in ("type", "label", "value")} for payment in whole["payments"]
        ],
    }
    return json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()
