"""The journal against Checkbox's books: each planted fault is found, named, and of the right kind."""

from __future__ import annotations

from collections.abc import Iterator
from uuid import UUID, uuid4

import pytest
from sqlalchemy import Engine, update

from tests.journal.till import Till
from worker.checkbox.client import CheckboxClient
from worker.demo.sandbox_process import SandboxProcess
from worker.fiscal.outcomes import IssuedReceipt
from worker.journal.reconciliation.day import counted
from worker.journal.reconciliation.shift import ShiftReport
from worker.journal.tables import RECEIPTS, REQUESTS

OPTIONS = {"throttle": "false", "done_after": 0.0, "open_after": 0.0, "close_after": 0.0}


@pytest.fixture(scope="module")
def running() -> Iterator[SandboxProcess]:
    with SandboxProcess(options=OPTIONS) as process:
        yield process


@pytest.fixture(params=["by key", "by cashier"])
def till(request: pytest.FixtureRequest, running: SandboxProcess, engine: Engine) -> Iterator[Till]:
    with CheckboxClient() as client:
        yield Till(running, client, engine, with_key=request.param == "by key")


#: One database is enough where it is Checkbox's side that is looked at.
on_sqlite = pytest.mark.parametrize("journal_url", ["sqlite"], indirect=True)


def kinds(report: ShiftReport) -> list[str]:
    return [one.kind.value for one in report.differences]


def test_a_sound_shift_has_no_differences(till: Till) -> None:
    """Closed or open, with a return; the report names shift, register and the cashier who opened it."""
    order = uuid4()
    sale = till.sell(order)
    till.sell()
    till.give_back(sale, order)
    assert kinds(till.reconcile()) == []
    till.close()
    report = till.reconcile()
    assert (report.ok, kinds(report)) == (True, [])
    data = report.data()
    assert (data["integration"], data["cashier"]) == (till.integration.id, "olena")
    assert data["register"]["fiscalNumber"] == till.shift.register_number
    assert data["register"]["isTest"] is True
    assert data["shift"]["id"] == till.shift.id
    assert data["shift"]["closedAt"].endswith("Z")


@pytest.mark.parametrize("closed", [True, False])
@on_sqlite
def test_each_fault_is_of_its_kind(till: Till, closed: bool) -> None:
    """Before the shift is closed or after it; one of each at once, and none is told twice."""
    order = uuid4()
    sound = [till.sell(), till.sell(order)]
    missing, changed = till.sell(), till.sell()
    if closed:
        till.close()
    plant_missing_and_changed(till, missing, changed)
    report = till.reconcile()
    assert sorted(kinds(report)) == ["receipt_missing", "sum_differs"]
    by_kind = {one.kind.value: one for one in report.differences}
    assert by_kind["receipt_missing"].receipt_id == missing.id
    assert by_kind["sum_differs"].receipt_id == changed.id
    line = by_kind["sum_differs"].line()
    assert (line["ours"], line["checkbox"]) == ("269.00", "270.00")
    assert not report.ok
    assert {one.id for one in sound}.isdisjoint({one.receipt_id for one in report.differences})


def plant_missing_and_changed(till: Till, missing: IssuedReceipt, changed: IssuedReceipt) -> None:
    """The tax service refuses one; of the other the journal remembers another sum."""
    till.sandbox.end_receipt(missing.id, "ERROR", "refused by the tax service")
    with till.engine.begin() as connection:
        key = connection.execute(
            update(RECEIPTS)
            .where(RECEIPTS.c.id == UUID(changed.id))
            .values(total=269_00)
            .returning(RECEIPTS.c.request)
        ).scalar_one()
        connection.execute(update(REQUESTS).where(REQUESTS.c.key == key).values(total=269_00))


@pytest.mark.parametrize("form", ["full", "short"])
@on_sqlite
def test_untold_and_foreign_receipts_are_told_apart(till: Till, form: str) -> None:
    """By their id, or by what a look-up shows; whatever the search shows, and however its pages are cut."""
    order = uuid4()
    sale = till.sell(order)
    untold = till.sell(told=False)
    returned = till.give_back(sale, order, told=False)
    stranger = till.sell_as_a_stranger()
    till.close()
    till.sandbox.set_options(search_form=form, page_limit=2)
    report = till.reconcile()
    found = {one.receipt_id: one.kind.value for one in report.differences}
    assert found == {
        untold.id: "receipt_untold",
        returned.id: "receipt_untold",
        stranger.id: "foreign_receipt",
    }
    assert not report.ok
    assert dict(counted([report])) == {"receipt_untold": 2, "foreign_receipt": 1}


