"""Prepayment chains in the reconciliation: what is sound, and money that was fiscalized twice."""

from __future__ import annotations

from collections.abc import Iterator
from uuid import UUID, uuid4

import pytest
from sqlalchemy import Engine, select, update

from tests.journal.test_reconciliation import OPTIONS, on_sqlite
from tests.journal.till import Till
from worker.checkbox.client import CheckboxClient
from worker.demo.sandbox_process import SandboxProcess
from worker.fiscal.chain import payment_receipt_id
from worker.journal.tables import RECEIPTS, REQUESTS

pytestmark = on_sqlite


@pytest.fixture(scope="module")
def running() -> Iterator[SandboxProcess]:
    with SandboxProcess(options=OPTIONS) as process:
        yield process


@pytest.fixture
def till(running: SandboxProcess, engine: Engine) -> Iterator[Till]:
    running.set_options(search_form="full", closing_lines="one")
    with CheckboxClient() as client:
        yield Till(running, client, engine, with_key=True)


def found(till: Till) -> dict[str | None, str]:
    """Kinds by receipt, once the shift is closed."""
    till.close()
    return {one.receipt_id: one.kind.value for one in till.reconcile().differences}


@pytest.mark.parametrize("form", ["full", "short"])
@pytest.mark.parametrize("lines", ["one", "goods"])
def test_a_chain_and_its_return_are_no_difference(till: Till, form: str, lines: str) -> None:
    """Open or closed, whatever Checkbox shows; nor is a new chain, or a sale, after it."""
    till.sandbox.set_options(search_form=form, closing_lines=lines)
    order = uuid4()
    till.pay(order, "PREPAYMENT", "100.00")
    till.pay(order, "AFTERPAYMENT", "50.00", data__closes=False)
    till.pay(order, "AFTERPAYMENT", "120.00")
    returned = till.pay(order, "PREPAYMENT_RETURN")
    assert [one.total for one in returned.returns] == [100_00, 50_00, 120_00]
    advance = till.pay(order, "PREPAYMENT", "70.00")
    assert advance.relation is not None
    till.pay(
        order,
        "PREPAYMENT_RETURN",
        data__returnOf={"orderUuid": str(order), "relationId": advance.relation.id},
    )
    till.sell(order)
    till.pay(uuid4(), "PREPAYMENT", "1.00")
    assert till.reconcile().differences == ()
    assert found(till) == {}


def test_rounded_cash_that_closes_a_chain_is_no_difference(till: Till) -> None:
    """The event has what was left, the request what was paid."""
    till.round_cash()
    order = uuid4()
    lines = {"data__order__products__0__amount": "270.30", "data__order__products__0__discount": "29.70"}
    of_order = {"data__order__total": "270.30", **lines}
    till.pay(order, "PREPAYMENT", "100.00", **of_order)
    cash = [{"form": "CASH", "amount": "170.50"}]
    done = till.pay(order, "AFTERPAYMENT", "170.50", data__payments=cash, **of_order)
    assert done.total == 170_30
    assert found(till) == {}


@pytest.mark.parametrize("closes", [True, False])
def test_cash_of_another_sum_is_told(till: Till, closes: bool) -> None:
    """Rounding takes or adds some kopiykas, and of an advance nothing."""
    order = uuid4()
    till.pay(order, "PREPAYMENT", "100.00", data__payments=[{"form": "CASH", "amount": "100.00"}])
    amount = "170.00" if closes else "60.00"
    cash = [{"form": "CASH", "amount": amount}]
    wrong = till.pay(order, "AFTERPAYMENT", amount, data__payments=cash, data__closes=closes)
    assert wrong.receipt is not None
    remember(till, wrong.receipt.id, payments='[["CASH", "Готівка", 5000]]')
    assert found(till) == {wrong.receipt.id: "sum_differs"}


def test_cash_of_an_advance_is_not_rounded(till: Till) -> None:
    order = uuid4()
    cash = [{"form": "CASH", "amount": "100.20"}]
    advance = till.pay(order, "PREPAYMENT", "100.20", data__payments=cash)
    assert advance.receipt is not None
    remember(till, advance.receipt.id, payments='[["CASH", "Готівка", 10000]]')
    assert found(till) == {advance.receipt.id: "sum_differs"}


