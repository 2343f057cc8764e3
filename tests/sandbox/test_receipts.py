"""A receipt's life: CREATED, then DONE or ERROR; ids, serials, the chain of documents, searching."""

from __future__ import annotations

import json
from pathlib import Path
from uuid import uuid4

import pytest

from tests.sandbox.driver import START, Checkbox, line, sale
from worker.sandbox.clock import iso, parse_iso

EXAMPLES = Path(__file__).parents[1] / "data" / "checkbox" / "examples"
KEY = "test-c0001"
OFFLINE = {"fiscal_code": "TEST-abc123", "fiscal_date": iso(START + 1)}


def test_a_receipt_is_created_first_and_done_later() -> None:
    """201 CREATED without number and tax address but with a fiscal date; about 2 s later DONE with both."""
    checkbox = Checkbox()
    token = checkbox.sign_in()
    body = sale()
    created = checkbox.sell(token, body).body
    assert (created["status"], created["fiscal_code"], created["tax_url"]) == ("CREATED", None, None)
    assert created["fiscal_date"] == iso(checkbox.time)
    checkbox.time += 1.9
    assert checkbox.receipt(token, body["id"])["status"] == "CREATED"
    checkbox.time += 0.1
    done = checkbox.receipt(token, body["id"])
    assert (done["status"], done["transaction"]["status"]) == ("DONE", "DONE")
    assert len(done["fiscal_code"]) == 11
    assert done["fiscal_code"].startswith("TEST-")
    assert done["is_sent_dps"] is False


def test_the_transaction_tells_when_the_number_came() -> None:
    """``updated_at`` of receipt and transaction is the time of DONE, ``created_at`` that of the sale."""
    checkbox = Checkbox(done_after=3)
    token = checkbox.sign_in()
    receipt_id = checkbox.sell(token).body["id"]
    checkbox.time += 600
    receipt = checkbox.receipt(token, receipt_id)
    transaction = receipt["transaction"]
    assert parse_iso(transaction["updated_at"]) - parse_iso(transaction["created_at"]) == pytest.approx(3)
    assert receipt["updated_at"] == transaction["updated_at"]
    assert transaction["response_id"] == receipt["fiscal_code"]


def test_the_transaction_passes_through_its_states() -> None:
    """PENDING, SIGNED, DELIVERED, DONE."""
    checkbox = Checkbox(done_after=10)
    token = checkbox.sign_in()
    receipt_id = checkbox.sell(token).body["id"]
    seen = []
    for seconds in (1, 4, 3, 3):
        checkbox.time += seconds
        seen.append(checkbox.receipt(token, receipt_id)["transaction"]["status"])
    assert seen == ["PENDING", "SIGNED", "DELIVERED", "DONE"]


def test_a_done_receipt_has_the_members_of_the_captured_one() -> None:
    """No member of the fullest known body is missing, in the receipt, its lines, transaction and shift."""
    known = json.loads((EXAMPLES / "receipt_sell_done_full.json").read_text(encoding="utf-8"))
    expected = known["response"]["body"]
    checkbox = Checkbox()
    token = checkbox.sign_in()
    receipt_id = checkbox.sell(token, sale(line(good={"tax": [8]}))).body["id"]
    checkbox.time += 3
    receipt = checkbox.receipt(token, receipt_id)
    assert expected.keys() <= receipt.keys()
    assert expected["transaction"].keys() <= receipt["transaction"].keys()
    assert expected["shift"].keys() <= receipt["shift"].keys()
    assert expected["goods"][0].keys() <= receipt["goods"][0].keys()
    assert expected["goods"][0]["good"].keys() <= receipt["goods"][0]["good"].keys()
    assert expected["taxes"][0].keys() <= receipt["taxes"][0].keys()
    assert expected["payments"][0].keys() <= receipt["payments"][0].keys()


