"""Reading messages: whatever the contract allows is read exactly, and everything else is told apart."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.builders import AN_ORDER, LEFT_OUT, a_body, a_message
from worker.fiscal.order import Buyer, Operation, ReturnOf, Vat
from worker.fiscal.outcomes import Code
from worker.rabbit.message.reading import InvalidMessage, RequestIdentity, read

EXAMPLES = Path(__file__).parents[3] / "docs" / "examples"
ZEROS = "00000000-0000-0000-0000-000000000000"
ANOTHER = "79052a2b-83b6-5dc7-8201-2c1da846d020"
LINE = "data__order__products__0__"


def refused(body: bytes) -> InvalidMessage:
    with pytest.raises(InvalidMessage) as caught:
        read(body)
    return caught.value


def problems(body: bytes) -> dict[str, str]:
    return {error["path"]: error["problem"] for error in refused(body).errors}


@pytest.mark.parametrize("path", sorted((EXAMPLES / "valid").iterdir()), ids=lambda path: path.stem)
def test_every_valid_example_is_read(path: Path) -> None:
    """And it is the order that the file has."""
    request = read(path.read_bytes())
    document = json.loads(path.read_bytes())
    assert request.id == document["id"]
    assert str(request.order.uuid) == document["data"]["order"]["uuid"]
    assert len(request.order.lines) == len(document["data"]["order"]["products"])


@pytest.mark.parametrize("path", sorted((EXAMPLES / "invalid").iterdir()), ids=lambda path: path.stem)
def test_an_invalid_example_is_refused_only_where_its_name_says_so(path: Path) -> None:
    """The other codes are verdicts on messages that can be read."""
    if path.name.startswith("INVALID_MESSAGE"):
        assert refused(path.read_bytes()).code is Code.INVALID_MESSAGE
    else:
        read(path.read_bytes())


def test_figures_become_integers() -> None:
    """Kopiykas, thousandths, and hundredths of a kopiyka for a price."""
    request = read(a_body(**{LINE + "count": "0.375", LINE + "cost": "3.3333"}))
    line = request.order.lines[0]
    assert (line.count, line.cost, line.discount, line.amount) == (375, 33_333, 3_000, 27_000)
    assert (request.order.total, request.payments[0].amount) == (27_000, 27_000)


@pytest.mark.parametrize(
    ("written", "kopiykas"),
    [
        (b'"270.00"', 27_000),
        (b'"270"', 27_000),
        (b'"0270.5000000"', 27_050),
        (b"270", 27_000),
        (b"270.1", 27_010),
        (b"2.7e2", 27_000),
        (b"27000E-2", 27_000),
        (b"0.29", 29),
        (b"1.15", 115),
        (b"999999999.99", 99_999_999_999),
        (b'"999999999.99"', 99_999_999_999),
    ],
)
def test_decimals_are_read_exactly(written: bytes, kopiykas: int) -> None:
    """Numbers or strings, never through a binary float: 1.15 is 115 kopiykas and not 114."""
    assert read(a_body().replace(b'"total": "270.00"', b'"total": ' + written)).order.total == kopiykas


@pytest.mark.parametrize(
    "written",
    [
        b'"NaN"',
        b'"Infinity"',
        b'"1e3"',
        b'"1,5"',
        b'" 1"',
        b'"1 "',
        b'"+1"',
        b'".5"',
        b'"5."',
        b'""',
        b'"-"',
        b'"1_0"',
        '"١"'.encode(),
        '"１"'.encode(),
        b'"1.005"',
        b"1.005",
        b'"-1"',
        b"-1",
        b"0",
        b'"0.00"',
        b'"-0"',
        b"1000000000",
        b'"1000000000"',
        b"1e9",
        b"1e999999999",
        b"1e-999999999",
        b"9" * 5_000,
        b"true",
        b"null",
        b"[]",
        b"{}",
        b'"0x10"',
        b'"1\\n"',
    ],
)
def test_anything_else_is_no_sum(written: bytes) -> None:
    """Plain notation, ASCII, two places, above 0 and under 1,000,000,000; true is no number."""
    body = a_body().replace(b'"total": "270.00"', b'"total": ' + written)
    assert list(problems(body)) == ["/data/order/total"]


@pytest.mark.parametrize(
    "text", ["0" * 500_000 + "x", "9" * 500_000 + "x", "0." + "0" * 500_000 + "x", "-" + "0" * 500_000 + "-"]
)
@pytest.mark.parametrize("path", ["data__order__total", LINE + "count", LINE + "cost"])
def test_half_a_megabyte_of_digits_is_no_sum(path: str, text: str) -> None:
    """Read in one way and at once: tried in every way, it would hold up all threads for an hour."""
    assert len(problems(a_body(**{path: text}))) == 1


@pytest.mark.parametrize("word", [b"NaN", b"Infinity", b"-Infinity", b"nan"])
def test_a_body_with_a_bare_nan_is_no_json(word: bytes) -> None:
    """JSON has no such number, so that not even the id can be told."""
    invalid = refused(a_body().replace(b'"270.00"', word))
    assert invalid.known == RequestIdentity()


@pytest.mark.parametrize(
    ("path", "value", "pointer"),
    [
        ("specversion", LEFT_OUT, "/specversion"),
        ("specversion", 1.0, "/specversion"),
        ("type", "ua.bimp.order.ready_to_fiscalize.v2", "/type"),
        ("source", LEFT_OUT, "/source"),
        ("source", "/companies/", "/source"),
        ("source", "https://bimp.ua", "/source"),
        ("id", "", "/id"),
        ("id", "x" * 129, "/id"),
        ("id", 5, "/id"),
        ("subject", ANOTHER, "/subject"),
        ("subject", "", "/subject"),
        ("time", "2026-11-24T10:20:05", "/time"),
        ("time", "24.11.2026", "/time"),
        ("time", 1, "/time"),
        ("data", None, "/data"),
        ("data", [], "/data"),
        ("data__integration", LEFT_OUT, "/data/integration"),
        ("data__integration", "Shop", "/data/integration"),
        ("data__integration", "shop\n", "/data/integration"),
        ("data__cashier", "x" * 65, "/data/cashier"),
        ("data__cashier", "", "/data/cashier"),
        ("data__operation", "sell", "/data/operation"),
        ("data__operation", ["SELL"], "/data/operation"),
        ("data__operation", "RETURN", "/data/returnOf"),
        ("data__order", "x", "/data/order"),
        ("data__sellAgain", "yes", "/data/sellAgain"),
        ("data__paymentUuid", "42", "/data/paymentUuid"),
        ("data__paymentUuid", ZEROS, "/data/paymentUuid"),
        ("data__order__uuid", AN_ORDER.hex, "/data/order/uuid"),
        ("data__order__uuid", f"{{{AN_ORDER}}}", "/data/order/uuid"),
        ("data__order__uuid", f"{AN_ORDER}\n", "/data/order/uuid"),
        ("data__order__docNumber", "", "/data/order/docNumber"),
        ("data__order__docNumber", "1" * 65, "/data/order/docNumber"),
        ("data__order__docNumber", 482, "/data/order/docNumber"),
        ("data__order__docNumber", " \t ", "/data/order/docNumber"),
        ("data__order__date", "2026-11-24", "/data/order/date"),
        ("data__order__date", "9999-12-31T23:59:59Z", "/data/order/date"),
        ("time", "0001-01-01T00:00:00+14:00", "/time"),
        ("data__order__date", "2026-13-24T10:00:00Z", "/data/order/date"),
        ("data__order__date", "2026-02-30T10:00:00Z", "/data/order/date"),
        ("data__order__date", "2026-11-24T10:00:00+25:00", "/data/order/date"),
        ("data__order__date", None, "/data/order/date"),
        ("data__order__archived", 0, "/data/order/archived"),
        ("data__order__archived", None, "/data/order/archived"),
        ("data__order__currency", LEFT_OUT, "/data/order/currency"),
        ("data__order__currency", 980, "/data/order/currency"),
        ("data__order__products", {}, "/data/order/products"),
        ("data__order__products", [None], "/data/order/products/0"),
        ("data__order__discount", "-0.01", "/data/order/discount"),
        ("data__payments", [], "/data/payments"),
        ("data__payments__0__form", "CARD", "/data/payments/0/form"),
        ("data__payments__0__amount", "0", "/data/payments/0/amount"),
        ("data__payments__0__label", "", "/data/payments/0/label"),
        ("data__payments__0__label", "x" * 129, "/data/payments/0/label"),
        ("data__payments__0__card", [], "/data/payments/0/card"),
        ("data__payments__0__card", {"mask": "1" * 20}, "/data/payments/0/card/mask"),
        ("data__payments__0__card", {"rrn": 5}, "/data/payments/0/card/rrn"),
        ("data__returnOf", {"orderUuid": "42"}, "/data/returnOf/orderUuid"),
        ("data__returnOf", {"orderUuid": ZEROS}, "/data/returnOf/orderUuid"),
        ("data__returnOf", {"receiptId": "F" * 8 + ZEROS[8:].replace("0", "f")}, "/data/returnOf/receiptId"),
        ("data__returnOf", {"orderUuid": str(AN_ORDER).upper()}, "/data/returnOf/orderUuid"),
        (LINE + "code", "  ", "/data/order/products/0/code"),
        (LINE + "name", " \x00\n\u00a0", "/data/order/products/0/name"),
        (LINE + "code", "", "/data/order/products/0/code"),
        (LINE + "code", "x" * 257, "/data/order/products/0/code"),
        (LINE + "name", "", "/data/order/products/0/name"),
        (LINE + "barcode", "x" * 257, "/data/order/products/0/barcode"),
        (LINE + "uktzed", "x" * 65, "/data/order/products/0/uktzed"),
        (LINE + "unit", 5, "/data/order/products/0/unit"),
        (LINE + "nomenclatureUuid", "x" * 257, "/data/order/products/0/nomenclatureUuid"),
        (LINE + "exciseBarcodes", "AABB", "/data/order/products/0/exciseBarcodes"),
        (LINE + "exciseBarcodes", ["A", None], "/data/order/products/0/exciseBarcodes/1"),
        (LINE + "eExciseBarcodes", [5], "/data/order/products/0/eExciseBarcodes/0"),
        (LINE + "count", "0", "/data/order/products/0/count"),
        (LINE + "count", "0.0005", "/data/order/products/0/count"),
        (LINE + "cost", "0.00005", "/data/order/products/0/cost"),
        (LINE + "amount", LEFT_OUT, "/data/order/products/0/amount"),
        (LINE + "amount", "999999980", "/data/order/products/0"),
        (LINE + "vat", {}, "/data/order/products/0/vat/percentRate"),
        (LINE + "vat", {"percentRate": None}, "/data/order/products/0/vat/percentRate"),
        (LINE + "vat", {"percentRate": "100.01"}, "/data/order/products/0/vat/percentRate"),
        (LINE + "vat", {"percentRate": "7.125"}, "/data/order/products/0/vat/percentRate"),
        (
            LINE + "vat",
            {"percentRate": "7", "notAccountable": "no"},
            "/data/order/products/0/vat/notAccountable",
        ),
        (LINE + "vat", "20", "/data/order/products/0/vat"),
    ],
)
def test_a_wrong_member_is_told_by_its_pointer(path: str, value: Any, pointer: str) -> None:
    """One member is wrong, and one error names it."""
    invalid = refused(a_body(**{path: value}))
    assert [error["path"] for error in invalid.errors] == [pointer]
    assert invalid.detail["errors"] == invalid.errors


@pytest.mark.parametrize(
    "path",
    [
        "subject",
        "time",
        "data__operation",
        "data__order__discount",
        "data__payments__0__label",
        "data__payments__0__card",
        "data__buyer",
        "data__returnOf",
        LINE + "barcode",
        LINE + "uktzed",
        LINE + "unit",
        LINE + "nomenclatureUuid",
        LINE + "exciseBarcodes",
        LINE + "eExciseBarcodes",
        "data__sellAgain",
        "data__paymentUuid",
    ],
)
def test_null_for_an_optional_member_is_the_same_as_leaving_it_out(path: str) -> None:
    """Bimp writes null where it has nothing."""
    whole = a_message(**{path: None})
    parent: Any = whole
    *steps, name = path.split("__")
    for step in steps:
        parent = parent[int(step) if step.isdigit() else step]
    with_null = read(json.dumps(whole).encode())
    del parent[name]
    assert with_null == read(json.dumps(whole).encode())


def test_what_is_left_out_has_its_default() -> None:
    """SELL, no discount, nothing accounted for otherwise."""
    body = a_body(data__operation=LEFT_OUT, **{LINE + "discount": LEFT_OUT, LINE + "vat": {"percentRate": 7}})
    request = read(body)
    assert request.operation is Operation.SELL
    assert (request.order.discount, request.order.lines[0].discount) == (0, 0)
    assert request.order.lines[0].vat == Vat(Decimal(7), False)


def test_unknown_members_are_ignored_at_every_level() -> None:
    """Bimp may add what it likes."""
    plain = a_body(data__buyer={}, data__payments__0__card={})
    changes: dict[str, Any] = {
        path + "someday": {"data": [1.5, {"id": None}]}
        for path in ("", "data__", "data__order__", LINE, LINE + "vat__", "data__payments__0__")
    }
    more = a_message(data__buyer={"x": 1}, data__payments__0__card={"x": "\ud83d"}, **changes)
    assert read(json.dumps(more).encode()) == read(plain)


@pytest.mark.parametrize(
    ("written", "twice", "pointer"),
    [
        (b'"archived": false', b'"archived": true, "archived": false', "/data/order/archived"),
        (b'"total": "270.00"', b'"total": "270.00", "total": "270.00"', "/data/order/total"),
        (b'"count": "2"', b'"count": "1", "count": "2"', "/data/order/products/0/count"),
        (b'"specversion"', b'"type": "x", "specversion"', "/type"),
        (b'"specversion"', b'"someday": 1, "someday": 2, "specversion"', ""),
        (b'"currency"', b'"someday": [{"x": 1, "x": 2}], "currency"', "/data/order"),
    ],
)
def test_a_member_that_comes_twice_is_an_error(written: bytes, twice: bytes, pointer: str) -> None:
    """Which of the two was meant cannot be told, at any level, in any member."""
    found = problems(a_body().replace(written, twice))
    assert list(found) == [pointer]
    assert found[pointer].endswith("comes twice")


def test_names_that_the_contract_lacks_are_not_repeated() -> None:
    """Somebody's telephone number may be the name of a member."""
    body = a_body(data__buyer={}).replace(
        b'"buyer": {}', b'"buyer": {"+380501234567": 1, "+380501234567": 2}'
    )
    invalid = refused(body)
    assert [error["path"] for error in invalid.errors] == ["/data/buyer"]
    assert "380501234567" not in json.dumps(invalid.errors)


