"""Every operation of Checkbox's document that the sandbox offers, driven once."""

from __future__ import annotations

from uuid import uuid4

from tests.sandbox.driver import DOCUMENT, Checkbox, line, sale
from worker.sandbox.clock import iso

#: It never succeeds here: no register is an exchange office's.
REFUSED = {"POST /api/v1/receipts/service-currency"}
KEY = "test-c0001"


def test_every_operation_keeps_to_the_document() -> None:
    """The driver finds requests and answers of all offered operations valid against Checkbox's document."""
    checkbox = Checkbox()
    drive(checkbox)
    assert checkbox.seen == DOCUMENT.operations - REFUSED


def drive(checkbox: Checkbox) -> None:
    """A day of the first cashier that uses everything."""
    _drive_cashier(checkbox)
    token = checkbox.sign_in()
    _drive_receipts(checkbox, token)
    _drive_offline(checkbox, token)
    _drive_registers_and_reports(checkbox, token)
    _drive_webhook(checkbox, token)
    _drive_prepayments(checkbox, token)
    _drive_shifts(checkbox, token)


def _drive_cashier(checkbox: Checkbox) -> None:
    checkbox.control("POST", "/cashiers", {"login": "c0001", "pin_code": "1234"})
    body = {"pin_code": "1234"}
    signed_in = checkbox.post("/cashier/signinPinCode", body, license_key=KEY)
    token = signed_in.body["access_token"]
    for path in ("/cashier/me", "/cashier/shift", "/cashier/check-signature", "/cashier/tax"):
        assert checkbox.get(path, token).status == 200
    assert checkbox.get("/tax", license_key=KEY).status == 200
    assert checkbox.get("/organization/cashiers", token).status == 200
    assert checkbox.get("/organization/billing-status", token, license_key=KEY).status == 200
    assert checkbox.get("/status").body["status"] == "ok"
    signed_out = checkbox.post("/cashier/signout", token=token)
    assert (signed_out.status, signed_out.body) == (205, None)
    assert checkbox.get("/cashier/me", token).status == 401


def _drive_receipts(checkbox: Checkbox, token: str) -> None:
    body = sale(
        line(10_000, good={"tax": [1], "uktzed": "0901", "excise_barcodes": ["ABCD123456"]}),
        line(6_000, discounts=[{"type": "DISCOUNT", "mode": "PERCENT", "value": 12.5, "name": "Знижка"}]),
        discounts=[{"type": "EXTRA_CHARGE", "mode": "VALUE", "value": 50}],
        payments=[
            {"type": "CASHLESS", "value": 10_000, "card_mask": "4111********1111", "rrn": "1"},
            {"type": "CASH", "value": 6_000},
        ],
        rounding_mode="ROUND_10",
        delivery={"emails": ["buyer@example.com"], "phone": "+380501234567"},
        context={"request": "r-1", "replay": 0},
        footer="Дякуємо",
        order_id=str(uuid4()),
    )
    assert checkbox.post("/receipts/validate", body, token).body == {"validated": True}
    assert checkbox.sell(token, body).status == 201
    checkbox.time += 10
    path = f"/receipts/{body['id']}"
    assert checkbox.get(path, token).body["status"] == "DONE"
    for form in ("html", "pdf", "text", "png", "qrcode", "xml"):
        assert checkbox.get(f"{path}/{form}").status == 200
    assert checkbox.post(f"{path}/email", ["buyer@example.com"], token).status == 200
    assert checkbox.post(f"{path}/sms", {"phone": "380501234567"}, token).status == 200
    assert checkbox.get("/receipts", token, query="limit=10&desc=true").status == 200
    assert checkbox.get("/receipts/search", token, query="self_receipts=true&limit=100").status == 200
    assert (
        checkbox.post("/receipts/service", {"payment": {"type": "CASH", "value": 5_000}}, token).status == 201
    )
    bulk = checkbox.post("/receipts/bulk-sell", {"receipts": [sale(), body]}, token).body["results"]
    assert [item["status"] for item in bulk] == ["CREATED", "ERROR"]