@on_sqlite
def test_a_stranger_alone_is_no_difference(till: Till) -> None:
    """It is told, counted, and taken out of the Z-report."""
    till.sell()
    till.sell_as_a_stranger()
    till.close()
    report = till.reconcile()
    assert (report.ok, kinds(report)) == (True, ["foreign_receipt"])


@on_sqlite
def test_an_order_that_was_sold_twice(till: Till) -> None:
    """It is found though all sums agree; not where it was returned in between."""
    twice, again = uuid4(), uuid4()
    till.sell(twice)
    second = till.sell(twice, attempt=1)
    sale = till.sell(again)
    till.give_back(sale, again)
    till.sell(again, attempt=1)
    till.close()
    report = till.reconcile()
    assert [(one.kind.value, one.receipt_id, one.order) for one in report.differences] == [
        ("order_doubled", second.id, twice)
    ]


@on_sqlite
def test_a_return_frees_only_the_sale_before_it(till: Till) -> None:
    """Sold, returned, sold anew, and sold once more: the last is one too many."""
    order = uuid4()
    sale = till.sell(order)
    till.give_back(sale, order)
    till.sell(order, attempt=1)
    third = till.sell(order, attempt=2)
    till.close()
    assert [(one.kind.value, one.receipt_id) for one in till.reconcile().differences] == [
        ("order_doubled", third.id)
    ]


@on_sqlite
def test_a_second_sale_that_nobody_told_is_doubled(till: Till) -> None:
    """A receipt stands in one kind only: it is not untold as well."""
    order = uuid4()
    till.sell(order)
    second = till.sell(order, attempt=1, told=False)
    till.close()
    assert [(one.kind.value, one.receipt_id) for one in till.reconcile().differences] == [
        ("order_doubled", second.id)
    ]


@on_sqlite
def test_what_is_young_is_left_out(till: Till) -> None:
    """One side may not know it yet; the sums are not compared either."""
    till.sell()
    till.sell(told=False)
    till.close()
    assert kinds(till.reconcile(later=0.0)) == []
    assert kinds(till.reconcile()) == ["receipt_untold"]


@on_sqlite
def test_rounded_cash_is_no_difference(till: Till) -> None:
    """The Z-report has what was paid; the journal has the order's total."""
    till.round_cash()
    line = {"data__order__products__0__amount": "270.20", "data__order__products__0__discount": "29.80"}
    till.sell(data__order__total="270.20", data__payments=[{"form": "CASH", "amount": "300.00"}], **line)
    till.close()
    assert kinds(till.reconcile()) == []


@on_sqlite
def test_what_is_left_of_a_shift_differs(till: Till) -> None:
    """The Z-report counts a receipt that nobody shows any more."""
    till.sell()
    lost = till.sell_as_a_stranger()
    till.close()
    till.sandbox.end_receipt(lost.id, "ERROR", "refused")
    (one,) = till.reconcile().differences
    line = one.line()
    assert (line["kind"], line["ours"], line["checkbox"]) == ("shift_differs", "270.00", "540.00")
    assert "sales" in line["reason"]


@on_sqlite
def test_who_cannot_be_asked_is_not_compared(till: Till) -> None:
    """A Z-report that agrees is enough by key; else somebody has to sign in."""
    till.sell()
    till.close()
    till.sandbox.fault("error_500", endpoint="POST /cashier/signin")
    report = till.reconcile()
    if till.cashier.license_key:
        assert (report.ok, kinds(report)) == (True, [])
        till.sandbox.clear_faults()
        till.sandbox.fault("error_500", endpoint="GET /cash-registers/shifts")
        report = till.reconcile()
    assert (report.ok, kinds(report)) == (False, ["not_compared"])
    assert till.integration.id in str(report.differences[0].reason)
    assert "ours" not in report.data()["differences"][0]