def test_personal_values_are_not_repeated() -> None:
    """Errors go into events, headers and logs."""
    invalid = refused(a_body(data__payments__0__card={"mask": "4111111111111111222233", "rrn": 12345678}))
    assert len(invalid.errors) == 2
    assert "411111" not in json.dumps(invalid.errors)
    assert "12345678" not in json.dumps(invalid.errors)


def test_other_values_are_shown_shortened() -> None:
    """Whoever mends the message sees what was there."""
    assert problems(a_body(data__order__total="12,50")) == {
        "/data/order/total": 'must be a decimal: a number, or a string like 12.50, is "12,50"'
    }
    assert problems(a_body(data__order__docNumber=482)) == {
        "/data/order/docNumber": "must be a string, is 482"
    }
    assert problems(a_body(data__order__archived="yes")) == {
        "/data/order/archived": 'must be true or false, is "yes"'
    }
    assert len(problems(a_body(data__cashier="x" * 9_000))["/data/cashier"]) < 100


@pytest.mark.parametrize(
    "changes",
    [
        {"data__payments__0__label": "Paid by Ivan " * 10},
        {LINE + "unit": "pieces for Ivan" * 50},
        {"data__cashier": "Ivan Petrenko"},
        {"data__order__archived": "yes, Ivan"},
        {LINE + "count": "two of Ivan's"},
        {"data__cashier": "Іван"},
        {"data__cashier": "Ivan"},
        {"data__integration": "Petrenko_Ivan"},
        {"data__operation": "IVAN"},
        {"data__order__archived": "Ivan"},
        {"data__order__total": "Petrenko"},
        {"data__order__uuid": "Ivan.Petrenko"},
        {LINE + "unit": 12345},
        {LINE + "name": 671234567},
        {"data__payments__0__label": [1]},
        {"data__payments__0": "card4111"},
        {"data__sellAgain": "tel12345"},
    ],
    ids=str,
)
def test_words_are_not_repeated(changes: dict[str, Any]) -> None:
    """Codes, numbers and ids alone: other words may be a person's, and are described."""
    (error,) = [one for one in refused(a_body(**changes)).errors if one["path"] != "/subject"]
    assert ", is " not in error["problem"]
    assert re.search(r"; it is (a text of [0-9]+ characters|a number|a list)$", error["problem"])
    for value in changes.values():
        assert str(value) not in json.dumps(error, ensure_ascii=False)


