"""The bodies that go out, and the reading of what comes back."""

from __future__ import annotations

import json
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from config.integrations_watch import load
from tests.checkbox.receipts import CARD_SALE, CONTEXT, EMAIL, LINE, PHONE, RECEIPT_ID, SALE, SALE_ID
from tests.contracts.openapi import OpenApi
from worker.checkbox import answers, wire
from worker.checkbox.answers import Unreadable
from worker.checkbox.receipt_answers import read_receipt
from worker.fiscal.integrations import CashRounding, Integration
from worker.fiscal.order import Operation, PaymentForm
from worker.fiscal.outcomes import IssuedLine, IssuedReceipt, IssuedTax
from worker.fiscal.planner import plan
from worker.fiscal.receipt import (
    Receipt,
    ReceiptPayment,
    Recipient,
    return_receipt_id,
    sale_receipt_id,
)
from worker.rabbit.message.reading import read

DATA = Path(__file__).parents[1] / "data"
EXAMPLES = Path(__file__).parents[2] / "docs" / "examples"
GOLDEN = Path(__file__).parent / "golden"
DOCUMENT = OpenApi.load()
MESSAGES = sorted((EXAMPLES / "valid").glob("*.json"))


def sell(receipt: Receipt) -> Any:
    body = json.loads(wire.sell_body(RECEIPT_ID, receipt, CONTEXT))
    DOCUMENT.check_request("POST", "/api/v1/receipts/sell", body=body)
    return body


def test_a_plain_sale_is_sent_without_what_it_does_not_have() -> None:
    """Nothing is null or empty in the body: a missing member is left out."""
    assert sell(SALE) == {
        "id": str(RECEIPT_ID),
        "goods": [
            {
                "good": {"code": "SKU-1", "name": "Кава мелена", "price": 15000, "tax": [1]},
                "quantity": 1000,
            }
        ],
        "payments": [{"type": "CASH", "value": 15000, "label": "Готівка"}],
        "context": {"request": "b1d3f0de-0000-5000-8000-000000000001", "replay": 0},
    }


def test_the_same_receipt_has_the_same_bytes() -> None:
    """What Checkbox gets twice for one receipt differs in no byte."""
    again = replace(CARD_SALE, lines=(replace(LINE),))
    assert wire.sell_body(RECEIPT_ID, CARD_SALE, CONTEXT) == wire.sell_body(RECEIPT_ID, again, dict(CONTEXT))


def test_a_line_without_tax_has_no_tax_member() -> None:
    """No tax and tax code 0 are two things, and an empty list is neither."""
    good = sell(replace(SALE, lines=(replace(LINE, tax_codes=()),)))["goods"][0]["good"]
    assert "tax" not in good
    assert sell(replace(SALE, lines=(replace(LINE, tax_codes=(0,)),)))["goods"][0]["good"]["tax"] == [0]


def test_a_line_carries_all_that_the_receipt_prints() -> None:
    """Barcode, customs code, every excise stamp and electronic mark, header and footer reach the line."""
    line = replace(
        LINE,
        barcode="4820000000017",
        uktzed="2208",
        excise_barcodes=("ABEI123456", "ABEI123457"),
        e_excise_barcodes=("0A1B2C3D4E5F", "0A1B2C3D4E60"),
        header="Повна назва",
        footer="пляшка",
    )
    assert sell(replace(SALE, lines=(line,)))["goods"][0]["good"] == {
        "code": "SKU-1",
        "name": "Кава мелена",
        "price": 15000,
        "tax": [1],
        "barcode": "4820000000017",
        "uktzed": "2208",
        "excise_barcodes": ["ABEI123456", "ABEI123457"],
        "e_excise_barcodes": ["0A1B2C3D4E5F", "0A1B2C3D4E60"],
        "header": "Повна назва",
        "footer": "пляшка",
    }