def _drive_offline(checkbox: Checkbox, token: str) -> None:
    both = {"token": token, "license_key": KEY}
    prefix = "/cash-registers"
    assert checkbox.get(f"{prefix}/ask-offline-codes", query="count=10&sync=true", **both).status == 200
    code = checkbox.get(f"{prefix}/get-offline-codes", query="count=5", **both).body[0]["fiscal_code"]
    assert checkbox.get(f"{prefix}/get-offline-codes-count", **both).body["available"] == 2000
    assert checkbox.post(f"{prefix}/go-offline", {}, **both).status == 200
    checkbox.time += 60
    offline = sale(fiscal_code=code, fiscal_date=iso(checkbox.time))
    sold = checkbox.post("/receipts/sell-offline", offline, token)
    assert (sold.status, sold.body["fiscal_code"], sold.body["status"]) == (201, code, "CREATED")
    external = {
        "goods": [{**line(15_000), "sum": 15_000, "taxes": []}],
        "payments": [{"type": "CASH", "value": 15_000}],
        "total_sum": 15_000,
        "total_payment": 15_000,
    }
    assert checkbox.post("/receipts/add-external", external, token).status == 201
    assert checkbox.get(f"{prefix}/get-offline-time", license_key=KEY).body["status"]["current"] == 60
    assert checkbox.post(f"{prefix}/go-online", **both).status == 200
    checkbox.time += 10
    assert checkbox.receipt(token, code)["status"] == "DONE"


def _drive_registers_and_reports(checkbox: Checkbox, token: str) -> None:
    assert checkbox.get("/cash-registers/info", license_key=KEY).body["has_shift"] is True
    register = checkbox.get("/cash-registers", token, query="in_use=true").body["results"][0]
    assert checkbox.get(f"/cash-registers/{register['id']}", token).body["id"] == register["id"]
    ping = checkbox.post("/cash-registers/ping-tax-service", token=token, license_key=KEY)
    assert ping.body["status"] == "DONE"
    report = checkbox.post("/reports", token=token)
    assert report.status == 201
    assert checkbox.get(f"/reports/{report.body['id']}", token).status == 200
    for form in ("text", "png"):
        assert checkbox.get(f"/reports/{report.body['id']}/{form}").status == 200
    assert checkbox.get("/reports", token, query="is_z_report=false").body["results"] == [report.body]
    assert checkbox.get("/reports/search", token, query=f"cash_register_id={register['id']}").status == 200
    days = f"from_date={iso(checkbox.time - 60)}&to_date={iso(checkbox.time)}".replace("+", "%2B")
    periodical = checkbox.get("/reports/periodical", license_key=KEY, query=f"{days}&is_short=true")
    assert "Загальний оборот" in periodical.raw.decode()
    currency = {"type": "ADVANCE", "currencies": [{"currency": "UAH", "value": 1}]}
    assert checkbox.post("/receipts/service-currency", currency, token).status == 400
    transaction = checkbox.get("/transactions", token, query="type=RECEIPT").body["results"][0]
    assert checkbox.get(f"/transactions/{transaction['id']}", token).body["type"] == "RECEIPT"


def _drive_webhook(checkbox: Checkbox, token: str) -> None:
    both = {"token": token, "license_key": KEY}
    assert checkbox.get("/webhook", **both).status == 404
    assert checkbox.post("/webhook", {"url": "http://127.0.0.1:9/"}, **both).body["key"]
    assert "key" not in checkbox.get("/webhook", **both).body
    assert checkbox.call("DELETE", "/webhook", **both).body == {"ok": True}


def _drive_prepayments(checkbox: Checkbox, token: str) -> None:
    advance = sale(payments=[{"type": "CASHLESS", "value": 10_000}], custom_relation_id="ORDER-000001")
    opened = checkbox.post("/prepayment-receipts", advance, token)
    assert (opened.status, opened.body["pre_payment_relation_id"]) == (201, "ORDER-000001")
    path = "/prepayment-receipts/ORDER-000001"
    assert checkbox.get(path, token).body["left_to_pay"] == 5_000
    rest = {"payments": [{"type": "CASHLESS", "value": 5_000}]}
    assert checkbox.post(path, rest, token).status == 201
    checkbox.time += 10
    assert checkbox.get(path, token).body["pre_payment_status"] == "FULL_PAID"
    returned = checkbox.post(f"{path}/return", {"check_ettn": True}, token)
    assert (returned.status, len(returned.body)) == (201, 2)
    checkbox.time += 10


def _drive_shifts(checkbox: Checkbox, token: str) -> None:
    assert checkbox.post("/shifts/close", {"skip_client_name_check": True}, token).status == 202
    checkbox.time += 10
    opened = checkbox.post("/shifts", {"id": str(uuid4())}, token, license_key=KEY)
    assert opened.status == 202
    shift_id = opened.body["id"]
    checkbox.time += 10
    assert checkbox.get(f"/shifts/{shift_id}", token).body["status"] == "OPENED"
    assert checkbox.get(f"/shifts/short/{shift_id}", token).status == 200
    assert checkbox.get("/shifts", token, query="statuses=OPENED").body["results"][0]["id"] == shift_id
    by_key = checkbox.get("/cash-registers/shifts", license_key=KEY, query="statuses=CLOSED&limit=50")
    assert [item["z_report"]["is_z_report"] for item in by_key.body["results"]] == [True]
    assert checkbox.post(f"/shifts/{shift_id}/close", {}, token, license_key=KEY).status == 200