_NUMBERS = ("+380671234567", "067-123-45-67", "38.067.123.45.67", "4111-1111-1111-1111")


@pytest.mark.parametrize("number", _NUMBERS)
@pytest.mark.parametrize(
    "path",
    ["data__integration", "data__order__uuid", "data__order__total", "data__order__date", LINE + "uktzed"],
)
def test_a_phone_or_a_card_in_the_wrong_place_is_not_repeated(path: str, number: str) -> None:
    """Also where its beginning alone would be shown."""
    for value in (number, "x" + "." * 30 + number, number * 300):
        errors = json.dumps(refused(a_body(**{path: value}, specversion="2.0")).errors)
        assert "2.0" in errors
        assert number[:9] not in errors


@pytest.mark.parametrize(
    ("buyer", "expected"),
    [
        ({"email": "not an address", "phone": "12"}, Buyer("not an address", "12")),
        ({"email": 5, "phone": ["x"]}, Buyer("?", "?")),
        ({"email": "", "phone": None}, Buyer(None, None)),
        ("a@example.com", Buyer("?", None)),
        ([], Buyer("?", None)),
        ({"email": "\ud83d"}, Buyer("?", None)),
    ],
)
def test_a_malformed_buyer_fails_no_message(buyer: Any, expected: Buyer) -> None:
    """It is dropped later, with a warning."""
    body = json.dumps(a_message(data__buyer=buyer)).encode()
    assert read(body).buyer == expected