def test_discounts_and_surcharges_are_values_in_kopiykas() -> None:
    """Money off a line, on a line and off the receipt goes out as whole kopiykas, never as a percentage."""
    receipt = replace(SALE, lines=(replace(LINE, discount=250), replace(LINE, surcharge=1)), discount=500)
    body = sell(receipt)
    assert body["goods"][0]["discounts"] == [{"type": "DISCOUNT", "mode": "VALUE", "value": 250}]
    assert body["goods"][1]["discounts"] == [{"type": "EXTRA_CHARGE", "mode": "VALUE", "value": 1}]
    assert body["discounts"] == [{"type": "DISCOUNT", "mode": "VALUE", "value": 500}]


def test_a_return_names_its_sale_and_marks_every_line() -> None:
    """A return goes the way of a sale, with ``is_return`` on each line and the receipt of the sale."""
    back = replace(SALE, operation=Operation.RETURN, lines=(LINE, LINE), related_receipt_id=SALE_ID)
    body = sell(replace(back, related_receipt_created_at="2026-11-24T10:20:05Z"))
    assert [good["is_return"] for good in body["goods"]] == [True, True]
    assert body["related_receipt_id"] == str(SALE_ID)
    assert body["related_receipt_created_at"] == "2026-11-24T10:20:05Z"
    assert "related_receipt_created_at" not in sell(back)
    assert "is_return" not in sell(SALE)["goods"][0]


@pytest.mark.parametrize("rounding", [CashRounding.ROUND_10, CashRounding.ROUND_50])
def test_cash_rounding_is_checkbox_own_mode(rounding: CashRounding) -> None:
    """The receipt is sent with the integration's mode, and without one where there is none."""
    assert sell(replace(SALE, rounding=rounding))["rounding_mode"] == rounding.value
    assert "rounding_mode" not in sell(SALE)


def test_a_card_payment_carries_the_acquirer_s_details() -> None:
    """Each detail of the card goes into the member that Checkbox has for it."""
    assert sell(CARD_SALE)["payments"] == [
        {
            "type": "CASHLESS",
            "value": 15000,
            "label": "Картка",
            "card_mask": "4149 **** **** 1234",
            "bank_name": "ПриватБанк",
            "auth_code": "A1B2C3",
            "rrn": "030400000001",
            "payment_system": "VISA",
            "terminal": "T100",
            "acquirer_and_seller": "PB",
        }
    ]
    bare = replace(SALE, payments=(ReceiptPayment(PaymentForm.CASHLESS, 15000, "Картка", None),))
    assert sell(bare)["payments"] == [{"type": "CASHLESS", "value": 15000, "label": "Картка"}]


@pytest.mark.parametrize(
    ("delivery", "sent"),
    [
        (Recipient(EMAIL, PHONE), {"emails": [EMAIL], "phone": PHONE}),
        (Recipient(EMAIL, None), {"emails": [EMAIL]}),
        (Recipient(None, PHONE), {"phone": PHONE}),
        (Recipient(None, None), None),
        (None, None),
    ],
)
def test_the_buyer_is_sent_as_far_as_known(delivery: Recipient | None, sent: Any) -> None:
    """Checkbox sends the receipt where the buyer can be reached; nobody is made up."""
    assert sell(replace(SALE, delivery=delivery)).get("delivery") == sent


def test_a_lone_surrogate_does_not_stop_the_receipt() -> None:
    """A name that UTF-8 cannot carry goes out with a question mark in that place."""
    assert sell(replace(SALE, lines=(replace(LINE, name="a\ud800b"),)))["goods"][0]["good"]["name"] == "a?b"


def test_the_private_values_of_a_receipt_are_buyer_and_card() -> None:
    """Everything of a receipt that no log or event may repeat is told to the client."""
    expected = {EMAIL, PHONE, "4149 **** **** 1234", "030400000001", "A1B2C3"}
    assert set(wire.private_values(CARD_SALE)) == expected
    assert list(wire.private_values(SALE)) == []


@pytest.fixture(scope="module")
def shop() -> Integration:
    loaded = load(EXAMPLES / "integrations.yaml", "https://api.checkbox.ua", {})
    return loaded.integrations.in_force["shop-main"]


