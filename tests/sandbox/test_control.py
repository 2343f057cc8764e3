"""What a person does to the sandbox from the other side."""

from __future__ import annotations

import pytest

from tests.sandbox.driver import Checkbox, line, sale
from worker.sandbox.clock import iso


def test_the_ledger_tells_every_receipt() -> None:
    """Who made it where, what it came to, what was sent, when it was DONE, and when that was first seen."""
    checkbox = Checkbox()
    token = checkbox.sign_in("c0002")
    body = sale(context={"request": "r-1"})
    checkbox.sell(token, body)
    entry = checkbox.control("GET", "/ledger").body[0]
    assert (entry["id"], entry["status"], entry["done_at"]) == (body["id"], "CREATED", None)
    assert (entry["cashier"], entry["register"], entry["total"]) == ("c0002", "TEST100002", 15_000)
    assert entry["body"] == body
    checkbox.time += 2
    entry = checkbox.control("GET", "/ledger").body[0]
    assert (entry["status"], entry["done_at"], entry["shown_at"]) == ("DONE", iso(checkbox.time), None)
    checkbox.time += 1
    checkbox.receipt(token, body["id"])
    checkbox.time += 1
    checkbox.receipt(token, body["id"])
    entry = checkbox.control("GET", "/ledger").body[0]
    assert entry["shown_at"] == iso(checkbox.time - 1)


def test_the_ledger_may_be_short() -> None:
    """Without the requests, for runs of many receipts."""
    checkbox = Checkbox()
    checkbox.sell(checkbox.sign_in())
    answer = checkbox.ask("GET", "/sandbox/ledger", "body=0", b"", {"user-agent": "test"})
    assert "body" not in answer.body[0]


def test_counters_count_by_endpoint_and_status() -> None:
    """Requests of the control API are no requests to Checkbox."""
    checkbox = Checkbox()
    token = checkbox.sign_in()
    body = sale()
    checkbox.sell(token, body)
    checkbox.sell(token, body)
    checkbox.receipt(token, body["id"])
    counters = checkbox.control("GET", "/counters").body
    assert counters["requests"] == {
        "POST /cashier/signin": {"200": 1},
        "POST /receipts/sell": {"201": 1, "400": 1},
        "GET /receipts/{receipt_id}": {"200": 1},
    }
    assert counters["receipts"] == {"CREATED": 1}


def test_the_clock_moves_forward_only() -> None:
    """A shift becomes old, a receipt DONE; backwards is refused."""
    checkbox = Checkbox()
    token = checkbox.sign_in()
    body = sale()
    checkbox.sell(token, body)
    assert checkbox.control("POST", "/clock", {"advance_seconds": 25 * 3600}).status == 200
    assert checkbox.receipt(token, body["id"])["status"] == "DONE"
    assert checkbox.sell(token).body["message"].startswith("Зміну відкрито понад")
    assert checkbox.control("POST", "/clock", {"advance_seconds": -1}).status == 400


def test_a_receipt_is_ended_by_hand_and_its_money_goes_with_it() -> None:
    """ERROR takes it out of shift and till, DONE brings it back."""
    checkbox = Checkbox()
    token = checkbox.sign_in()
    body = sale(line(15_000, good={"tax": [1]}))
    checkbox.sell(token, body)
    till = checkbox.state.cashiers["c0001"].register
    before = checkbox.get("/cashier/shift", token).body
    checkbox.control("POST", f"/receipts/{body['id']}", {"status": "ERROR", "words": "Відмова"})
    receipt = checkbox.receipt(token, body["id"])
    assert (receipt["status"], till.till) == ("ERROR", 0)
    assert receipt["transaction"]["response_error_message"] == "Відмова"
    assert {tax["sales"] for tax in receipt["shift"]["taxes"]} == {0}
    checkbox.control("POST", f"/receipts/{body['id']}", {"status": "DONE"})
    assert (checkbox.receipt(token, body["id"])["status"], till.till) == ("DONE", 15_000)
    after = checkbox.get("/cashier/shift", token).body
    assert (after["balance"], after["taxes"]) == (before["balance"], before["taxes"])


def test_the_till_is_set() -> None:
    """So that a cash return has something to take."""
    checkbox = Checkbox()
    token = checkbox.sign_in()
    checkbox.control("POST", "/registers", {"cashier": "c0001", "till": 50_000})
    assert checkbox.sell(token, sale(line(is_return=True))).status == 201
    assert checkbox.get("/cashier/shift", token).body["balance"]["balance"] == 35_000


def test_a_reset_is_a_new_start() -> None:
    """Cashiers and their shifts are there anew; receipts, tokens, faults, counts, new options are gone."""
    checkbox = Checkbox(rate=7)
    checkbox.control("POST", "/options", {"rate": 8, "language": "en"})
    token = checkbox.sign_in()
    checkbox.sell(token)
    checkbox.fault("error_500")
    assert checkbox.control("POST", "/reset").body == {"cashiers": 2}
    assert checkbox.control("GET", "/ledger").body == []
    assert checkbox.control("GET", "/faults").body == []
    assert checkbox.control("GET", "/counters").body["requests"] == {}
    options = checkbox.control("POST", "/options", {}).body
    assert (options["rate"], options["language"]) == (7, "uk")
    assert checkbox.get("/cashier/me", token).status == 401
    assert checkbox.sell(checkbox.sign_in()).status == 201


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("/faults", {"kind": "nothing"}, 400),
        ("/options", {"rounding": "up"}, 400),
        ("/options", {"colour": "red"}, 400),
        ("/options", {"throttle": "perhaps"}, 400),
        ("/shifts", {"cashier": "nobody"}, 404),
        ("/shifts", {"cashier": "c0001", "action": "open"}, 409),
        ("/shifts", {"cashier": "c0001", "action": "paint"}, 400),
        ("/receipts/00000000-0000-4000-8000-000000000000", {"status": "DONE"}, 404),
        ("/clock", b"[1]", 400),
        ("/clock", b"{", 400),
    ],
)
def test_a_wrong_order_is_told(path: str, body: object, status: int) -> None:
    """A word on what is wrong, and no fault of the server."""
    answer = Checkbox().control("POST", path, body)
    assert answer.status == status
    assert answer.body["error"]


def test_options_change_while_it_runs() -> None:
    """What was assumed one way is the other way from now on."""
    checkbox = Checkbox()
    token = checkbox.sign_in()
    body = sale(payments=[{"type": "CASHLESS", "value": 15_001}])
    assert checkbox.sell(token, body).status == 400
    options = checkbox.control("POST", "/options", {"card_overpayment": "accept", "done_after": 0}).body
    assert options["card_overpayment"] == "accept"
    assert checkbox.sell(token, body).status == 201
    assert checkbox.receipt(token, body["id"])["status"] == "DONE"
