"""What a person sets in the portal shows in the answers, and decides what Checkbox refuses."""

from __future__ import annotations

from typing import Any

import pytest

from tests.sandbox.driver import Checkbox, line, sale
from worker.sandbox.clock import iso, parse_iso
from worker.sandbox.seeding import generated

KEY = "test-c0001"
TAXES = [
    {"code": 1, "label": "ПДВ А", "symbol": "А", "rate": "20"},
    {"code": 5, "label": "Акциз", "symbol": "Д", "rate": 20, "extra_rate": 5},
    {"code": 9, "label": "Без ПДВ", "symbol": "З", "rate": 0, "no_vat": True},
]


def _set(checkbox: Checkbox, what: str, **settings: Any) -> None:
    name = "login" if what == "cashiers" else "cashier"
    answer = checkbox.control("POST", f"/{what}", {name: "c0001", **settings})
    assert answer.status == 200, answer.body


def test_a_tax_table_is_replaced() -> None:
    """By licence key and by cashier alike; sales know the new codes and not the old ones."""
    checkbox = Checkbox()
    token = checkbox.sign_in()
    _set(checkbox, "organizations", taxes=TAXES)
    listed = checkbox.get("/tax", license_key=KEY).body
    assert checkbox.get("/cashier/tax", token).body == listed
    members = ("code", "label", "symbol", "rate", "extra_rate", "no_vat")
    assert [tuple(tax[name] for name in members) for tax in listed] == [
        (1, "ПДВ А", "А", 20, None, False),
        (5, "Акциз", "Д", 20, 5, False),
        (9, "Без ПДВ", "З", 0, None, True),
    ]
    assert checkbox.sell(token, sale(line(good={"tax": [9]}))).status == 201
    assert checkbox.sell(token, sale(line(good={"tax": [8]}))).status == 400


def test_an_organization_has_its_own_members() -> None:
    """VAT as the table says unless it is set; subscription and daily closing as set."""
    checkbox = Checkbox()
    token = checkbox.sign_in()
    organization = checkbox.get("/cashier/me", token).body["organization"]
    assert (organization["is_vat"], organization["subscription_exp"]) == (True, None)
    _set(
        checkbox,
        "organizations",
        is_vat=False,
        subscription_end="2026-12-31",
        auto_close_shift_at="23:30:05",
    )
    organization = checkbox.get("/cashier/me", token).body["organization"]
    assert organization["is_vat"] is False
    assert organization["subscription_exp"] == "2026-12-31"
    assert organization["auto_close_shift_at"] == "23:30:05"


@pytest.mark.parametrize("refused", ["documents", "everything"])
def test_a_debt_stops_the_service(refused: str) -> None:
    """402 for receipts and shifts, or for all but the billing status, which says why."""
    checkbox = Checkbox(blocked_refuses=refused)
    token = checkbox.sign_in()
    _set(checkbox, "organizations", date_to_block="2026-12-01T00:00:00+00:00")
    billing = checkbox.get("/organization/billing-status", token, license_key=KEY).body
    assert (billing["status"], billing["date_to_block"]) == ("ACTIVE", "2026-12-01T00:00:00+00:00")
    _set(checkbox, "organizations", blocked=True)
    assert checkbox.sell(token).status == 402
    assert checkbox.post("/shifts/close", token=token).status == 402
    assert checkbox.get("/cashier/shift", token).status == (402 if refused == "everything" else 200)
    billing = checkbox.get("/organization/billing-status", token, license_key=KEY).body
    assert (billing["status"], billing["status_changed_at"]) == ("BLOCKED", iso(checkbox.time))
    _set(checkbox, "organizations", blocked=False)
    assert checkbox.sell(token).status == 201


def test_a_key_has_an_end_and_an_agent() -> None:
    """An expired key is refused at once, one that cannot sign with time; both are seen before."""
    checkbox = Checkbox(generated(1, shifts=False))
    token = checkbox.sign_in()
    ends_at = iso(checkbox.time + 60)
    _set(checkbox, "cashiers", certificate_end=ends_at, signature_type="AGENT", signature_online=False)
    me = checkbox.get("/cashier/me", token).body
    assert (me["certificate_end"], me["signature_type"], me["is_test"]) == (ends_at, "AGENT", False)
    status = {"online": False, "type": "AGENT", "shift_open_possibility": False}
    assert checkbox.get("/cashier/check-signature", token).body == status
    shift = checkbox.post("/shifts", {}, token, license_key=KEY).body
    checkbox.time += 30
    refused = checkbox.get(f"/shifts/{shift['id']}", token).body
    assert (refused["status"], refused["initial_transaction"]["status"]) == ("CLOSED", "ERROR")
    _set(checkbox, "cashiers", signature_online=True)
    assert checkbox.get("/cashier/check-signature", token).body["shift_open_possibility"] is True
    checkbox.time += 60
    assert checkbox.get("/cashier/check-signature", token).body["shift_open_possibility"] is False
    answer = checkbox.post("/shifts", {}, token, license_key=KEY)
    assert (answer.status, answer.body["message"]) == (400, "Термін дії ключа закінчився")