@pytest.mark.parametrize("message", MESSAGES, ids=lambda path: path.stem)
def test_a_message_of_the_contract_becomes_its_golden_body(message: Path, shop: Integration) -> None:
    """Each valid example goes out byte for byte as it was reviewed once."""
    request = read(message.read_bytes())
    receipt = plan(request, shop, 0.0).receipt
    receipt_id = sale_receipt_id(request.order.uuid, 0)
    if request.return_of and request.return_of.order_uuid:
        sale = sale_receipt_id(request.return_of.order_uuid, 0)
        receipt = replace(receipt, related_receipt_id=sale)
        receipt_id = return_receipt_id(str(sale), 0)
    body = wire.sell_body(receipt_id, receipt, {"request": request.id, "replay": 0})
    DOCUMENT.check_request("POST", "/api/v1/receipts/sell", body=json.loads(body))
    golden = json.loads((GOLDEN / message.name).read_bytes())
    assert body == wire.encode(golden)


BODY: dict[str, Any] = {
    "id": str(RECEIPT_ID).upper(),
    "status": "DONE",
    "type": "SELL",
    "goods": [
        {
            "good": {"code": "SKU-1", "name": "Кава", "price": 15000},
            "sum": 15000,
            "quantity": 1000,
            "is_return": False,
            "taxes": [{"code": 3}, {"code": 1}],
            "discounts": [],
        }
    ],
    "total_sum": 15000,
    "round_sum": 0,
    "fiscal_code": "TEST-kV7DlT",
    "fiscal_date": "2026-09-09T13:28:55.512968+03:00",
    "created_at": "2026-09-09T10:28:55+00:00",
    "shift_id": "066c8c8f-bd67-4661-8766-c7429e15ea27",
    "shift": {"id": "x", "cash_register": {"fiscal_number": "TEST102567"}},
    "tax_url": "https://cabinet.tax.gov.ua/cashregs/check?id=TEST-kV7DlT&fn=TEST1&sm=150.00",
    "transaction": {"updated_at": "2026-09-09T10:28:57.500000+00:00"},
    "context": {"request": "r", "replay": 0},
    "is_created_offline": False,
    "a_member_of_next_year": {"x": [1]},
}


def issued(**changes: Any) -> IssuedReceipt:
    """A receipt's answer with some members changed; ``...`` leaves a member out."""
    body = {name: value for name, value in {**BODY, **changes}.items() if value is not ...}
    return read_receipt(answers.parse(json.dumps(body).encode()))


def test_a_receipt_is_read_into_our_words() -> None:
    """Everything that the core asks of a receipt is found in a full answer."""
    assert issued() == IssuedReceipt(
        id=str(RECEIPT_ID),
        status="DONE",
        fiscal_code="TEST-kV7DlT",
        fiscal_date="2026-09-09T10:28:55.512968Z",
        total=15000,
        lines=(IssuedLine("SKU-1", 1000, 15000, (IssuedTax(3, None), IssuedTax(1, None)), 15000, "Кава"),),
        offline=False,
        tax_url=BODY["tax_url"],
        register_number="TEST102567",
        shift_id="066c8c8f-bd67-4661-8766-c7429e15ea27",
        context={"request": "r", "replay": 0},
        error=None,
        seconds_to_number=2.5,
        related_receipt_id=None,
        is_return=False,
        created_at="2026-09-09T10:28:55Z",
    )


