"""What holds for every order: the receipt comes to the order's total, and Checkbox has nothing to round."""

from __future__ import annotations

import json
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from tests.builders import an_integration
from tests.fiscal.order_strategies import CASES, PARTS, Case, as_message
from worker.fiscal.integrations import CashRounding
from worker.fiscal.order import Operation, PaymentForm
from worker.fiscal.outcomes import Code, Rejected
from worker.fiscal.planner import plan
from worker.fiscal.receipt import Receipt
from worker.rabbit.message import read

OPENAPI = json.loads((Path(__file__).parents[1] / "data" / "checkbox" / "openapi.json").read_text("utf-8"))
SCHEMAS = OPENAPI["components"]["schemas"]
GOOD = SCHEMAS["GoodDetailsPayload"]["properties"]
PAYMENT = SCHEMAS["CashPaymentPayload"]["properties"]

INTEGRATIONS = {rounding: an_integration(cash_rounding=rounding) for rounding in CashRounding}

quick = settings(max_examples=700, suppress_health_check=list(HealthCheck))


def planned(case: Case) -> Receipt:
    return plan(case.request, INTEGRATIONS[case.rounding]).receipt


@quick
@given(CASES)
def test_every_order_that_adds_up_has_an_exact_receipt(case: Case) -> None:
    """Checkbox's own arithmetic, in exact fractions, comes to order.total, and payments cover what is owed."""
    receipt = planned(case)
    total = Fraction(0)
    for line in receipt.lines:
        assert line.price * line.quantity % 1_000 == 0
        total += Fraction(line.price * line.quantity, 1_000) - line.discount + line.surcharge
    assert total - receipt.discount == receipt.total == case.request.order.total
    step = {CashRounding.NONE: 1, CashRounding.ROUND_10: 10, CashRounding.ROUND_50: 50}[receipt.rounding]
    rounded = int(Fraction(receipt.total, step) + Fraction(1, 2)) * step
    paid = sum(payment.value for payment in receipt.payments)
    assert paid >= rounded > 0
    if any(payment.form is PaymentForm.CASHLESS for payment in receipt.payments):
        assert (paid, receipt.rounding) == (receipt.total, CashRounding.NONE)


@quick
@given(CASES)
def test_every_receipt_keeps_checkboxs_limits(case: Case) -> None:
    """Whole numbers in the bounds of the OpenAPI document, names and notes not too long, never no goods."""
    receipt = planned(case)
    assert receipt.lines
    for line in receipt.lines:
        figures = (line.price, line.quantity, line.discount, line.surcharge)
        assert all(type(figure) is int for figure in figures)
        assert GOOD["price"]["exclusiveMinimum"] < line.price < GOOD["price"]["exclusiveMaximum"]
        assert line.quantity > SCHEMAS["GoodItemPayload"]["properties"]["quantity"]["exclusiveMinimum"]
        assert line.discount >= 0 <= line.surcharge
        assert line.total > 0
        assert GOOD["name"]["minLength"] <= len(line.name) <= 1_000
        assert len(line.header or "") <= GOOD["header"]["maxLength"]
        assert len(line.footer or "") <= GOOD["footer"]["maxLength"]
    for payment in receipt.payments:
        assert 0 < payment.value < PAYMENT["value"]["exclusiveMaximum"]
        assert PAYMENT["label"]["minLength"] <= len(payment.label) <= PAYMENT["label"]["maxLength"]


@settings(quick, max_examples=250)
@given(CASES)
def test_an_order_reads_as_it_was_written_and_plans_the_same(case: Case) -> None:
    """Through the message and back nothing is lost, and the same order gives an equal receipt."""
    request = read(json.dumps(as_message(case.request), ensure_ascii=False).encode())
    assert replace(request, return_of=None) == case.request
    assert plan(request, INTEGRATIONS[case.rounding]).receipt == planned(case)


@quick
@given(CASES, st.integers(0, 3), st.integers(1, 1_000))
def test_every_order_that_does_not_add_up_is_a_mismatch(case: Case, where: int, off: int) -> None:
    """Lines, discount, total and payments: wherever a kopiyka is missing, TOTALS_MISMATCH shows the figures."""
    request, order = case.request, case.request.order
    line = order.lines[0]
    allowed = max(PARTS, 50 * line.count)
    far = line.discount + line.amount + off + 2 * allowed // PARTS
    wrong: Any = {
        0: lambda: replace(
            request, order=replace(order, lines=(replace(line, amount=far), *order.lines[1:]))
        ),
        1: lambda: replace(request, order=replace(order, discount=order.discount + off)),
        2: lambda: replace(request, order=replace(order, total=order.total + off)),
        3: lambda: replace(
            request,
            payments=(replace(request.payments[0], form=PaymentForm.CASHLESS, amount=order.total + off),),
        ),
    }[where]()
    with pytest.raises(Rejected) as caught:
        plan(wrong, INTEGRATIONS[case.rounding])
    assert caught.value.code is Code.TOTALS_MISMATCH
    assert {"amounts", "discount", "total", "payments"} <= set(caught.value.detail)


@settings(quick, max_examples=25)
@given(CASES)
def test_every_receipt_passes_the_document_of_checkbox(case: Case) -> None:
    """The body that is sent is valid by ReceiptSellPayload."""
    from uuid import UUID

    from worker.checkbox.wire import sell_body

    body = json.loads(sell_body(UUID(int=1), planned(case), {"request": "r"}))
    VALIDATOR.validate(body)
    assert all(
        good.get("is_return", False) == (case.request.operation is Operation.RETURN) for good in body["goods"]
    )


VALIDATOR = Draft202012Validator(
    {"$ref": "#/components/schemas/ReceiptSellPayload", "components": OPENAPI["components"]}
)