@pytest.mark.parametrize("other", [{}, {"goods": [line(999)], "payments": [{"value": 999}]}])
@pytest.mark.parametrize("later", [0, 60])
def test_an_id_makes_one_receipt(other: dict[str, object], later: float) -> None:
    """A second POST is refused while CREATED and after DONE, with the same payload and with another."""
    checkbox = Checkbox()
    token = checkbox.sign_in()
    body = sale()
    checkbox.sell(token, body)
    checkbox.time += later
    assert checkbox.sell(token, {**body, **other}).body["code"] == "receipt.already_exists"
    assert checkbox.sell(token, {**body, "id": body["id"].upper()}).body["code"] == "receipt.already_exists"
    assert len(checkbox.state.receipts) == 1
    assert checkbox.control("GET", "/counters").body["duplicates_refused"] == 2


def test_an_id_is_used_up_by_an_error() -> None:
    """The id of a receipt in ERROR is refused like any other."""
    checkbox = Checkbox()
    checkbox.fault("error_receipt,count=1")
    token = checkbox.sign_in()
    body = sale()
    checkbox.sell(token, body)
    checkbox.time += 3
    assert checkbox.receipt(token, body["id"])["status"] == "ERROR"
    assert checkbox.sell(token, body).body["code"] == "receipt.already_exists"


def test_a_receipt_of_another_organization_is_not_found() -> None:
    """Its id is taken all the same."""
    checkbox = Checkbox()
    checkbox.state.add_organization("Інша", [])
    cashier = {"login": "other", "password": "secret-other", "organization": "Інша"}
    checkbox.control("POST", "/cashiers", cashier)
    checkbox.control("POST", "/shifts", {"cashier": "other"})
    body = sale()
    checkbox.sell(checkbox.sign_in(), body)
    other = checkbox.sign_in("other")
    assert checkbox.sell(other, body).body["code"] == "receipt.already_exists"
    assert checkbox.get(f"/receipts/{body['id']}", other).status == 404


def test_a_receipt_is_found_by_its_number_once_it_has_one() -> None:
    """Before DONE the number is not known to anybody."""
    checkbox = Checkbox()
    token = checkbox.sign_in()
    receipt_id = checkbox.sell(token).body["id"]
    code = checkbox.state.receipts[receipt_id].transaction.fiscal_code
    assert checkbox.get(f"/receipts/{code}", token).status == 404
    checkbox.time += 3
    assert checkbox.receipt(token, str(code))["id"] == receipt_id


def test_documents_of_a_register_make_a_chain() -> None:
    """Serials of receipts grow by one, those of transactions too, and each hash is another."""
    checkbox = Checkbox(throttle=False)
    token = checkbox.sign_in()
    bodies = [checkbox.sell(token).body for _ in range(3)]
    assert [body["serial"] for body in bodies] == [1, 2, 3]
    assert [body["transaction"]["serial"] for body in bodies] == [2, 3, 4]
    assert len({body["transaction"]["previous_hash"] for body in bodies}) == 3


def test_transactions_may_be_counted_per_shift() -> None:
    """ASSUMED A8: as in 2020, SHIFT_OPEN is 0 and the first receipt 1."""
    checkbox = Checkbox(serials="shift")
    token = checkbox.sign_in()
    assert checkbox.get("/cashier/shift", token).body["initial_transaction"]["serial"] == 0
    assert checkbox.sell(token).body["transaction"]["serial"] == 1


def test_context_comes_back() -> None:
    """In the 201 and in every look at the receipt."""
    checkbox = Checkbox()
    token = checkbox.sign_in()
    context = {"request": "r-1", "replay": 2}
    created = checkbox.sell(token, context=context).body
    assert created["context"] == checkbox.receipt(token, created["id"])["context"] == context


def test_stamps_and_electronic_marks_of_excise_come_back() -> None:
    """Each in a list of its own, as they were sent."""
    checkbox = Checkbox()
    token = checkbox.sign_in()
    excise = {"excise_barcodes": ["ABEI123456"], "e_excise_barcodes": ["0A1B2C3D4E5F", "0A1B2C3D4E60"]}
    created = checkbox.sell(token, sale(line(good={"tax": [1], **excise}))).body
    (good,) = checkbox.receipt(token, created["id"])["goods"]
    assert {name: good["good"][name] for name in excise} == excise


