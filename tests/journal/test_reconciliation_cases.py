"""Days and registers as they come: a shift over midnight, a shared register, refusals after the number."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from datetime import time as clock_time
from uuid import uuid4

import pytest
from pydantic import SecretStr
from sqlalchemy import Engine

from tests.journal.test_reconciliation import OPTIONS, kinds
from tests.journal.till import KEY, Till
from worker.checkbox.client import CheckboxClient
from worker.demo.sandbox_process import SandboxProcess
from worker.fiscal.kyiv import KYIV
from worker.journal.day import Sums, day_of
from worker.journal.reconciliation.day import counted

pytestmark = pytest.mark.parametrize("journal_url", ["sqlite"], indirect=True)
HOUR = 3600.0


@pytest.fixture(scope="module")
def running() -> Iterator[SandboxProcess]:
    with SandboxProcess(options=OPTIONS) as process:
        yield process


@pytest.fixture(params=["by key", "by cashier"])
def till(request: pytest.FixtureRequest, running: SandboxProcess, engine: Engine) -> Iterator[Till]:
    running.set_options(search_form="full", page_limit=None)
    with CheckboxClient() as client:
        yield Till(running, client, engine, with_key=request.param == "by key")


@pytest.fixture
def late(engine: Engine) -> Iterator[Till]:
    """A shift that is opened two hours before midnight in Kyiv, at a sandbox of its own."""
    now = datetime.now(KYIV)
    evening = datetime.combine(now.date(), clock_time(22), KYIV).timestamp() - now.timestamp()
    with SandboxProcess(options=OPTIONS) as sandbox, CheckboxClient() as client:
        yield Till(
            sandbox, client, engine, with_key=True, ahead=evening if evening > 0 else evening + 24 * HOUR
        )


def test_a_shift_over_midnight_is_compared_whole_on_both_days(late: Till) -> None:
    """Each day has its own receipts; the shift is one, whichever of its days is asked for."""
    first = datetime.fromtimestamp(late.now(), KYIV).date()
    second = first + timedelta(days=1)
    late.advance(2 * HOUR - 20)
    late.sell()
    lost = late.sell(told=False)
    late.advance(40)
    late.sell()
    swallowed = late.sell(told=False)
    late.advance(HOUR)
    late.close()
    for day in (first, second):
        (report,) = late.reports(day=day)
        assert report.data()["shift"]["id"] == late.shift.id
        found = {one.receipt_id: one.kind.value for one in report.differences}
        assert found == {lost.id: "receipt_untold", swallowed.id: "receipt_untold"}
        assert day_of(late.engine, day).sums == Sums(1, 270_00)
    assert late.reports(day=first - timedelta(days=1)) == []
    late.advance(24 * HOUR)
    assert late.reports(day=second + timedelta(days=1)) == []


def test_a_register_of_two_integrations(till: Till) -> None:
    """Both have a report of it; what is one's own stands in no other, and what is nobody's in both."""
    till.others = [replace(till.integration, id="shop-second")]
    till.sell()
    till.sell(data__integration="shop-second")
    untold = till.sell(told=False, data__integration="shop-second")
    stranger = till.sell_as_a_stranger()
    till.close()
    reports = {one.integration: one for one in till.reports()}
    found = {name: {one.receipt_id for one in report.differences} for name, report in reports.items()}
    assert found == {"shop-main": {stranger.id}, "shop-second": {untold.id, stranger.id}}
    assert (reports["shop-main"].ok, reports["shop-second"].ok) == (True, False)
    assert dict(counted(list(reports.values()))) == {"receipt_untold": 1, "foreign_receipt": 1}


@pytest.mark.parametrize("till", ["by key"], indirect=True)
def test_whoever_opened_the_shift_has_the_others_orders_in_his_report(till: Till) -> None:
    """The second integration's cashier shares the register, and sold nothing in a shift of his own."""
    till.sandbox.put_cashier("petro", password="petro-secret", license_key=KEY.get_secret_value())
    petro = replace(till.cashier, id="petro", login="petro", password=SecretStr("petro-secret"))
    till.others = [replace(till.integration, id="shop-second", cashiers={"petro": petro})]
    till.sell()
    untold = till.sell(told=False, data__integration="shop-second", data__cashier="petro")
    till.close()
    report = till.reconcile()
    assert (report.integration, report.cashier) == ("shop-main", "olena")
    assert [(one.kind.value, one.receipt_id, one.integration) for one in report.differences] == [
        ("receipt_untold", untold.id, "shop-second")
    ]


@pytest.mark.parametrize("form", ["full", "short"])
def test_an_offline_receipt_that_is_refused_later_is_missing(till: Till, form: str) -> None:
    """It had its number, an event named it, and it stands in the Z-report: it was refused at the upload."""
    till.sell()
    till.sandbox.fault("offline", count=1, seconds=1e9)
    refused = till.sell()
    assert refused.is_numbered
    assert refused.offline
    till.close()
    till.sandbox.end_receipt(refused.id, "ERROR", "Документ відхилено")
    till.sandbox.set_options(search_form=form)
    (one,) = till.reconcile().differences
    assert (one.kind.value, one.receipt_id, one.reason) == (
        "receipt_missing",
        refused.id,
        "Документ відхилено",
    )
    till.sandbox.fault("error_500", endpoint="POST /cashier/signin")
    assert kinds(till.reconcile()) == ["not_compared"]  # a Z-report that agrees proves nothing here


def test_pages_of_one_shift_and_of_one_receipt(till: Till) -> None:
    """A short page is not the end: neither of the shifts nor of a shift's receipts."""
    for _ in range(2):
        till.sell()
        till.sell()
        till.close()
        till.open()
    untold = till.sell(told=False)
    till.close()
    till.sandbox.set_options(page_limit=1)
    differences = [[one.receipt_id for one in report.differences] for report in till.reports()]
    assert differences == [[], [], [untold.id]]


def test_a_receipt_without_a_context_is_ours_by_its_id(till: Till) -> None:
    """Checkbox's own ids are random, and those of receipts that the worker makes are derived."""
    till.sandbox.fault("no_context", count=1)
    untold = till.sell(told=False)
    stranger = till.sell_as_a_stranger()
    order = uuid4()
    sale = till.sell(order)
    till.sandbox.fault("no_context", count=1)
    returned = till.give_back(sale, order, told=False)
    till.close()
    found = {one.receipt_id: one.kind.value for one in till.reconcile().differences}
    assert found == {
        untold.id: "receipt_untold",
        returned.id: "receipt_untold",
        stranger.id: "foreign_receipt",
    }


def test_a_shift_that_is_open_still_is_of_today(till: Till) -> None:
    """It has no Z-report; receipts without a number are left out, until they have one."""
    till.sell()
    till.sandbox.fault("created_for", count=1, seconds=1e9)
    stuck = till.sell(told=False)
    assert kinds(till.reconcile()) == []
    till.sandbox.end_receipt(stuck.id, "DONE")
    assert [one.receipt_id for one in till.reconcile().differences] == [stuck.id]
