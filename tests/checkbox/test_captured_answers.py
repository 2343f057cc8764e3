"""Answers that the real Checkbox gave, or that were put together from such: read through the client."""

from __future__ import annotations

import json
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from tests.checkbox.receipts import BY_PASSWORD, BY_PIN, SALE, TOKEN
from tests.checkbox.scripted_server import ScriptedServer, answer
from worker.checkbox.client import CheckboxClient
from worker.checkbox.party_answers import read_block_date, read_cashier
from worker.fiscal.outcomes import Code, IssuedLine, IssuedReceipt, IssuedTax, Rejected, Unavailable
from worker.fiscal.ports import (
    CashierHasShift,
    ReceiptExists,
    Refusal,
    ShiftExpired,
    ShiftNotOpened,
    TokenRefused,
)

EXAMPLES = Path(__file__).parents[1] / "data" / "checkbox" / "examples"
KEY = BY_PIN.license_key
SHIFT_ID = UUID("066c8c8f-bd67-4661-8766-c7429e15ea27")

#: Examples without an answer, or with one to a call that the worker does not make.
NOT_OURS = {
    "README.md",
    "e2e_timing.json",
    "go_offline.json",
    "go_online.json",
    "offline_codes_count.json",
    "prepayment_request.json",
    "receipt_discount_request_ok.json",
    "receipt_return_request.json",
    "receipt_validate_ok.json",
    "report_get_2020.json",
    "service_receipts.json",
    "shift_closed_short.json",
    "transaction_2020.json",
    "webhook_receipt.json",
    "webhook_set.json",
    "x_report.json",
}


def captured(name: str) -> dict[str, Any]:
    """The answer; a code that its reporter did not note down stands as null."""
    response: dict[str, Any] = json.loads((EXAMPLES / name).read_bytes())["response"]
    body = response.get("body")
    if isinstance(body, dict) and body.get("code") == "<unknown>":
        body["code"] = None
    return response


def replay(name: str, call: Callable[[CheckboxClient, str], Any]) -> Any:
    """What the client makes of the answer."""
    response = captured(name)
    body = response["body_text"] if "body_text" in response else json.dumps(response["body"]).encode()
    with (
        ScriptedServer(answer(response["status"], body, response.get("headers"))) as server,
        CheckboxClient() as client,
    ):
        return call(client, server.url)


def sell(name: str) -> Callable[[CheckboxClient, str], IssuedReceipt]:
    receipt_id = UUID(captured(name).get("body", {}).get("id") or str(SHIFT_ID))
    return lambda client, url: client.sell(url, TOKEN, receipt_id, SALE, {})


def look_up(client: CheckboxClient, url: str) -> Any:
    return client.receipt(url, TOKEN, UUID("e38726b3-1c1c-4005-b425-d4ae66434412"))


def open_shift(client: CheckboxClient, url: str) -> Any:
    assert KEY is not None
    return client.open_shift(url, TOKEN, KEY, SHIFT_ID)


def me(client: CheckboxClient, url: str) -> Any:
    return client.cashier_me(url, TOKEN)


def plain_sell(client: CheckboxClient, url: str) -> Any:
    return client.sell(url, TOKEN, SHIFT_ID, SALE, {})


def by_pin(client: CheckboxClient, url: str) -> Any:
    return client.sign_in(url, BY_PIN)


def by_password(client: CheckboxClient, url: str) -> Any:
    return client.sign_in(url, BY_PASSWORD)


def register(client: CheckboxClient, url: str) -> Any:
    assert KEY is not None
    return client.register_info(url, KEY)