def test_the_tax_address_is_another_each_time_but_for_its_figures() -> None:
    """``mac`` differs at each fetch; the time is that of Kyiv."""
    checkbox = Checkbox()
    token = checkbox.sign_in()
    receipt_id = checkbox.sell(token).body["id"]
    checkbox.time += 3
    first, second = (checkbox.receipt(token, receipt_id)["tax_url"] for _ in range(2))
    assert first != second
    assert first.partition("&mac=")[0] == second.partition("&mac=")[0]
    assert "fn=TEST100001&sm=150.00" in first


def test_over_the_rate_a_register_pauses_and_refuses_nobody() -> None:
    """Six sales at once are all 201; those above two a second wait 5 s, other registers do not."""
    checkbox = Checkbox()
    token, other = checkbox.sign_in("c0001"), checkbox.sign_in("c0002")
    ids = [checkbox.sell(token).body["id"] for _ in range(6)]
    other_id = checkbox.sell(other).body["id"]
    checkbox.time += 2
    assert [checkbox.receipt(token, each)["status"] for each in ids] == ["DONE"] * 2 + ["CREATED"] * 4
    assert checkbox.receipt(other, other_id)["status"] == "DONE"
    checkbox.time += 5
    assert {checkbox.receipt(token, each)["status"] for each in ids} == {"DONE"}
    assert checkbox.control("GET", "/counters").body["throttled"] == {"TEST100001": 4}


def test_two_a_second_are_within_the_rate() -> None:
    """An evenly paced client is never throttled, and one whose requests come a moment early is not either."""
    checkbox = Checkbox()
    token = checkbox.sign_in()
    for number in range(10):
        checkbox.sell(token)
        checkbox.time += 0.5 + (0.02 if number % 2 else -0.02)
    assert checkbox.control("GET", "/counters").body["throttled"] == {}


def test_money_goes_into_the_till_and_out_of_it() -> None:
    """The answer shows the absolute value; more than there is cannot be taken out."""
    checkbox = Checkbox()
    token = checkbox.sign_in()
    into = checkbox.post("/receipts/service", {"payment": {"type": "CASH", "value": 55_000}}, token).body
    assert (into["type"], into["payments"][0]["value"]) == ("SERVICE_IN", 55_000)
    out = {"payment": {"type": "CASH", "value": -55_000}}
    taken = checkbox.post("/receipts/service", out, token).body
    assert (taken["type"], taken["payments"][0]["value"]) == ("SERVICE_OUT", 55_000)
    assert checkbox.post("/receipts/service", out, token).status == 400


def test_the_201_does_not_count_the_receipt_in_the_balance_yet() -> None:
    """As seen in 2020; the shift's own body counts it."""
    checkbox = Checkbox()
    token = checkbox.sign_in()
    assert checkbox.sell(token).body["shift"]["balance"]["cash_sales"] == 0
    assert checkbox.get("/cashier/shift", token).body["balance"]["cash_sales"] == 15_000


def test_receipts_are_searched_by_shift_time_and_cashier() -> None:
    """Of the named shifts, since a time, own ones or all of the organization, page by page."""
    checkbox = Checkbox()
    first, second = checkbox.sign_in("c0001"), checkbox.sign_in("c0002")
    early = checkbox.sell(first).body
    checkbox.time += 60
    late = checkbox.sell(first).body
    foreign = checkbox.sell(second).body

    def found(query: str) -> list[str]:
        page = checkbox.get("/receipts/search", first, query=query).body
        return [item["id"] for item in page["results"]]

    assert found("") == [early["id"], late["id"]]
    assert found(f"from_date={iso(checkbox.time - 1).replace('+', '%2B')}") == [late["id"]]
    assert found("self_receipts=false") == [early["id"], late["id"], foreign["id"]]
    assert found(f"shift_id={foreign['shift_id']}&self_receipts=false") == [foreign["id"]]
    assert found("limit=1&offset=1") == [late["id"]]
    assert found("limit=1&desc=true") == [late["id"]]