def test_a_rate_that_is_not_accounted_for_ignores_its_percents() -> None:
    """It is a rate of its own, whatever stands beside it."""
    for percent in (LEFT_OUT, None, "20", "x", -1):
        vat: dict[str, Any] = {"percentRate": percent, "notAccountable": True}
        if percent is LEFT_OUT:
            del vat["percentRate"]
        assert read(a_body(**{LINE + "vat": vat})).order.lines[0].vat == Vat(Decimal(0), True)
    assert read(a_body(**{LINE + "vat": None})).order.lines[0].vat is None


def test_a_date_without_a_zone_is_kyiv() -> None:
    """Winter there is two hours ahead of UTC, summer three."""
    winter = read(a_body(data__order__date="2026-11-24T10:15:00")).order.date
    summer = read(a_body(data__order__date="2026-07-24T10:15:00.1234567")).order.date
    assert winter == datetime(2026, 11, 24, 8, 15, tzinfo=UTC)
    assert summer == datetime(2026, 7, 24, 7, 15, 0, 123456, tzinfo=UTC)


@pytest.mark.parametrize(
    "time", ["2026-11-24T12:20:05+02:00", "2026-11-24t10:20:05z", "2026-11-24T10:20:05.000Z"]
)
def test_times_are_read_by_rfc_3339(time: str) -> None:
    """With their zone, in either case; a leap second is the second before it."""
    assert read(a_body(time=time)).time == datetime(2026, 11, 24, 10, 20, 5, tzinfo=UTC)
    leap = read(a_body(time="2016-12-31T23:59:60Z")).time
    assert leap is not None
    assert leap + timedelta(seconds=1) == datetime(2017, 1, 1, tzinfo=UTC)


