"""Receipts that the client has calculated: Checkbox takes their figures as they are."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from worker.sandbox.arithmetic import Discounted, Line, Totals
from worker.sandbox.payments import less_change


def external_totals(body: Mapping[str, Any]) -> Totals:
    rest = body.get("total_rest") or 0
    payments = less_change(body["payments"], rest)
    cash = sum(payment.value for payment in payments if payment.type == "CASH")
    return Totals(
        lines=[_line(item) for item in body["goods"]],
        discounts=[Discounted(item, item.get("sum") or 0) for item in body.get("discounts") or ()],
        total=body["total_sum"],
        round_sum=0,
        paid=body["total_payment"],
        rest=rest,
        cash=cash,
        card=sum(payment.value for payment in payments) - cash,
        payments=payments,
        taxes=(),
        is_return=bool(body["goods"][0].get("is_return")),
    )


def _line(item: Mapping[str, Any]) -> Line:
    total = item.get("sum")
    if total is None:
        total = item["good"]["price"] * item["quantity"] // 1000
    return Line(payload=item, gross=total, discounts=(), net=total, taxes=())