def test_a_list_is_of_the_register_or_of_the_whole_organization() -> None:
    """With an open shift the register's receipts, without one all of the organization."""
    checkbox = Checkbox()
    first, second = checkbox.sign_in("c0001"), checkbox.sign_in("c0002")
    checkbox.sell(first)
    checkbox.sell(second)
    assert len(checkbox.get("/receipts", first).body["results"]) == 1
    checkbox.control("POST", "/shifts", {"cashier": "c0001", "action": "close"})
    assert len(checkbox.get("/receipts", first).body["results"]) == 2


def test_a_wrong_query_is_422() -> None:
    """A limit over the maximum and a date that is none are told with their place."""
    checkbox = Checkbox()
    token = checkbox.sign_in()
    for query, name in (("limit=101", "limit"), ("from_date=yesterday", "from_date"), ("desc=maybe", "desc")):
        answer = checkbox.get("/receipts/search", token, query=query)
        assert (answer.status, answer.body["detail"][0]["loc"]) == (422, ["query", name])


@pytest.mark.parametrize(("done", "offline"), [("at_once", "DONE"), ("after_upload", "CREATED")])
def test_offline_documents_wait_for_the_way_back(done: str, offline: str) -> None:
    """A receipt of manual offline mode has its number at once; its document is DONE only after go-online."""
    checkbox = Checkbox(offline_done=done)
    token = checkbox.sign_in()
    checkbox.post("/cash-registers/go-offline", {}, token, license_key=KEY)
    sold = checkbox.sell(token).body
    assert sold["is_created_offline"] is True
    assert sold["fiscal_code"]
    checkbox.time += 3600
    waiting = checkbox.receipt(token, sold["id"])
    assert (waiting["status"], waiting["transaction"]["status"]) == (offline, "PENDING")
    assert checkbox.get("/cash-registers/info", license_key=KEY).body["stay_offline"] is True
    checkbox.post("/cash-registers/go-online", token=token, license_key=KEY)
    checkbox.time += 3
    done = checkbox.receipt(token, sold["id"])
    assert (done["status"], done["fiscal_code"]) == ("DONE", sold["fiscal_code"])
    assert done["transaction"]["status"] == "DONE"


def test_an_upload_may_fail_or_be_refused() -> None:
    """The register stays offline, or the receipt ends in ERROR though it has had a number."""
    checkbox = Checkbox(offline_done="after_upload")
    token = checkbox.sign_in()
    both = {"token": token, "license_key": KEY}
    checkbox.fault("upload_fails,count=1")
    checkbox.post("/cash-registers/go-offline", {}, **both)
    waiting = checkbox.sell(token).body
    for status in ("CREATED", "DONE"):
        assert checkbox.post("/cash-registers/go-online", **both).body == {"status": "ok"}
        checkbox.time += 10
        assert checkbox.receipt(token, waiting["id"])["status"] == status
        is_offline = checkbox.get("/cash-registers/info", license_key=KEY).body["offline_mode"]
        assert is_offline is (status == "CREATED")
    checkbox.fault("upload_refused,seconds=60,words=Документ відхилено,count=1")
    sold = checkbox.sell(token).body
    assert (sold["status"], sold["is_created_offline"]) == ("CREATED", True)
    assert sold["fiscal_code"]
    checkbox.time += 61
    refused = checkbox.receipt(token, sold["id"])
    assert (refused["status"], refused["fiscal_code"]) == ("ERROR", sold["fiscal_code"])
    assert refused["transaction"]["response_error_message"] == "Документ відхилено"
    assert checkbox.get("/cashier/shift", token).body["balance"]["cash_sales"] == 30_000