@pytest.mark.parametrize(
    ("changes", "member", "value"),
    [
        ({"fiscal_code": None}, "fiscal_code", None),
        ({"fiscal_code": "  "}, "fiscal_code", None),
        ({"fiscal_date": "2026-09-09T10:28:55"}, "fiscal_date", "2026-09-09T10:28:55Z"),
        ({"fiscal_date": "yesterday"}, "fiscal_date", None),
        ({"context": None}, "context", {}),
        ({"context": ...}, "context", {}),
        ({"context": "text"}, "context", {}),
        ({"shift": None}, "register_number", "TEST1"),
        ({"shift": ..., "tax_url": None}, "register_number", None),
        ({"shift": ..., "tax_url": "https://[x/?fn=1"}, "register_number", None),
        ({"shift_id": ...}, "shift_id", "x"),
        ({"total_sum": "15000"}, "total", 15000),
        ({"total_sum": 15000.0}, "total", 15000),
        ({"total_sum": ..., "sum": 9000}, "total", 9000),
        ({"total_sum": ...}, "total", 15000),
        ({"is_created_offline": True}, "offline", True),
        ({"is_created_offline": True}, "seconds_to_number", None),
        ({"fiscal_code": None}, "seconds_to_number", None),
        ({"transaction": None}, "seconds_to_number", None),
        ({"transaction": {"updated_at": "2026-09-09T10:00:00Z"}}, "seconds_to_number", None),
        ({"related_receipt_id": str(SALE_ID).upper()}, "related_receipt_id", str(SALE_ID)),
        ({"fiscal_date": "0001-01-01T00:00:00+02:00"}, "fiscal_date", None),
        ({"type": "RETURN"}, "is_return", True),
        ({"type": ..., "goods": [{"is_return": True}]}, "is_return", True),
        ({"type": ..., "goods": []}, "is_return", False),
        ({"goods": None}, "lines", ()),
        ({"goods": [{"good": {"code": "A"}, "quantity": 1}]}, "lines", ()),
        ({"transaction": {"response_error_message": "x"}}, "error", None),
    ],
)
def test_an_incomplete_or_old_answer_is_read_as_far_as_it_goes(
    changes: dict[str, Any], member: str, value: object
) -> None:
    """Nulls, missing members, numbers as text and the names of 2020 are no obstacle."""
    assert getattr(issued(**changes), member) == value


@pytest.mark.parametrize(
    ("words", "status", "error"),
    [
        ("Документ не прийнято", "ERROR", "Документ не прийнято"),
        (None, "REJECTED", "REJECTED"),
        ("покупець 0671234567, код A1B2C3", None, "покупець ***, код ***"),
    ],
)
def test_the_reason_of_an_error_is_told_without_secrets(words: Any, status: Any, error: str) -> None:
    """The tax service's words are kept, without the buyer and the card that the receipt itself names."""
    transaction = {"response_error_message": words, "response_status": status}
    payments = [{"type": "CASHLESS", "value": 1, "auth_code": "A1B2C3"}]
    assert issued(status="ERROR", transaction=transaction, payments=payments).error == error


def good(**changes: Any) -> dict[str, Any]:
    return {**BODY["goods"][0], **changes}


@pytest.mark.parametrize(
    ("item", "total"),
    [
        (good(), 15000),
        (good(sum=...), 15000),
        (good(sum="15000"), 15000),
        (good(discounts=None), 15000),
        (good(discounts=[{"type": "DISCOUNT", "mode": "VALUE", "value": 100, "sum": -100}]), 14900),
        (good(sum=14900, discounts=[{"type": "DISCOUNT", "mode": "VALUE", "value": 100, "sum": 100}]), 14900),
        (good(discounts=[{"type": "EXTRA_CHARGE", "mode": "VALUE", "value": 1}]), 15001),
        (good(discounts=[{"type": "DISCOUNT", "mode": "PERCENT", "value": 10, "sum": -1500}]), 13500),
        (good(quantity=1, sum=...), 15),
        (good(quantity=1, good={"code": "A", "price": 10}, sum=0), 0),
        (good(quantity=1, good={"code": "A", "price": 10}, sum=...), None),
    ],
)
def test_a_line_s_total_is_after_its_own_discounts(item: dict[str, Any], total: int | None) -> None:
    """Whether Checkbox's ``sum`` is before or after the discounts makes no difference."""
    item = {name: value for name, value in item.items() if value is not ...}
    assert issued(goods=[item]).lines[0].total == total


@pytest.mark.parametrize("code", [" SKU 1 ", "0", 7])
def test_a_product_code_is_taken_as_it_is(code: object) -> None:
    """A code is compared with the order's, so that not a blank of it may get lost."""
    assert issued(goods=[good(good={"code": code, "price": 1})]).lines[0].code == str(code)