FAILURES: dict[str, tuple[Callable[[CheckboxClient, str], Any], type[Exception] | Code]] = {
    "auth_header_missing.json": (me, Code.CASHIER_CREDENTIALS_REJECTED),
    "auth_signin_license_wrong.json": (by_pin, Code.CASHIER_CREDENTIALS_REJECTED),
    "auth_signin_password_wrong.json": (by_password, Code.CASHIER_CREDENTIALS_REJECTED),
    "auth_signin_pin_wrong.json": (by_pin, Code.CASHIER_CREDENTIALS_REJECTED),
    "auth_token_invalid.json": (me, TokenRefused),
    "error_5xx_html.json": (plain_sell, Unavailable),
    "error_cloudflare_1010.json": (plain_sell, Unavailable),
    "error_auto_close_at_other_day.json": (open_shift, Code.SHIFT_NOT_OPEN),
    "error_license_header_missing.json": (register, Code.CASHIER_CREDENTIALS_REJECTED),
    "error_offline_code_used.json": (plain_sell, Code.RECEIPT_REJECTED),
    "error_offline_date_before_shift.json": (plain_sell, Code.RECEIPT_REJECTED),
    "error_offline_not_in_manual_offline.json": (plain_sell, Code.RECEIPT_REJECTED),
    "error_offline_previous_id.json": (plain_sell, Code.RECEIPT_REJECTED),
    "error_receipt_duplicate_id.json": (plain_sell, ReceiptExists),
    "error_register_busy_other_cashier.json": (open_shift, Code.REGISTER_BUSY),
    "error_shift_already_open.json": (open_shift, CashierHasShift),
    "error_shift_not_opened.json": (plain_sell, ShiftNotOpened),
    "error_shift_open_over_24h.json": (plain_sell, ShiftExpired),
    "error_total_sum_option_off.json": (plain_sell, Code.RECEIPT_REJECTED),
    "error_validation_empty_goods.json": (plain_sell, Code.RECEIPT_REJECTED),
}
RECEIPTS = [
    "receipt_get_2020_done_full.json",
    "receipt_offline_created_full.json",
    "receipt_offline_done_full.json",
    "receipt_sell_2020_auto_offline_full.json",
    "receipt_sell_created.json",
    "receipt_sell_done.json",
    "receipt_sell_done_full.json",
]
SHIFTS = [
    "shift_open_accepted.json",
    "shift_open_accepted_2020_full.json",
    "shift_opened.json",
    "shift_opened_2020_full.json",
    "shift_close_accepted.json",
    "shift_closing_2020_full.json",
]
OTHERS = {
    "auth_signin_pin_ok.json",
    "cashier_me.json",
    "cashier_me_2020.json",
    "error_receipt_not_found.json",
    "register_info.json",
    "register_info_2020.json",
    "shift_none.json",
    "tax_list_2020_vat_dev.json",
    "tax_list_non_vat.json",
}


def test_every_example_is_used_or_named_as_not_ours() -> None:
    """A new capture does not lie there unread."""
    there = {path.name for path in EXAMPLES.iterdir()}
    assert there - NOT_OURS == {*FAILURES, *RECEIPTS, *SHIFTS, *OTHERS}


@pytest.mark.parametrize("name", FAILURES)
def test_a_captured_failure_has_its_outcome(name: str) -> None:
    """Each refusal that was seen ends where the failure table sends it."""
    call, outcome = FAILURES[name]
    with pytest.raises((Refusal, Rejected, Unavailable)) as caught:
        replay(name, call)
    if isinstance(outcome, Code):
        assert isinstance(caught.value, Rejected)
        assert caught.value.code is outcome
    else:
        assert type(caught.value) is outcome


@pytest.mark.parametrize("name", RECEIPTS)
def test_a_captured_receipt_is_read(name: str) -> None:
    """Every receipt that was seen, old or new, cut or full, is read with its id, status, number and total."""
    body = captured(name)["body"]
    issued = replay(name, sell(name))
    assert issued.id == body["id"]
    assert issued.status == body["status"]
    assert issued.fiscal_code == body["fiscal_code"]
    assert issued.is_numbered is (body["fiscal_code"] is not None)
    assert issued.total == body.get("total_sum", body.get("sum"))
    assert issued.offline is body.get("is_created_offline", False)
    assert len(issued.lines) == len(body.get("goods", []))