def test_the_case_of_a_uuid_does_not_count() -> None:
    """Neither in the order nor in the subject."""
    request = read(a_body(subject=str(AN_ORDER).upper(), data__order__uuid=str(AN_ORDER).upper()))
    assert request.order.uuid == AN_ORDER


def test_a_return_names_its_sale_in_one_way() -> None:
    """By order or by receipt, and not by both or none."""
    order, receipt = {"orderUuid": ANOTHER}, {"receiptId": ANOTHER}
    by_order = read(a_body(data__operation="RETURN", data__returnOf={**order, "receiptId": None, "x": 1}))
    assert by_order.return_of == ReturnOf(UUID(ANOTHER), None)
    by_receipt = read(a_body(data__operation="RETURN", data__returnOf=receipt))
    assert by_receipt.return_of == ReturnOf(None, UUID(ANOTHER))
    for wrong in ({}, {**order, **receipt}):
        assert list(problems(a_body(data__operation="RETURN", data__returnOf=wrong))) == ["/data/returnOf"]
    assert read(a_body(data__returnOf=order)).return_of is None


@pytest.mark.parametrize("uuid", [ZEROS, ZEROS.replace("0", "f"), ZEROS.replace("0", "F")])
def test_a_uuid_that_software_writes_for_none_is_no_identity(uuid: str) -> None:
    """Two orders that bore it would be one; whoever asked is answered, and the order is not told."""
    invalid = refused(a_body(subject=uuid, data__order__uuid=uuid))
    assert [error["path"] for error in invalid.errors] == ["/subject", "/data/order/uuid"]
    assert (invalid.known.request_id, invalid.known.order) == ("request-1", None)