@pytest.mark.parametrize("form", ["full", "short"])
def test_a_return_comes_to_what_its_payment_did(till: Till, form: str) -> None:
    """Its own event says what Checkbox made, and not what it had to."""
    till.sandbox.set_options(search_form=form)
    order = uuid4()
    advance = till.pay(order, "PREPAYMENT", "100.00")
    assert advance.receipt is not None
    (back,) = till.pay(order, "PREPAYMENT_RETURN").returns
    with till.engine.begin() as connection:
        receipt = RECEIPTS.c.id == UUID(advance.receipt.id)
        connection.execute(update(RECEIPTS).where(receipt).values(total=90_00))
    till.close()
    (one,) = till.reconcile().differences
    assert (one.kind.value, one.receipt_id, one.ours, one.checkbox) == (
        "sum_differs",
        back.id,
        90_00,
        100_00,
    )


def remember(till: Till, receipt: str, **values: str) -> None:
    """The journal has heard the receipt's request with other words."""
    with till.engine.begin() as connection:
        key = select(RECEIPTS.c.request).where(RECEIPTS.c.id == UUID(receipt)).scalar_subquery()
        connection.execute(update(REQUESTS).where(REQUESTS.c.key == key).values(**values))


@pytest.mark.parametrize("told", [True, False])
def test_a_sale_and_an_advance_of_the_same_moment(till: Till, told: bool) -> None:
    """Neither saw the other. The later one is doubled, whichever it is and whether it was told or not."""
    first, second = uuid4(), uuid4()
    till.pay(first, "PREPAYMENT", "100.00")
    sale = till.sell(first, told=told)
    till.sell(second)
    receipt_id = payment_receipt_id(second, payment := uuid4(), 0)
    advance = till.pay_unseen(second, receipt_id, "100.00", told=told, data__paymentUuid=str(payment))
    assert found(till) == {sale.id: "order_doubled", advance: "order_doubled"}


@pytest.mark.parametrize("told", [True, False])
def test_two_receipts_of_one_payment(till: Till, told: bool) -> None:
    """Of the same chain, whose payments are none else."""
    order, payment = uuid4(), uuid4()
    till.pay(order, "PREPAYMENT", "100.00", data__paymentUuid=str(payment))
    receipt_id = payment_receipt_id(order, payment, 1)
    second = till.pay_unseen(order, receipt_id, "100.00", told=told, data__paymentUuid=str(payment))
    assert found(till) == {second: "order_doubled"}


@pytest.mark.parametrize("form", ["full", "short"])
def test_a_payment_that_nobody_told_is_untold(till: Till, form: str) -> None:
    """It is beside the others of its chain, also where the search does not show that it is of one."""
    till.sandbox.set_options(search_form=form)
    order, payment = uuid4(), uuid4()
    till.pay(order, "PREPAYMENT", "100.00")
    receipt_id = payment_receipt_id(order, payment, 0)
    untold = till.pay_unseen(order, receipt_id, "20.00", told=False, data__paymentUuid=str(payment))
    assert found(till) == {untold: "receipt_untold"}


@pytest.mark.parametrize("form", ["full", "short"])
def test_money_that_somebody_else_took_is_untold(till: Till, form: str) -> None:
    """A person or another program put it into our chain: it is no second receipt of a payment."""
    till.sandbox.set_options(search_form=form)
    order = uuid4()
    till.pay(order, "PREPAYMENT", "100.00")
    till.pay(order, "AFTERPAYMENT", "20.00", data__closes=False)
    other = till.pay_unseen(order, uuid4(), "50.00", told=False, heard=False)
    assert found(till) == {other: "receipt_untold"}


def test_a_return_that_the_tax_service_refused_later_is_missing(till: Till) -> None:
    order = uuid4()
    till.pay(order, "PREPAYMENT", "100.00")
    (back,) = till.pay(order, "PREPAYMENT_RETURN").returns
    till.sandbox.end_receipt(str(UUID(back.id)), "ERROR", "refused")
    assert found(till) == {back.id: "receipt_missing"}