def test_a_cashier_may_be_blocked_and_stand_in_another_branch() -> None:
    """The list of cashiers tells both; a register of another branch opens no shift for him."""
    checkbox = Checkbox(generated(2, shifts=False))
    token = checkbox.sign_in()
    _set(checkbox, "cashiers", branch="Друга", blocked="Звільнено")
    first, second = checkbox.get("/organization/cashiers", token).body
    assert (first["active"], second["active"]) == (False, True)
    assert first["branch_id"] != second["branch_id"]
    assert checkbox.get("/cashier/me", token).body["blocked"] == "Звільнено"
    assert checkbox.post("/shifts", {}, token, license_key=KEY).status == 400
    _set(checkbox, "registers", branch="Друга")
    register = checkbox.get("/cash-registers/info", license_key=KEY).body["id"]
    assert checkbox.get(f"/cash-registers/{register}", token).body["branch"]["id"] == first["branch_id"]
    assert checkbox.post("/shifts", {}, token, license_key=KEY).status == 202


def test_a_register_may_be_a_real_one() -> None:
    """Its receipts have codes without ``TEST-`` and say that they are no test."""
    checkbox = Checkbox()
    token = checkbox.sign_in()
    _set(checkbox, "registers", is_test=False, fiscal_number="4000000001")
    info = checkbox.get("/cash-registers/info", license_key=KEY).body
    assert (info["is_test"], info["fiscal_number"]) == (False, "4000000001")
    sold = checkbox.sell(token).body
    checkbox.time += 10
    receipt = checkbox.receipt(token, sold["id"])
    assert (receipt["is_test"], len(receipt["fiscal_code"])) == (False, 11)
    assert not receipt["fiscal_code"].startswith("TEST-")


def test_registers_are_found_by_use() -> None:
    """Occupied ones, free ones, or all."""
    checkbox = Checkbox(generated(2, shifts=False))
    token = checkbox.sign_in()
    checkbox.control("POST", "/shifts", {"cashier": "c0001"})
    found = {
        query: len(checkbox.get("/cash-registers", token, query=query).body["results"])
        for query in ("in_use=true", "in_use=false", "")
    }
    assert found == {"in_use=true": 1, "in_use=false": 1, "": 2}


def test_offline_hours_and_codes_are_set() -> None:
    """The register is offline since then, and has so many codes left; without codes nothing is sold."""
    checkbox = Checkbox()
    token = checkbox.sign_in()
    _set(checkbox, "registers", offline_before=100_000, offline_for=90_000, offline_codes=1)
    time = checkbox.get("/cash-registers/get-offline-time", license_key=KEY).body
    assert (time["status"]["current"], time["status"]["total"]) == (90_000, 190_000)
    assert [session["end"] is None for session in time["sessions"]] == [False, True]
    since = iso(checkbox.time - 95_000).replace("+", "%2B")
    later = checkbox.get("/cash-registers/get-offline-time", license_key=KEY, query=f"from_date={since}")
    assert later.body["status"]["total"] == 190_000
    counted = checkbox.get("/cash-registers/get-offline-codes-count", token, license_key=KEY).body
    assert (counted["available"], counted["enough_offline_codes"]) == (1, False)
    assert checkbox.get("/cash-registers/info", license_key=KEY).body["offline_mode"] is True
    assert checkbox.sell(token).body["is_created_offline"] is True
    assert checkbox.sell(token).status == 400
    _set(checkbox, "registers", offline_for=0)
    time = checkbox.get("/cash-registers/get-offline-time", license_key=KEY).body
    assert (time["status"]["current"], time["status"]["total"]) == (0, 190_000)
    assert checkbox.sell(token).status == 201