def test_null_stands_for_a_member_that_is_left_out() -> None:
    """Discounts, labels and flags may be null; ``taxes`` is the old name of ``tax``."""
    checkbox = Checkbox()
    token = checkbox.sign_in()
    body = sale(
        line(discounts=None, is_return=None, good={"taxes": ["А"]}),
        payments=[{"type": "CASHLESS", "value": 15_000, "label": None}],
        **dict.fromkeys(("discounts", "rounding", "technical_return")),
        callback_url="no address",
        control_number="12345",
        bonuses=["any"],
    )
    sold = checkbox.sell(token, body)
    assert (sold.status, sold.body["payments"][0]["label"]) == (201, "Картка")
    assert [tax["code"] for tax in sold.body["taxes"]] == [1]
    assert checkbox.sell(token, sale(line(good={"taxes": [99]}))).status == 400


@pytest.mark.parametrize("is_offline", [False, True])
def test_the_client_may_calculate_a_receipt_itself(is_offline: bool) -> None:
    """Checkbox takes the figures as they are, and the receipt is DONE with time."""
    checkbox = Checkbox()
    token = checkbox.sign_in()
    body = {
        "goods": [{**line(5_500), "sum": 5_500}, {**line(15_200), "sum": 15_200}],
        "discounts": [{"type": "DISCOUNT", "mode": "VALUE", "value": 2_500, "sum": -2_500}],
        "payments": [{"type": "CASHLESS", "value": 18_200}],
        "total_sum": 18_200,
        "total_payment": 18_200,
    }
    if is_offline:
        refused = checkbox.post("/receipts/add-external", {**body, **OFFLINE}, token)
        assert refused.body["code"] == "cash_register.should_be_offline"
        checkbox.post("/cash-registers/go-offline", {}, token, license_key=KEY)
        body.update(OFFLINE)
    made = checkbox.post("/receipts/add-external", body, token)
    assert (made.status, made.body["total_sum"]) == (201, 18_200)
    checkbox.time += 3
    assert checkbox.receipt(token, made.body["id"])["status"] == "DONE"
    assert checkbox.get("/cashier/shift", token).body["balance"]["card_sales"] == 18_200
    checkbox.control("POST", f"/receipts/{made.body['id']}", {"status": "ERROR"})
    sums = checkbox.get("/cashier/shift", token).body["balance"]["card_sales"]
    assert sums == (18_200 if is_offline else 0)


def test_a_receipt_without_an_id_gets_one() -> None:
    """The server makes an id where the client sends none."""
    checkbox = Checkbox()
    body = sale()
    del body["id"]
    token = checkbox.sign_in()
    made = checkbox.sell(token, body).body["id"]
    assert checkbox.get(f"/receipts/{made}", token).status == 200
    assert checkbox.get(f"/receipts/{uuid4()}", token).status == 404


def test_the_short_form_of_the_search_is_the_documented_one() -> None:
    """It names register, branch and shift, and has neither context nor taxes."""
    checkbox = Checkbox(search_form="short")
    token = checkbox.sign_in()
    sold = checkbox.sell(token, context={"request": "r-1"}).body
    (short,) = checkbox.get("/receipts/search", token).body["results"]
    assert (short["id"], short["shift"]["id"]) == (sold["id"], sold["shift"]["id"])
    assert short["payments"] == [{"type": "CASH", "label": "Готівка", "value": 15_000}]
    assert short["branch"]["name"] == "Головна"
    assert not {"context", "taxes", "created_at", "transaction", "cashier", "discounts"} & set(short)


def test_a_shift_closes_while_its_register_is_offline_by_hand() -> None:
    """Its receipts are DONE, although no document has been uploaded."""
    checkbox = Checkbox()
    token = checkbox.sign_in()
    checkbox.post("/cash-registers/go-offline", {}, token, license_key=KEY)
    checkbox.sell(token)
    checkbox.time += 10
    closing = checkbox.post("/shifts/close", {}, token).body
    checkbox.time += 10
    assert checkbox.get(f"/shifts/{closing['id']}", token).body["status"] == "CLOSED"
