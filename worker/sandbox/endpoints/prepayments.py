"""Prepayments: the chain by its relation id."""

from __future__ import annotations

import json
from typing import Any

from worker.sandbox import prepayments
from worker.sandbox.bodies.receipt_body import receipt_body
from worker.sandbox.chain import Chain
from worker.sandbox.clock import iso
from worker.sandbox.entities import stable_id
from worker.sandbox.exchange import Call
from worker.sandbox.ledger import Receipt
from worker.sandbox.refusals import not_found
from worker.sandbox.replies import Reply, answer

_READ = "GET /prepayment-receipts/{relation_id}"


def open_chain(call: Call) -> Reply:
    return Reply(prepayments.open_chain(call.state, call.cashier, call.body, call.raw), 201)


def pay(call: Call) -> Reply:
    relation_id = call.path["relation_id"]
    return Reply(prepayments.pay(call.state, call.cashier, relation_id, call.body, call.raw), 201)


def give_back(call: Call) -> Reply:
    relation_id = call.path["relation_id"]
    return Reply(prepayments.give_back(call.state, call.cashier, relation_id, call.body, call.raw), 201)


def relation_get(call: Call) -> Reply:
    """The relation, as it was before the receipts that a fault hides."""
    chain = prepayments.chain_of(call.state, call.cashier, call.path["relation_id"])
    seen = Chain(chain.relation_id, chain.opened_with, chain.total, chain.created_at)
    seen.payments = [payment for payment in chain.payments if not _is_hidden(call, payment)]
    seen.returns = [pair for pair in chain.returns if not _is_hidden(call, pair[1])]
    seen.closing = chain.closing if chain.closing in seen.payments else None
    if not seen.payments:
        raise not_found("Передплату")
    return answer(_relation(call, seen))


def _is_hidden(call: Call, receipt: Receipt) -> bool:
    faults = call.state.faults
    age = call.state.clock.now() - receipt.created_at
    return bool(faults) and faults.hides(_READ, call.cashier.login, receipt.id, age)


def _relation(call: Call, chain: Chain) -> dict[str, Any]:
    """ASSUMED A12: what was paid is shown as paid after a return too."""
    now, options = call.state.clock.now(), call.state.options
    closing = chain.closing
    advances = [payment for payment in chain.payments if payment is not closing]
    whole = {
        "pre_payment_receipts": [_whole(call, payment) for payment in advances],
        "after_payment_receipt": _whole(call, closing) if closing else None,
    }
    return {
        "id": stable_id("relation", chain.relation_id),
        "relation_id": chain.relation_id,
        "pre_payment_status": chain.status(now, options),
        "total_sum": chain.total,
        "paid_sum": chain.paid(now, options),
        "left_to_pay": chain.left(now, options),
        "paid_by_cash_sum": sum(payment.sums.cash for payment in chain.counted(now, options)),
        "last_returned_receipt_at": iso(chain.returns[-1][1].created_at) if chain.returns else None,
        "receipt_chain_count": len(chain.payments),
        "is_debt_receipt": False,
        "created_at": iso(chain.created_at),
        "updated_at": None,
        "receipt_chain": {
            "pre_payment_receipts": [payment.id for payment in advances],
            "after_payment_receipt": closing.id if closing else None,
            "returned_receipts": [back.id for _, back in chain.returns],
            "returned_receipts_mapping": {payment.id: back.id for payment, back in chain.returns},
        },
        **({"receipts_chain": whole} if options.relation_receipts == "whole" else {}),
    }


def _whole(call: Call, receipt: Receipt) -> Any:
    return json.loads(receipt_body(call.state, receipt, call.state.clock.now()))