def test_shifts_are_listed_by_licence_key_page_by_page() -> None:
    """Every cashier's, without his name; closed ones with their Z report; pages may be cut."""
    checkbox = Checkbox(generated(1, shifts=False), page_limit=1)
    checkbox.control("POST", "/cashiers", {"login": "other", "password": "p", "license_key": KEY})
    for login in ("c0001", "other"):
        checkbox.control("POST", "/shifts", {"cashier": login})
        checkbox.time += 10
        checkbox.control("POST", "/shifts", {"cashier": login, "action": "close"})
    first = checkbox.get("/cash-registers/shifts", license_key=KEY, query="limit=50").body
    second = checkbox.get("/cash-registers/shifts", license_key=KEY, query="limit=50&offset=1").body
    assert [page["meta"] for page in (first, second)] == [
        {"limit": 1, "offset": 0},
        {"limit": 1, "offset": 1},
    ]
    serials = [page["results"][0]["serial"] for page in (first, second)]
    assert serials == [1, 2]
    assert first["results"][0]["z_report"]["fiscal_code"]
    assert not {"cashier", "cash_register"} & set(first["results"][0])
    until = second["results"][0]["created_at"].replace("+", "%2B")
    before = checkbox.get("/cash-registers/shifts", license_key=KEY, query=f"to_date={until}&desc=true").body
    assert [shift["serial"] for shift in before["results"]] == [1]
    assert checkbox.get("/cash-registers/shifts", license_key=KEY, query="limit=51").status == 422


def test_a_z_report_sums_up_by_label_and_by_tax() -> None:
    """No change, rounding apart, excise with its VAT, and no receipt that was refused."""
    checkbox = Checkbox()
    token = checkbox.sign_in()
    _set(checkbox, "organizations", taxes=TAXES)
    checkbox.control("POST", "/shifts", {"cashier": "c0001", "action": "close"})
    checkbox.control("POST", "/shifts", {"cashier": "c0001"})
    _set(checkbox, "registers", till=50_000)
    card, online = (
        {"type": "CASHLESS", "value": value, "label": label}
        for value, label in ((6_000, "Картка"), (4_000, "Інтернет еквайринг"))
    )
    checkbox.sell(token, sale(line(10_000, good={"tax": [5]}), payments=[card, online]))
    cash = sale(line(10_010, good={"tax": [1]}), payments=[{"type": "CASH", "value": 20_000}])
    checkbox.sell(token, cash, rounding_mode="ROUND_10")
    cash["payments"][0]["value"] = 10_020
    cash["goods"][0]["good"]["price"] = 10_024
    back = {**cash, "id": None, "goods": [{**cash["goods"][0], "is_return": True}]}
    assert checkbox.sell(token, back, rounding_mode="ROUND_10").status == 201
    refused = checkbox.sell(
        token, sale(payments=[{"type": "CASHLESS", "value": 15_000, "label": "Талон"}])
    ).body
    checkbox.control("POST", f"/receipts/{refused['id']}", {"status": "ERROR"})
    checkbox.time += 60
    report = checkbox.post("/shifts/close", {}, token).body["z_report"]
    rows = {row["label"]: (row["type"], row["sell_sum"], row["return_sum"]) for row in report["payments"]}
    assert rows == {
        "Картка": ("CASHLESS", 6_000, 0),
        "Інтернет еквайринг": ("CASHLESS", 4_000, 0),
        "Готівка": ("CASH", 10_010, 10_020),
    }
    assert (report["sales_round_up"], report["returns_round_down"]) == (0, 4)
    assert (report["sell_receipts_count"], report["return_receipts_count"]) == (2, 1)
    taxes = {tax["code"]: tax for tax in report["taxes"]}
    assert (taxes[1]["sell_sum"], taxes[1]["sales_turnover"]) == (1_668, 10_010)
    assert (taxes[1]["return_sum"], taxes[1]["returns_turnover"]) == (1_671, 10_024)
    assert (taxes[5]["sell_sum"], taxes[5]["extra_rate"]) == (2_063, 5)
    checkbox.time += 60
    shift = checkbox.get("/cash-registers/shifts", license_key=KEY, query="desc=true").body["results"][0]
    assert shift["z_report"]["fiscal_date"] is not None
    assert parse_iso(shift["z_report"]["fiscal_date"]) <= checkbox.time


@pytest.mark.parametrize(
    ("path", "query"),
    [
        ("/shifts", "statuses=OPEN"),
        ("/transactions", "status=GONE"),
        ("/transactions", "type=SALE"),
        ("/receipts/search", "shift_id=1"),
        ("/receipts/search", "limit="),
        ("/receipts/search", "self_receipts=maybe"),
        ("/reports/search", "cash_register_id=x"),
        ("/reports", "from_date=yesterday"),
    ],
)
def test_a_wrong_query_is_422(path: str, query: str) -> None:
    """Unknown words of an enumeration, what is no UUID, number, flag or time."""
    checkbox = Checkbox()
    answer = checkbox.get(path, checkbox.sign_in(), query=query)
    assert (answer.status, answer.body["code"]) == (422, "validation.custom")
