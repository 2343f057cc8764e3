"""Refusals have the very bodies that were captured at the real Checkbox."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from tests.sandbox.driver import Answer, Checkbox, sale
from worker.sandbox.clock import iso
from worker.sandbox.seeding import generated

EXAMPLES = Path(__file__).parents[1] / "data" / "checkbox" / "examples"
KEY = "test-c0001"


def captured(name: str) -> tuple[int, Any]:
    response = json.loads((EXAMPLES / f"{name}.json").read_text(encoding="utf-8"))["response"]
    return response["status"], response["body"]


def no_bearer(checkbox: Checkbox) -> Answer:
    return checkbox.get("/cashier/me")


def garbage_bearer(checkbox: Checkbox) -> Answer:
    return checkbox.get("/cashier/me", "garbage")


def wrong_password(checkbox: Checkbox) -> Answer:
    return checkbox.post("/cashier/signin", {"login": "c0001", "password": "wrong"})


def wrong_pin_code(checkbox: Checkbox) -> Answer:
    return checkbox.post("/cashier/signinPinCode", {"pin_code": "wrong"}, license_key=KEY)


def wrong_license_key(checkbox: Checkbox) -> Answer:
    return checkbox.post("/cashier/signinPinCode", {"pin_code": "1"}, license_key="wrong")


def no_license_key(checkbox: Checkbox) -> Answer:
    return checkbox.get("/cash-registers/info")


def no_goods(checkbox: Checkbox) -> Answer:
    return checkbox.sell(checkbox.sign_in(), {"goods": [], "payments": []})


def the_same_id(checkbox: Checkbox) -> Answer:
    token, body = checkbox.sign_in(), sale()
    checkbox.sell(token, body)
    return checkbox.sell(token, body)


def unknown_receipt(checkbox: Checkbox) -> Answer:
    return checkbox.get(f"/receipts/{uuid4()}", checkbox.sign_in())


def sale_by_sum(checkbox: Checkbox) -> Answer:
    body = sale()
    body["goods"][0]["total_sum"] = 100
    return checkbox.sell(checkbox.sign_in(), body)


def sale_without_shift(checkbox: Checkbox) -> Answer:
    checkbox.control("POST", "/shifts", {"cashier": "c0001", "action": "close"})
    return checkbox.sell(checkbox.sign_in())


def offline_while_online(checkbox: Checkbox) -> Answer:
    body = sale(fiscal_code="TEST-AAAAAA", fiscal_date=iso(checkbox.time))
    return checkbox.post("/receipts/sell-offline", body, checkbox.sign_in())


def another_previous_receipt(checkbox: Checkbox) -> Answer:
    return checkbox.sell(checkbox.sign_in(), previous_receipt_id=str(uuid4()))


def closing_tomorrow(checkbox: Checkbox) -> Answer:
    checkbox.control("POST", "/shifts", {"cashier": "c0001", "action": "close"})
    body = {"auto_close_at": iso(checkbox.time + 86_400)}
    return checkbox.post("/shifts", body, checkbox.sign_in(), license_key=KEY)


@pytest.mark.parametrize(
    ("provoke", "example"),
    [
        (no_bearer, "auth_header_missing"),
        (garbage_bearer, "auth_token_invalid"),
        (wrong_password, "auth_signin_password_wrong"),
        (wrong_pin_code, "auth_signin_pin_wrong"),
        (wrong_license_key, "auth_signin_license_wrong"),
        (no_license_key, "error_license_header_missing"),
        (no_goods, "error_validation_empty_goods"),
        (the_same_id, "error_receipt_duplicate_id"),
        (unknown_receipt, "error_receipt_not_found"),
        (sale_by_sum, "error_total_sum_option_off"),
        (sale_without_shift, "error_shift_not_opened"),
        (offline_while_online, "error_offline_not_in_manual_offline"),
        (another_previous_receipt, "error_offline_previous_id"),
        (closing_tomorrow, "error_auto_close_at_other_day"),
    ],
)
def test_a_refusal_is_the_captured_one(provoke: Any, example: str) -> None:
    """Status and body are those of the capture."""
    answer = provoke(Checkbox())
    assert (answer.status, answer.body) == captured(example)


@pytest.mark.parametrize(
    ("license_key", "example", "code"),
    [
        (KEY, "error_shift_already_open", "base.bad_request"),
        ("test-c0002", "error_register_busy_other_cashier", None),
    ],
)
def test_a_busy_cashier_or_register_is_told_in_the_known_words(
    license_key: str, example: str, code: str | None
) -> None:
    """Status and message are known; the code of the second is not, and is null unless an option gives one."""
    checkbox = Checkbox(generated(2))
    token = checkbox.sign_in()
    if license_key != KEY:
        checkbox.control("POST", "/shifts", {"cashier": "c0001", "action": "close"})
    answer = checkbox.post("/shifts", {}, token, license_key=license_key)
    status, body = captured(example)
    assert (answer.status, answer.body) == (status, {"code": code, "message": body["message"]})


def test_a_sale_in_an_old_shift_is_refused_in_words_that_begin_as_is_known() -> None:
    """After 24 hours the sale is refused, and the shift stays OPENED."""
    checkbox = Checkbox()
    token = checkbox.sign_in()
    checkbox.time += 24 * 3600
    assert checkbox.sell(token).status == 201
    checkbox.time += 1
    answer = checkbox.sell(token)
    known = captured("error_shift_open_over_24h")[1]["message"].removesuffix("<text not found>")
    assert answer.status == 400
    assert answer.body["message"].startswith(known)
    assert checkbox.get("/cashier/shift", token).body["status"] == "OPENED"


def test_an_offline_sale_before_the_shift_is_refused_as_captured() -> None:
    """The message names the time of the opening."""
    checkbox = Checkbox()
    token = checkbox.sign_in()
    checkbox.post("/cash-registers/go-offline", {}, token, license_key=KEY)
    body = sale(fiscal_code="TEST-AAAAAA", fiscal_date=iso(checkbox.time - 1))
    answer = checkbox.post("/receipts/sell-offline", body, token)
    status, known = captured("error_offline_date_before_shift")
    assert (answer.status, answer.body["code"]) == (status, known["code"])
    assert answer.body["message"] == known["message"].replace("<timestamp>", iso(checkbox.time))


def test_an_offline_code_is_taken_once() -> None:
    """The second receipt with the same code is refused in the known words."""
    checkbox = Checkbox()
    token = checkbox.sign_in()
    checkbox.post("/cash-registers/go-offline", {}, token, license_key=KEY)
    checkbox.time += 1
    members = {"fiscal_code": "TEST-M6Jt4h", "fiscal_date": iso(checkbox.time)}
    assert checkbox.post("/receipts/sell-offline", sale(**members), token).status == 201
    answer = checkbox.post("/receipts/sell-offline", sale(**members), token)
    status, known = captured("error_offline_code_used")
    assert (answer.status, answer.body["message"]) == (status, known["message"])


def test_a_request_without_user_agent_meets_the_front() -> None:
    """Cloudflare answers with a page and not with JSON."""
    answer = Checkbox().call("GET", "/cashier/me", headers={"user-agent": ""}, checked=False)
    assert (answer.status, answer.media_type) == (403, "text/html; charset=utf-8")
    assert b"1010" in answer.raw