def test_only_a_sale_can_be_made_again() -> None:
    """Elsewhere the word is ignored."""
    returned = {"data__operation": "RETURN", "data__returnOf": {"orderUuid": ANOTHER}}
    assert read(a_body(data__sellAgain=True)).sell_again
    assert not read(a_body()).sell_again
    assert not read(a_body(data__sellAgain=True, **returned)).sell_again


def test_a_payment_of_a_chain_has_an_identity() -> None:
    """By the rules of an order's; `closes` is true unless it is said."""
    request = read(a_body(data__operation="PREPAYMENT", data__paymentUuid=ANOTHER.upper()))
    assert (request.operation, request.payment_uuid) == (Operation.PREPAYMENT, UUID(ANOTHER))
    further = {"data__operation": "AFTERPAYMENT", "data__paymentUuid": ANOTHER}
    closes = [read(a_body(**further, data__closes=said)).closes for said in (None, True, False)]
    assert closes == [True, True, False]


@pytest.mark.parametrize(
    ("changes", "path"),
    [
        ({"data__operation": "PREPAYMENT"}, "/data/paymentUuid"),
        ({"data__operation": "AFTERPAYMENT"}, "/data/paymentUuid"),
        ({"data__operation": "AFTERPAYMENT", "data__closes": "no"}, "/data/closes"),
        ({"data__operation": "PREPAYMENT", "data__payments": LEFT_OUT}, "/data/payments"),
        ({"data__payments": None}, "/data/payments"),
        ({"data__operation": "PREPAYMENT_RETURN"}, "/data/returnOf"),
        (
            {"data__operation": "PREPAYMENT_RETURN", "data__returnOf": {"receiptId": ANOTHER}},
            "/data/returnOf/orderUuid",
        ),
        (
            {"data__operation": "PREPAYMENT_RETURN", "data__returnOf": {"orderUuid": str(AN_ORDER)}},
            "/data/returnOf/orderUuid",
        ),
        (
            {
                "data__operation": "PREPAYMENT_RETURN",
                "data__returnOf": {"orderUuid": ANOTHER, "relationId": ""},
            },
            "/data/returnOf/relationId",
        ),
    ],
)
def test_what_an_operation_of_a_chain_needs(changes: dict[str, Any], path: str) -> None:
    """The identity of the money, the payments, the order whose chain is returned."""
    needed = {} if "data__operation" not in changes else {"data__paymentUuid": ANOTHER}
    needed = {} if path == "/data/paymentUuid" else needed
    assert path in [error["path"] for error in refused(a_body(**needed | changes)).errors]


def test_what_an_operation_needs_is_told_beside_other_errors() -> None:
    """A person mends a message in one go."""
    left_out: dict[str, Any] = {"data__payments": LEFT_OUT, "data__order__total": "-1"}
    assert problems(a_body(**left_out)).keys() == {"/data/payments", "/data/order/total"}
    left_out["data__operation"] = "AFTERPAYMENT"
    expected = {"/data/payments", "/data/paymentUuid", "/data/order/total"}
    assert problems(a_body(**left_out)).keys() == expected


def test_a_chain_is_named_by_its_order_and_its_own_id() -> None:
    """Payments are optional there."""
    request = read(
        a_body(
            data__operation="PREPAYMENT_RETURN",
            data__payments=LEFT_OUT,
            data__returnOf={"orderUuid": ANOTHER, "relationId": "chain-1"},
        )
    )
    assert request.payments == ()
    assert request.return_of == ReturnOf(UUID(ANOTHER), None, "chain-1")


def test_stamps_and_marks_of_excise_are_two_lists() -> None:
    """Law 4698-IX: electronic marks since 1 November 2026, beside paper stamps."""
    body = a_body(**{LINE + "exciseBarcodes": ["", " ", "A"], LINE + "eExciseBarcodes": ["0A1B", ""]})
    line = read(body).order.lines[0]
    assert (line.excise_barcodes, line.e_excise_barcodes) == (("A",), ("0A1B",))


def test_empty_texts_are_left_out() -> None:
    """A barcode or a unit of nothing but spaces is none."""
    line = read(a_body(**{LINE + "barcode": "", LINE + "unit": "\r\n", LINE + "uktzed": " "})).order.lines[0]
    assert (line.barcode, line.unit, line.uktzed) == (None, None, None)


