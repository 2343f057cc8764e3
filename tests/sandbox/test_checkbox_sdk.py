"""A client that is not ours, PyPI's checkbox-sdk, works with the sandbox as with Checkbox."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from checkbox_sdk.client.synchronous import CheckBoxClient  # type: ignore[import-untyped]
from checkbox_sdk.exceptions import (  # type: ignore[import-untyped]
    CheckBoxAPIError,
    CheckBoxAPIValidationError,
    CheckBoxError,
    StatusException,
)

from worker.demo.sandbox_process import SandboxProcess

OPTIONS = {"done_after": 0.1, "open_after": 0.1, "close_after": 0.1}
GOODS = [{"good": {"code": "T100", "name": "Послуга", "price": 5_500, "tax": [1]}, "quantity": 1_000}]


@pytest.fixture(scope="module")
def process() -> Iterator[SandboxProcess]:
    with SandboxProcess(cashiers=1, shifts=False, options=OPTIONS) as started:
        yield started


@pytest.fixture
def client(process: SandboxProcess) -> Iterator[CheckBoxClient]:
    process.reset()
    with CheckBoxClient(base_url=process.url, requests_per_10s=10_000) as client:
        client.cashier.authenticate(login="c0001", password="secret-c0001", license_key="test-c0001")
        yield client


def test_a_day_at_the_register(client: CheckBoxClient) -> None:
    """It signs in, opens a shift, sells, takes back, reads, and closes."""
    assert client.cashier.check_signature() is True
    shift = client.shifts.create_shift(relax=0.05, timeout=5)
    assert shift["status"] == "OPENED"
    receipt_id = str(uuid4())
    payments = [{"type": "CASH", "value": 6_000}]
    receipt = client.receipts.create_receipt(
        {"id": receipt_id, "goods": GOODS, "payments": payments}, relax=0.05, timeout=5
    )
    assert (receipt["status"], receipt["total_sum"], receipt["total_rest"]) == ("DONE", 5_500, 500)
    returned = client.receipts.create_receipt(
        {
            "id": str(uuid4()),
            "goods": [{**GOODS[0], "is_return": True}],
            "payments": [{"type": "CASH", "value": 5_500}],
            "related_receipt_id": receipt_id,
        },
        relax=0.05,
        timeout=5,
    )
    assert (returned["status"], returned["type"]) == ("DONE", "RETURN")
    assert client.receipts.get_receipt(receipt_id)["fiscal_code"] == receipt["fiscal_code"]
    assert len(list(client.receipts.get_receipts_search(shift_id=[shift["id"]]))) == 2
    assert "ЧЕК" in client.receipts.get_receipt_visualization_text(receipt_id)
    assert [tax["code"] for tax in client.tax.get_all_taxes()] == [1, 2, 3, 8]
    report = client.shifts.close_shift(relax=0.05, timeout=5)
    assert (report["sell_receipts_count"], report["return_receipts_count"]) == (1, 1)
    assert report["fiscal_code"]
    client.cashier.sign_out()


def test_offline_by_hand(client: CheckBoxClient) -> None:
    """Receipts of its own time and code are DONE, calculated by Checkbox or by itself."""
    client.shifts.create_shift(relax=0.05, timeout=5)
    codes = client.cash_registers.get_offline_codes()
    client.cash_registers.go_offline()
    now = datetime.now(UTC).isoformat()
    card = [{"type": "CASHLESS", "value": 5_500}]
    sold = client.receipts.create_receipt_offline(
        {"goods": GOODS, "payments": card, "fiscal_code": codes[0], "fiscal_date": now}, relax=0.05, timeout=5
    )
    assert (sold["status"], sold["fiscal_code"]) == ("DONE", codes[0])
    external = {
        "goods": [{**GOODS[0], "sum": 5_500, "taxes": []}],
        "payments": card,
        "taxes": [],
        "total_sum": 5_500,
        "total_payment": 5_500,
        "total_rest": 0,
        "fiscal_code": codes[1],
        "fiscal_date": now,
    }
    added = client.receipts.create_external_receipt(external, relax=0.05, timeout=5)
    assert (added["status"], added["is_created_offline"]) == ("DONE", True)
    assert client.cash_registers.get_offline_time()["status"]["current"] >= 0
    assert client.cash_registers.go_online()["status"] == "ok"
    (bulk,) = client.receipts.create_bulk_receipts([{"id": str(uuid4()), "goods": GOODS, "payments": card}])
    assert client.receipts.get_receipt(bulk["id"])["total_sum"] == 5_500
    assert client.cash_registers.ping_tax_service()["status"] == "DONE"


def test_reports_and_lists(client: CheckBoxClient) -> None:
    """X and Z reports are found by cashier and by register, and read; the periodical one is text."""
    shift = client.shifts.create_shift(relax=0.05, timeout=5)
    moved = client.receipts.create_service_receipt(payment={"value": 10_000}, relax=0.05, timeout=5)
    assert (moved["type"], moved["status"]) == ("SERVICE_IN", "DONE")
    x_report = client.reports.create_x_report()
    assert "X-ЗВІТ" in client.reports.get_report_text(x_report["id"])
    assert client.reports.get_report_png(x_report["id"])
    z_report = client.shifts.close_shift(relax=0.05, timeout=5)
    ids = [x_report["id"], z_report["id"]]
    assert [report["id"] for report in client.reports.get_reports(shift_id=[shift["id"]])] == ids
    register = client.storage.cash_register["id"]
    found = client.reports.get_search_reports(cash_register_id=[register], is_z_report=True)
    assert [report["id"] for report in found] == ids[1:]
    today = datetime.now(UTC)
    text = client.reports.get_periodical_report(today - timedelta(days=1), today + timedelta(days=1))
    assert "Загальний оборот" in text
    listed = list(client.cash_registers.get_cash_register_shifts(desc=True))
    assert listed[0]["z_report"]["id"] == z_report["id"]
    assert [one["id"] for one in client.shifts.get_shifts(statuses=["CLOSED"])] == [shift["id"]]
    types = [item["type"] for item in client.transactions.get_transactions()]
    assert types == ["SHIFT_OPEN", "RECEIPT", "Z_REPORT"]


def test_the_organization_and_the_webhook(client: CheckBoxClient) -> None:
    """Billing, taxes by the cashier's token, and the one URL of the register."""
    assert client.organization.get_organization_billing_status()["status"] == "ACTIVE"
    assert client.cashier.get_all_taxes_by_cashier() == client.tax.get_all_taxes()
    assert client.webhook.set_webhook("http://127.0.0.1:9/hook")["key"]
    assert client.webhook.get_webhook_info()["url"] == "http://127.0.0.1:9/hook"
    assert client.webhook.delete_webhook()["ok"] is True


def test_refusals_are_its_errors(client: CheckBoxClient) -> None:
    """A business refusal, a validation error and a page become what they become with Checkbox."""
    body = {"id": str(uuid4()), "goods": GOODS, "payments": [{"type": "CASH", "value": 5_500}]}
    with pytest.raises(CheckBoxAPIError, match="Зміну не відкрито"):
        client.receipts.create_receipt(body, wait=False)
    with pytest.raises(CheckBoxAPIValidationError, match="Помилка валідації"):
        client.receipts.create_receipt({"goods": []}, wait=False)


def test_a_refused_opening_is_its_exception(client: CheckBoxClient, process: SandboxProcess) -> None:
    """It reads the reason in the initial transaction."""
    process.fault("refuse_shift", words="Ключ не діє", count=1)
    with pytest.raises(StatusException, match="Ключ не діє"):
        client.shifts.create_shift(relax=0.05, timeout=5)


def test_a_page_is_its_general_error(client: CheckBoxClient, process: SandboxProcess) -> None:
    """503 HTML is no JSON, and it knows."""
    process.fault("html_503", count=1)
    with pytest.raises(CheckBoxError, match="503"):
        client.refresh_info()