def test_the_fullest_online_receipt_is_read_whole() -> None:
    """Number, date, register, lines with tax codes and the time to the number."""
    name = "receipt_sell_done_full.json"
    issued = replay(name, sell(name))
    assert issued.fiscal_date == "2026-09-09T10:28:55.512968Z"
    assert issued.register_number == "TEST102567"
    assert issued.shift_id == "066c8c8f-bd67-4661-8766-c7429e15ea27"
    assert issued.lines == (
        IssuedLine("SKU-TEST-1", 1000, 15000, (IssuedTax(8, Decimal(0)),), 15000, "Тестовий товар"),
    )
    assert issued.seconds_to_number == pytest.approx(1.487032)


def test_the_register_is_found_in_the_tax_link_where_the_shift_is_cut() -> None:
    """A GET may leave out the shift; the tax service's link names the register."""
    name = "receipt_sell_done.json"
    assert replay(name, sell(name)).register_number == "TEST102567"


@pytest.mark.parametrize("name", SHIFTS)
def test_a_captured_shift_is_read(name: str) -> None:
    """Every shift that was seen is read with its status, its opening and its register; none looks refused."""
    body = captured(name)["body"]
    shift = replay(name, lambda client, url: client.current_shift(url, TOKEN))
    assert (shift.id, shift.status) == (body["id"], body["status"])
    assert (shift.opened_at is None) is (body.get("opened_at") is None)
    assert shift.register_number == body.get("cash_register", {}).get("fiscal_number")
    assert shift.refusal is None


def test_the_null_of_a_cashier_without_a_shift_is_a_sure_none() -> None:
    """The JSON literal ``null`` with 200 is an answer here, and nowhere else."""
    assert replay("shift_none.json", lambda client, url: client.current_shift(url, TOKEN)) is None
    with pytest.raises(Unavailable):
        replay("shift_none.json", look_up)


def test_the_archive_s_404_is_a_sure_none() -> None:
    """An unknown receipt is known to be unknown."""
    assert replay("error_receipt_not_found.json", look_up) is None


def test_a_captured_sign_in_gives_the_token() -> None:
    """The token is taken as it stands."""
    token = captured("auth_signin_pin_ok.json")["body"]["access_token"]
    assert replay("auth_signin_pin_ok.json", by_pin) == token


@pytest.mark.parametrize("name", ["tax_list_2020_vat_dev.json", "tax_list_non_vat.json"])
def test_a_captured_tax_table_is_read(name: str) -> None:
    """Codes, labels and rates are those of the answer."""
    taxes = replay(name, lambda client, url: client.taxes(url, TOKEN))
    shown = [(tax["code"], tax["label"], Decimal(str(tax["rate"]))) for tax in captured(name)["body"]]
    assert [(tax.code, tax.label, tax.rate) for tax in taxes] == shown


@pytest.mark.parametrize("name", ["register_info.json", "register_info_2020.json"])
def test_a_captured_register_is_read(name: str) -> None:
    """The register's fiscal number and state, whether its own number is text or not."""
    info = replay(name, register)
    body = captured(name)["body"]
    assert info.fiscal_number == body["fiscal_number"]
    assert info.has_shift is bool(body.get("has_shift"))
    assert info.emergency is None


@pytest.mark.parametrize("name", ["cashier_me.json", "cashier_me_2020.json"])
def test_a_captured_cashier_is_read(name: str) -> None:
    """Who is signed in, and for whom."""
    info = replay(name, me)
    body = captured(name)["body"]
    assert (info.id, info.full_name) == (body["id"], body["full_name"])
    assert info.organization == body["organization"]["title"]
    assert info.blocked is None


@pytest.mark.parametrize("never", ["9999-12-31", "9999-12-31T23:59:59+00:00"])
def test_the_end_of_the_calendar_is_no_end(never: str) -> None:
    """Kyiv has no day after it."""
    cashier = read_cashier({"certificate_end": never, "organization": {"subscription_exp": never}})
    assert (cashier.certificate_end, cashier.subscription_end) == (None, None)
    assert read_block_date({"date_to_block": never}) is None