#: Every text that goes onto a receipt, or is seen by a person.
_TEXTS = (
    *(LINE + name for name in ("code", "name", "barcode", "uktzed", "unit")),
    *(LINE + "exciseBarcodes__0", LINE + "eExciseBarcodes__0", "data__order__docNumber"),
    "data__payments__0__label",
    *(
        f"data__payments__0__card__{name}"
        for name in ("mask", "bankName", "authCode", "rrn", "paymentSystem", "terminal", "acquirer")
    ),
)


@pytest.mark.parametrize("place", _TEXTS)
def test_control_characters_of_any_text_become_spaces(place: str) -> None:
    """What steers a printer, or a terminal, is no part of a text."""
    lists = {LINE + "exciseBarcodes": [""], LINE + "eExciseBarcodes": [""], "data__payments__0__card": {}}
    written = json.dumps(a_message(**lists, **{place: "a\x1b\x00b\n\x85c"})).encode()
    spaced = json.dumps(a_message(**lists, **{place: "a  b  c"})).encode()
    assert read(written) == read(spaced)


def test_control_characters_are_no_part_of_an_id() -> None:
    """An id is repeated as it came, or is not one."""
    assert read(a_body(id="a\tb")).id == "a\tb"
    known = refused(a_body(data__order__docNumber="ЗП\x1b1", data__order__total="x")).known
    assert known.doc_number == "ЗП 1"


def test_another_currency_is_no_error_of_the_message() -> None:
    """It is a verdict of its own, later."""
    assert read(a_body(data__order__currency="EUR")).order.currency == "EUR"


def test_a_byte_order_mark_is_skipped() -> None:
    """Some libraries write one."""
    assert read(b"\xef\xbb\xbf" + a_body()) == read(a_body())


def test_text_is_utf_8_and_nothing_else() -> None:
    """Neither windows-1251, nor UTF-16, nor half a character in an escape."""
    text = json.dumps(a_message(), ensure_ascii=False)
    assert refused(text.encode("utf-16")).known == RequestIdentity()
    assert refused(text.encode("cp1251")).known == RequestIdentity()
    half = problems(json.dumps(a_message(**{LINE + "name": "x\ud800"})).encode())
    assert half == {"/data/order/products/0/name": "must be a string"}
    assert read(json.dumps(a_message(**{LINE + "name": "🎁"})).encode()).order.lines[0].name == "🎁"


def test_a_body_has_at_most_one_mebibyte() -> None:
    """At the limit it is read, past it not even its id."""
    body = a_body()
    assert read(body + b" " * (1_048_576 - len(body))).id == "request-1"
    assert refused(body + b" " * (1_048_577 - len(body))).known == RequestIdentity()


@pytest.mark.parametrize(
    "deep",
    [
        b"[" * 100_000 + b"]" * 100_000,
        b'{"a":' * 50_000 + b"1" + b"}" * 50_000,
        b"[" * 1_000 + b'"]"' + b"]" * 1_000,
    ],
    ids=["lists", "objects", "brackets in text"],
)
def test_deep_brackets_do_no_harm_and_hide_no_id(deep: bytes) -> None:
    """The reader runs out of levels, and still tells whose message it was."""
    invalid = refused(a_body(someday=0).replace(b'"someday": 0', b'"someday": ' + deep))
    assert invalid.errors == [{"path": "", "problem": "is nested too deeply"}]
    assert invalid.known.request_id == "request-1"
    assert invalid.known.order == AN_ORDER


@pytest.mark.parametrize("escaped", [b'\\"' * 200_000, b'\\"[' * 150_000, b'\\"' * 200_000 + b"\\"])
def test_a_deep_text_without_its_end_is_no_json_at_once(escaped: bytes) -> None:
    """Each of its quotes may begin a text: looked through from each anew, it would hold all threads up."""
    invalid = refused(b"[" * 100_000 + b'"' + escaped)
    assert invalid.known == RequestIdentity()
    assert "is not JSON" in invalid.errors[0]["problem"]


def test_unknown_numbers_do_no_harm() -> None:
    """5,000 digits or an exponent of billions in a member that nobody reads."""
    for number in (b"9" * 5_000, b"1e999999999999", b"-1E-999999999999"):
        assert read(a_body(someday=0).replace(b'"someday": 0', b'"someday": ' + number)).id == "request-1"


