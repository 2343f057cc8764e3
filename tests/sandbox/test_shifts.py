"""A shift's life: states that come with time, refusals, closing, the 24 hours."""

from __future__ import annotations

from uuid import uuid4

import pytest

from tests.sandbox.driver import Checkbox, sale
from worker.sandbox.clock import iso, parse_iso
from worker.sandbox.seeding import generated

KEY = "test-c0001"


def closed(**options: object) -> tuple[Checkbox, str]:
    """A cashier who is signed in and has no shift."""
    checkbox = Checkbox(generated(2, shifts=False), **options)
    return checkbox, checkbox.sign_in()


def test_a_shift_opens_with_time() -> None:
    """202 CREATED without opening time, then OPENING, then OPENED after about 2 s."""
    checkbox, token = closed()
    assert checkbox.get("/cashier/shift", token).body is None
    answer = checkbox.post("/shifts", {}, token, license_key=KEY)
    assert (answer.body["status"], answer.body["opened_at"]) == ("CREATED", None)
    assert answer.body["initial_transaction"]["status"] == "PENDING"
    assert checkbox.sell(token).body["code"] == "shift.not_opened"
    checkbox.time += 1.5
    assert checkbox.get("/cashier/shift", token).body["status"] == "OPENING"
    checkbox.time += 1
    shift = checkbox.get("/cashier/shift", token).body
    assert (shift["status"], shift["initial_transaction"]["status"]) == ("OPENED", "DONE")
    assert parse_iso(shift["opened_at"]) - parse_iso(shift["created_at"]) == pytest.approx(2, abs=1e-3)


def test_a_refused_opening_ends_closed_with_the_reason() -> None:
    """CLOSED and no error status; the words are in the initial transaction, and the next try is free."""
    checkbox, token = closed()
    checkbox.fault("refuse_shift,words=Ключ не діє,count=1")
    shift_id = checkbox.post("/shifts", {}, token, license_key=KEY).body["id"]
    checkbox.time += 3
    shift = checkbox.get(f"/shifts/{shift_id}", token).body
    assert (shift["status"], shift["opened_at"]) == ("CLOSED", None)
    assert shift["initial_transaction"]["status"] == "ERROR"
    assert shift["initial_transaction"]["response_error_message"] == "Ключ не діє"
    assert checkbox.get("/cashier/shift", token).body is None
    assert checkbox.post("/shifts", {}, token, license_key=KEY).status == 202


def test_a_shift_closes_with_time_and_its_report_gets_a_number() -> None:
    """202 CLOSING with a Z report that has no number yet; CLOSED with one about 2 s later, then null."""
    checkbox = Checkbox()
    token = checkbox.sign_in()
    checkbox.sell(token)
    checkbox.time += 5
    closing = checkbox.post("/shifts/close", {}, token).body
    assert (closing["status"], closing["z_report"]["fiscal_code"]) == ("CLOSING", None)
    assert closing["closed_at"].endswith(("+02:00", "+03:00"))
    assert checkbox.sell(token).body["code"] == "shift.not_opened"
    checkbox.time += 2
    shift = checkbox.get(f"/shifts/{closing['id']}", token).body
    assert shift["status"] == shift["closing_transaction"]["status"].replace("DONE", "CLOSED") == "CLOSED"
    assert shift["z_report"]["fiscal_code"].startswith("TEST-")
    assert shift["z_report"]["sell_receipts_count"] == 1
    assert checkbox.get("/cashier/shift", token).body is None
    assert checkbox.post("/shifts/close", {}, token).body["code"] == "shift.not_opened"


def test_money_in_the_till_outlives_the_shift() -> None:
    """The next shift of the register begins with what the last one left."""
    checkbox = Checkbox()
    token = checkbox.sign_in()
    checkbox.sell(token)
    checkbox.control("POST", "/shifts", {"cashier": "c0001", "action": "close"})
    opened = checkbox.post("/shifts", {}, token, license_key=KEY).body
    assert (opened["serial"], opened["balance"]["initial"]) == (2, 15_000)


def test_closing_waits_for_unfinished_receipts_or_is_refused() -> None:
    """ASSUMED A10, both ways."""
    checkbox = Checkbox()
    token = checkbox.sign_in()
    checkbox.fault("created_for,seconds=60")
    checkbox.sell(token)
    checkbox.state.options = checkbox.state.options.with_changes({"close_with_unfinished": "refuse"})
    assert checkbox.post("/shifts/close", {}, token).status == 400
    checkbox.state.options = checkbox.state.options.with_changes({"close_with_unfinished": "wait"})
    assert checkbox.post("/shifts/close", {}, token).status == 202
    checkbox.time += 59
    assert checkbox.get("/cashier/shift", token).body["status"] == "CLOSING"
    checkbox.time += 4
    assert checkbox.get("/cashier/shift", token).body is None


