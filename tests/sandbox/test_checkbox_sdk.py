"""A client that is not ours, PyPI's checkbox-sdk, works with the sandbox as with Checkbox."""

from __future__ import annotations

from collections.abc import Iterator
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