def test_up_to_a_hundred_errors_are_told() -> None:
    """Of all lines and payments, not only of the first that is wrong."""
    line = a_message()["data"]["order"]["products"][0]
    products = [line, {**line, "count": 0}, line, {**line, "count": 0}]
    payments = [{"form": "CASH", "amount": "0"}] * 2
    assert list(problems(a_body(data__order__products=products, data__payments=payments, time="x"))) == [
        "/time",
        "/data/order/products/1/count",
        "/data/payments/0/amount",
        "/data/order/products/3/count",
        "/data/payments/1/amount",
    ]
    assert len(refused(a_body(data__order__products=[{}] * 1_000)).errors) == 100


def test_everything_is_known_of_a_message_that_was_read() -> None:
    """Who asked, and for what."""
    assert RequestIdentity.of(read(a_body())) == RequestIdentity(
        request_id="request-1",
        source="/companies/000001398",
        order=AN_ORDER,
        doc_number="ЗП-000482",
        integration="shop-main",
        cashier="olena",
        operation=Operation.SELL,
    )


@pytest.mark.parametrize(
    ("changes", "untold"),
    [
        ({"id": "x" * 129}, "request_id"),
        ({"id": ""}, "request_id"),
        ({"id": 5}, "request_id"),
        ({"source": None}, "source"),
        ({"data__integration": "Shop"}, "integration"),
        ({"data__cashier": "olena.1"}, "cashier"),
        ({"data__operation": "REFUND"}, "operation"),
        ({"data__order__docNumber": "1" * 65}, "doc_number"),
        ({"data__order__uuid": "42", "subject": LEFT_OUT}, "order"),
    ],
)
def test_of_a_wrong_message_everything_else_is_known(changes: dict[str, Any], untold: str) -> None:
    """A member that is wrong is not told; the others are."""
    known = refused(a_body(**changes)).known
    whole = RequestIdentity.of(read(a_body()))
    for name in RequestIdentity.__dataclass_fields__:
        assert getattr(known, name) == (None if name == untold else getattr(whole, name))


def test_the_subject_tells_the_order_where_its_uuid_does_not() -> None:
    """Both name the order."""
    assert refused(a_body(data__order__uuid="42")).known.order == AN_ORDER


def test_an_id_that_comes_twice_is_no_single_id() -> None:
    """Then there is nobody to answer."""
    twice = a_body().replace(b'"id": "request-1"', b'"id": "request-1", "id": "request-1"')
    assert refused(twice).known.request_id is None
    inside = a_body().replace(b'"currency"', b'"id": 1, "id": 2, "currency"')
    assert refused(inside).known.request_id == "request-1"


_VALUES: tuple[Any, ...] = (
    *(None, True, False, 0, -1, 10**400, 1.5, "", "x", "\ud800", "1", "270.00", "x" * 500, str(AN_ORDER)),
    *([], [[]], [None], [{}], {}, {"": {}}, {"id": []}, {"percentRate": {}}, "2026-11-24T10:00:00Z", "\x00"),
)
_PLACES = (
    "specversion",
    "type",
    "source",
    "id",
    "subject",
    "time",
    "data",
    "data__integration",
    "data__cashier",
    "data__operation",
    "data__order",
    "data__order__uuid",
    "data__order__products",
    "data__order__total",
    "data__buyer",
    "data__payments",
    "data__payments__0",
    "data__payments__0__card",
    "data__returnOf",
    LINE + "vat",
    LINE + "count",
    LINE + "exciseBarcodes",
    LINE[:-2],
)


@pytest.mark.parametrize("place", _PLACES)
def test_any_value_anywhere_is_read_or_told(place: str) -> None:
    """No value in any place breaks the reader."""
    for value in _VALUES:
        _is_read_or_told(json.dumps(a_message(**{place: value})).encode())


@settings(max_examples=60)
@given(st.binary(max_size=40), st.integers(0, 900), st.integers(0, 40))
def test_any_bytes_are_read_or_told(noise: bytes, start: int, cut: int) -> None:
    """Neither does a damaged body."""
    body = a_body()
    _is_read_or_told(body[:start] + noise + body[start + cut :])


def _is_read_or_told(body: bytes) -> None:
    try:
        read(body)
    except InvalidMessage as invalid:
        errors = invalid.errors
    else:
        return
    assert 0 < len(errors) <= 100
    json.dumps(errors, ensure_ascii=False).encode()
