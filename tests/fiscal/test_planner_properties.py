"""What holds for every order: the receipt comes to the order's total, and Checkbox has nothing to round."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.builders import FIRST_SEEN, an_integration
from tests.fiscal.generated_orders import PARTS, SEEDS, Case, as_message, cases
from worker.fiscal.integrations import CashRounding
from worker.fiscal.order import PaymentForm, Request
from worker.fiscal.outcomes import Code, Rejected
from worker.fiscal.planner import plan
from worker.fiscal.receipt import Receipt
from worker.rabbit.message.reading import read

OPENAPI = json.loads((Path(__file__).parents[1] / "data" / "checkbox" / "openapi.json").read_text("utf-8"))
SCHEMAS = OPENAPI["components"]["schemas"]
GOOD = SCHEMAS["GoodDetailsPayload"]["properties"]
GOODS = SCHEMAS["GoodItemPayload"]["properties"]
PAYMENT = SCHEMAS["CashPaymentPayload"]["properties"]

INTEGRATIONS = {rounding: an_integration(cash_rounding=rounding) for rounding in CashRounding}


def planned(case: Case) -> Receipt:
    return plan(case.request, INTEGRATIONS[case.rounding], FIRST_SEEN).receipt


@settings(max_examples=120)
@given(SEEDS)
def test_every_order_that_adds_up_has_an_exact_receipt(seed: int) -> None:
    """Checkbox's arithmetic in exact fractions comes to order.total, and payments cover what is owed."""
    for case in cases(seed):
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


@settings(max_examples=60)
@given(SEEDS)
def test_every_receipt_keeps_checkboxs_limits(seed: int) -> None:
    """Whole numbers in the bounds of the OpenAPI document, names and notes not too long, never no goods."""
    for case in cases(seed):
        receipt = planned(case)
        assert receipt.lines
        for line in receipt.lines:
            figures = (line.price, line.quantity, line.discount, line.surcharge)
            assert all(type(figure) is int for figure in figures)
            assert GOOD["price"]["exclusiveMinimum"] < line.price < GOOD["price"]["exclusiveMaximum"]
            assert line.quantity > GOODS["quantity"]["exclusiveMinimum"]
            assert line.discount >= 0 <= line.surcharge
            assert line.total > 0
            assert GOOD["name"]["minLength"] <= len(line.name) <= 1_000
            assert len(line.header or "") <= GOOD["header"]["maxLength"]
            assert len(line.footer or "") <= GOOD["footer"]["maxLength"]
        for payment in receipt.payments:
            assert 0 < payment.value < PAYMENT["value"]["exclusiveMaximum"]
            assert PAYMENT["label"]["minLength"] <= len(payment.label) <= PAYMENT["label"]["maxLength"]


@settings(max_examples=20)
@given(SEEDS)
def test_an_order_reads_as_it_was_written_and_plans_the_same(seed: int) -> None:
    """Through the message and back nothing is lost, and the same order gives an equal receipt."""
    for case in cases(seed):
        request = read(json.dumps(as_message(case.request), ensure_ascii=False).encode())
        assert replace(request, return_of=None) == case.request
        assert plan(request, INTEGRATIONS[case.rounding], FIRST_SEEN).receipt == planned(case)


@settings(max_examples=40)
@given(SEEDS, st.integers(1, 1_000))
def test_every_order_that_does_not_add_up_is_a_mismatch(seed: int, off: int) -> None:
    """Line, discount, total or payments: wherever a kopiyka is off, the verdict shows the figures."""
    for case in cases(seed):
        for wrong in _spoiled(case.request, off):
            with pytest.raises(Rejected) as caught:
                plan(wrong, INTEGRATIONS[case.rounding], FIRST_SEEN)
            assert caught.value.code is Code.TOTALS_MISMATCH
            assert {"amounts", "discount", "total", "payments"} <= set(caught.value.detail)


def _spoiled(request: Request, off: int) -> Iterator[Request]:
    order = request.order
    line, *others = order.lines
    allowed = max(PARTS, 50 * line.count)
    far = line.count * line.cost // PARTS - line.discount + allowed // PARTS + off + 1
    yield replace(request, order=replace(order, lines=(replace(line, amount=far), *others)))
    yield replace(request, order=replace(order, discount=order.discount + off))
    yield replace(request, order=replace(order, total=order.total + off))
    by_card = replace(request.payments[0], form=PaymentForm.CASHLESS, amount=order.total + off)
    yield replace(request, payments=(by_card,))
    yield replace(request, payments=(replace(by_card, amount=order.total - off),))
