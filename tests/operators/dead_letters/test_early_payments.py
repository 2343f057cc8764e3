"""When a payment that came too early may be replayed."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import Any, cast

import pika
import pytest

from tests.builders import a_body, a_cashier, an_integration
from worker.checkbox.client import CheckboxClient
from worker.fiscal.integrations import CashRounding
from worker.fiscal.outcomes import Relation
from worker.operators.dead_letters.early_payments import is_there, needed_chain
from worker.rabbit.dead_letter import DeadLetter

PAYMENT = {
    "data__operation": "AFTERPAYMENT",
    "data__paymentUuid": "7a000000-0000-4000-8000-000000000001",
    "data__payments": [{"form": "CASH", "amount": "50.00"}],
}


def left_to_pay(left: int) -> CheckboxClient:
    """Checkbox, where the order has one chain."""

    def read(_: str, __: str, relation_id: str, **___: Any) -> Relation | None:
        return Relation(relation_id, "PARTIAL_PAID", 27_000, 27_000 - left, left, ("first",), None, ())

    return cast(CheckboxClient, SimpleNamespace(chains=SimpleNamespace(read=read)))


@pytest.mark.parametrize(
    ("left", "rounding", "goes"),
    [
        (5_000, CashRounding.NONE, True),
        (10_000, CashRounding.NONE, False),
        (5_003, CashRounding.ROUND_10, True),
        (5_003, CashRounding.NONE, False),
    ],
    ids=["all of it", "a part", "rounded", "not rounded"],
)
def test_the_rest_is_replayed_once_it_is_the_rest(left: int, rounding: CashRounding, goes: bool) -> None:
    """In cash alone the rounded sum is the rest as well."""
    headers = {
        "x-fiscal-code": "PREPAYMENT_MISMATCH",
        "x-fiscal-detail": json.dumps({"reason": "sum_is_not_the_rest"}),
    }
    properties = pika.BasicProperties(headers=headers)
    method = SimpleNamespace(exchange="", redelivered=False)
    needed = needed_chain(DeadLetter.received(method, properties, a_body(**PAYMENT)))
    assert needed is not None
    integration = an_integration(prepayments=True, cash_rounding=rounding)
    assert is_there(left_to_pay(left), "token", integration, a_cashier(), needed) is goes