@pytest.mark.parametrize("payment", [15_000, -1])
def test_after_24_hours_every_receipt_is_refused_until_the_shift_is_closed(payment: int) -> None:
    """The status and the code are switchable (ASSUMED A1); a new shift sells again."""
    checkbox = Checkbox(over_24h_status=403, over_24h_code="shift.opened_over_24h")
    token = checkbox.sign_in()
    checkbox.time += 24 * 3600 + 1
    if payment > 0:
        answer = checkbox.sell(token)
    else:
        answer = checkbox.post("/receipts/service", {"payment": {"value": 100}}, token)
    assert (answer.status, answer.body["code"]) == (403, "shift.opened_over_24h")
    assert checkbox.post("/shifts/close", {}, token).status == 202
    checkbox.time += 3
    assert checkbox.post("/shifts", {}, token, license_key=KEY).status == 202
    checkbox.time += 3
    assert checkbox.sell(token).status == 201


def test_checkbox_may_close_an_old_shift_itself() -> None:
    """ASSUMED either way: by option the shift is CLOSED after 24 hours, marked as an emergency."""
    checkbox = Checkbox(force_close_at_24h=True)
    token = checkbox.sign_in()
    shift_id = checkbox.get("/cashier/shift", token).body["id"]
    checkbox.time += 24 * 3600
    assert checkbox.get("/cashier/shift", token).body is None
    assert checkbox.get(f"/shifts/{shift_id}", token).body["emergency_close"] is True
    assert checkbox.sell(token).body["code"] == "shift.not_opened"
    old = {"cashier": "c0001", "action": "open", "opened_at": iso(checkbox.time - 90_000)}
    assert checkbox.control("POST", "/shifts", old).body["status"] == "OPENED"


def test_a_shift_closes_at_the_time_it_was_given() -> None:
    """``auto_close_at`` today is kept."""
    checkbox, token = closed()
    body = {"auto_close_at": iso(checkbox.time + 600)}
    assert checkbox.post("/shifts", body, token, license_key=KEY).status == 202
    checkbox.time += 599
    assert checkbox.get("/cashier/shift", token).body["status"] == "OPENED"
    checkbox.time += 2
    assert checkbox.get("/cashier/shift", token).body is None


def test_the_codes_of_the_busy_refusals_are_switchable() -> None:
    """ASSUMED A2, and the status too."""
    checkbox = Checkbox(cashier_has_shift_code="shift.already_opened", busy_status=400)
    answer = checkbox.post("/shifts", {}, checkbox.sign_in(), license_key=KEY)
    assert answer.body["code"] == "shift.already_opened"


def test_two_cashiers_share_a_register_one_after_the_other() -> None:
    """A register has one shift at a time; closed, it is free for the other cashier."""
    checkbox = Checkbox(generated(2, shifts=False))
    first, second = checkbox.sign_in("c0001"), checkbox.sign_in("c0002")
    assert checkbox.post("/shifts", {}, first, license_key=KEY).status == 202
    checkbox.time += 3
    assert (
        checkbox.post("/shifts", {}, second, license_key=KEY).body["message"] == "Каса зайнята іншим касиром"
    )
    checkbox.post("/shifts/close", {}, first)
    checkbox.time += 3
    assert checkbox.post("/shifts", {}, second, license_key=KEY).status == 202


def test_a_person_opens_a_shift_that_is_old() -> None:
    """The control API opens at once, at any time in the past."""
    checkbox, token = closed()
    opened_at = iso(checkbox.time - 25 * 3600)
    checkbox.control("POST", "/shifts", {"cashier": "c0001", "opened_at": opened_at})
    shift = checkbox.get("/cashier/shift", token).body
    assert (shift["status"], shift["opened_at"]) == ("OPENED", opened_at)
    assert checkbox.sell(token).body["message"].startswith("Зміну відкрито понад")


def test_a_shift_of_another_client_may_need_a_word_to_be_closed() -> None:
    """ASSUMED either way: by option it closes only with ``skip_client_name_check`` or by the same client."""
    checkbox = Checkbox(client_name_check=True)
    token = checkbox.sign_in()
    worker = {"x-client-name": "worker"}
    assert checkbox.post("/shifts/close", {}, token, headers=worker).status == 400
    body = {"skip_client_name_check": True}
    assert checkbox.post("/shifts/close", body, token, headers=worker).status == 202


def test_a_register_of_another_organization_cannot_be_opened() -> None:
    """Cashier and register belong to one outlet."""
    checkbox, token = closed()
    checkbox.state.add_register("test-other", checkbox.state.add_organization("Інша", []))
    assert checkbox.post("/shifts", {}, token, license_key="test-other").status == 400


def test_opening_needs_manual_offline_for_an_offline_code() -> None:
    """A fiscal code or date of an opening is for a register that is offline."""
    checkbox, token = closed()
    answer = checkbox.post("/shifts", {"id": str(uuid4()), "fiscal_code": "x"}, token, license_key=KEY)
    assert answer.body["code"] == "cash_register.should_be_offline"


def test_a_known_id_and_a_closed_shift_are_noticed_in_either_order() -> None:
    """ASSUMED either way, so an option switches it."""
    body = sale()
    for first, code in ((True, "receipt.already_exists"), (False, "shift.not_opened")):
        checkbox = Checkbox(duplicate_before_shift=first)
        token = checkbox.sign_in()
        assert checkbox.sell(token, body).status == 201
        checkbox.control("POST", "/shifts", {"cashier": "c0001", "action": "close"})
        assert checkbox.sell(token, body).body["code"] == code