def test_taxes_that_are_not_told_are_not_none_at_all() -> None:
    """An answer that is silent on taxes cannot contradict the order."""
    assert issued(goods=[good(taxes=None)]).lines[0].taxes is None
    assert issued(goods=[good(taxes=[])]).lines[0].taxes == ()
    assert issued(goods=[good(taxes=[{"symbol": "А"}])]).lines[0].taxes is None


@pytest.mark.parametrize(
    ("total_sum", "round_sum", "total"),
    [
        (15026, 24, 15026),  # before rounding
        (15050, 24, 15026),  # after rounding, which was added
        (15050, -24, 15026),  # after rounding, told as what is off
        (15026, None, 15026),
        (9999, 24, 9999),  # another receipt than ours: Checkbox's word leads
    ],
)
def test_the_total_is_before_cash_is_rounded(total_sum: int, round_sum: int | None, total: int) -> None:
    """Whether ``total_sum`` contains ``round_sum`` or not, the order's total is found."""
    goods = [good(good={"code": "A", "price": 15126}, sum=15126)]
    discounts = [{"type": "DISCOUNT", "mode": "VALUE", "value": 100, "sum": -100}]
    receipt = issued(goods=goods, discounts=discounts, total_sum=total_sum, round_sum=round_sum)
    assert receipt.total == total


SAYING_NOTHING = [
    "",
    "null",
    "[]",
    "{}",
    "{",
    "NaN",
    "[" * 10**5,
    '"text"',
    '{"id": "1"}',
    '{"status": "DONE"}',
]


@pytest.mark.parametrize("body", [*SAYING_NOTHING, "1" * 5000], ids=lambda body: body[:20])
def test_an_answer_that_says_nothing_is_unreadable(body: str) -> None:
    """No receipt is read out of thin air."""
    with pytest.raises(Unreadable):
        read_receipt(answers.parse(body.encode()))


def test_a_shift_is_read_with_its_register_and_the_reason_of_a_refusal() -> None:
    """An opening that was refused ends in CLOSED, and the transaction has the reason."""
    refused = {
        "id": "A1",
        "status": "CLOSED",
        "opened_at": None,
        "cash_register": {"id": "r", "fiscal_number": 4000037367},
        "initial_transaction": {"status": "ERROR", "response_error_message": "Ключ прострочено, 0671234567"},
    }
    shift = answers.read_shift(refused)
    assert (shift.id, shift.opened_at) == ("a1", None)
    assert (shift.register_id, shift.register_number) == ("r", "4000037367")
    assert shift.refusal == "Ключ прострочено, ***"
    assert answers.read_shift({"id": "1", "status": "CLOSED"}).refusal is None
    assert answers.read_shift({**refused, "status": "OPENED"}).refusal is None


@pytest.mark.parametrize(
    ("written", "at"),
    [
        ("2026-09-09T10:27:53.5+00:00", 1788949673.5),
        ("2026-09-09T13:27:53.500000+03:00", 1788949673.5),
        ("2026-09-09T10:27:53Z", 1788949673.0),
        ("2026-09-09T10:27:53", 1788949673.0),
        ("2026-09-09 10:27:53", 1788949673.0),
        (None, None),
        ("", None),
        (17, None),
    ],
)
def test_times_are_read_in_every_form(written: object, at: float | None) -> None:
    """With or without a zone and fractions; without one it is UTC."""
    assert answers.read_shift({"id": "1", "status": "OPENED", "opened_at": written}).opened_at == at


def test_taxes_are_read_with_exact_rates() -> None:
    """A rate never passes through a binary float, and an entry without a code is skipped."""
    body = b'[{"code": "2", "label": "x", "symbol": "A", "rate": 7.1}, {"label": "no code"}, null]'
    (tax,) = answers.read_taxes(answers.parse(body))
    assert (tax.code, tax.rate) == (2, Decimal("7.1"))
    with pytest.raises(Unreadable):
        answers.read_taxes({"results": []})


@pytest.mark.parametrize("token", ["", None, "a\nb", "клю́ч", 5.0])
def test_a_token_that_no_header_can_carry_is_no_token(token: object) -> None:
    """What was not understood at sign-in is not sent back as a credential."""
    with pytest.raises(Unreadable):
        answers.read_token({"access_token": token})
