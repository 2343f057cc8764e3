"""The hand-made validator and Checkbox's OpenAPI document are of one mind about bodies."""

from __future__ import annotations

import copy
import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema_rs import Draft202012Validator

from tests.contracts.openapi import FILE, NO_BODY, ContractBroken, OpenApi
from tests.sandbox.driver import line, sale
from worker.sandbox import office_payloads, payloads
from worker.sandbox.refusals import Refusal
from worker.sandbox.validation import Rule, parse

DOCUMENT = OpenApi.load()
WRITTEN = json.loads(FILE.read_text("utf-8"))
REFUSAL = Draft202012Validator({"$ref": "#/components/schemas/HTTPValidationError", **WRITTEN})
DOCS = Path(__file__).parents[2] / "docs" / "sandbox.md"
SALE = sale(
    line(
        good={
            "tax": [1, 2],
            "barcode": "1",
            "excise_barcodes": ["A"],
            "e_excise_barcodes": ["B"],
            "uktzed": "0901",
        },
        discounts=[{"type": "DISCOUNT", "mode": "PERCENT", "value": 1.5, "name": None, "tax_codes": [1]}],
        is_return=False,
        good_id=None,
    ),
    line(good={"tax": ["А"]}, discounts=None, is_return=None),
    line(good={"taxes": [1, 2]}),
    payments=[
        {"type": "CASHLESS", "value": 1, "label": "Картка", "code": 1, "card_mask": "1", "commission": 1},
        {"value": 2, "label": None},
    ],
    discounts=[{"type": "EXTRA_CHARGE", "mode": "VALUE", "value": 1}],
    delivery={"emails": ["a@example.com"], "phone": "380501234567"},
    context={"request": "r", "replay": 0, "share": 0.5, "flag": True},
    rounding_mode="ROUND_50",
    related_receipt_id=None,
    related_receipt_created_at="2026-09-09T10:00:00+00:00",
    technical_return=None,
    rounding=None,
    control_number="12345",
    callback_url="no address",
    bonuses=[1, "x", {}],
)
BODIES: dict[str, tuple[Rule, Any]] = {
    "/api/v1/receipts/sell": (payloads.SELL, SALE),
    "/api/v1/cashier/signin": (office_payloads.SIGN_IN, {"login": "a", "password": "b"}),
    "/api/v1/cashier/signinPinCode": (office_payloads.SIGN_IN_PIN_CODE, {"pin_code": "1"}),
    "/api/v1/receipts/service": (payloads.SERVICE, {"payment": {"type": "CASH", "value": -1}, "context": {}}),
    "/api/v1/shifts": (office_payloads.OPEN_SHIFT, {"id": None, "auto_close_at": "2026-09-09T10:00:00Z"}),
    "/api/v1/shifts/close": (office_payloads.CLOSE_SHIFT, {"skip_client_name_check": True, "report": None}),
}
CHANGES: list[Any] = [
    None, True, 0, 1, -1, 10**11, 1.5, "", "x", "x" * 200, [], [1], ["x"], [1, 2, 3], {}, {"a": {}},
    "CASH", "CASHLESS", "PERCENT", "ROUND_10", "00000000-0000-4000-8000-000000000000", "380501234567",
]  # fmt: skip
VALUES: st.SearchStrategy[Any] = st.sampled_from(CHANGES)
#: What the vendor's document takes too.
STRICT = {
    **SALE,
    "goods": [SALE["goods"][0], line(good={"tax": ["А"]}, discounts=[], is_return=False), SALE["goods"][2]],
    "payments": [SALE["payments"][0], {"value": 2, "label": "Готівка"}],
    "technical_return": False,
    "rounding": False,
    "control_number": "1234",
    "callback_url": "https://example.com/receipts",
    "bonuses": [{"bonus_card": "1", "value": 1}],
}


def places(node: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Every place in the body at which something can be put or taken away."""
    found = [path] if path else []
    keys = node.keys() if isinstance(node, dict) else range(len(node)) if isinstance(node, list) else ()
    for key in keys:
        found += places(node[key], (*path, key))
    return found


@pytest.mark.parametrize("path", BODIES)
@given(data=st.data())
def test_both_judges_agree(path: str, data: st.DataObject) -> None:
    """After random changes to a valid body, the sandbox refuses it exactly if the document does."""
    rule, valid = BODIES[path]
    body = copy.deepcopy(valid)
    for _ in range(data.draw(st.integers(0, 2))):
        *way, last = data.draw(st.sampled_from(places(valid)))
        try:
            parent = body
            for key in way:
                parent = parent[key]
            if data.draw(st.booleans()):
                parent[last] = copy.deepcopy(data.draw(VALUES))
            else:
                del parent[last]
        except (KeyError, IndexError, TypeError):
            continue
    assert _accepted(rule, body) == _documented(path, body), json.dumps(body, ensure_ascii=False)


def changed_sales() -> Iterator[tuple[str, Any]]:
    """Every member of a sale taken away, and every value put in its place; with the member's name."""
    for *way, last in places(STRICT):
        for value in (*CHANGES, NO_BODY):
            body = parent = copy.deepcopy(STRICT)
            for key in way:
                parent = parent[key]
            if value is NO_BODY:
                del parent[last]
            else:
                parent[last] = value
            yield next(key for key in (last, *reversed(way)) if isinstance(key, str)), body


def test_where_the_vendor_s_document_has_another_verdict() -> None:
    """Only at the members that are marked with what stands there; figures and members are in the docs."""
    sell = {"$ref": "#/components/schemas/ReceiptSellPayload", **_as_the_vendor_wrote(WRITTEN)}
    judge = Draft202012Validator(sell, validate_formats=True)
    assert judge.is_valid(STRICT)
    assert _accepted(payloads.SELL, STRICT)
    sales = list(changed_sales())
    differ = Counter(
        member for member, body in sales if _accepted(payloads.SELL, body) != judge.is_valid(body)
    )
    told = " ".join(DOCS.read_text("utf-8").split())
    assert f"{len(sales) - differ.total():,} of {len(sales):,}" in told
    assert ", ".join(f"`{member}` {count}" for member, count in differ.most_common()) in told


def _as_the_vendor_wrote(node: Any) -> Any:
    """The document with ``x-document`` in place of what it is a note to."""
    if isinstance(node, list):
        return [_as_the_vendor_wrote(item) for item in node]
    if isinstance(node, dict):
        return {name: _as_the_vendor_wrote(item) for name, item in node.get("x-document", node).items()}
    return node


def _accepted(rule: Rule, body: Any) -> bool:
    try:
        parse(json.dumps(body).encode(), rule)
    except Refusal as refusal:
        REFUSAL.validate(refusal.body)
        return False
    return True


def _documented(path: str, body: Any) -> bool:
    try:
        DOCUMENT.check_request("POST", path, body=body, closed=False)
    except ContractBroken:
        return False
    return True


@pytest.mark.parametrize(
    ("member", "value", "kind"),
    [
        ("price", 0, "value_error.number.not_gt"),
        ("price", 10**11, "value_error.number.not_lt"),
        ("price", 10.5, "type_error.integer"),
        ("code", "", "value_error.any_str.min_length"),
        ("code", "x" * 257, "value_error.any_str.max_length"),
        ("uktzed", "x" * 65, "value_error.any_str.max_length"),
        ("tax", [1, 2, 3], "value_error.list.max_items"),
        ("tax", [1, "А"], "type_error"),
        ("taxes", [1, 2, 3], "value_error.list.max_items"),
    ],
)
def test_a_wrong_good_is_told_with_its_place(member: str, value: Any, kind: str) -> None:
    """The place leads to the member, the type is that of pydantic 1."""
    body = sale(line(good={member: value}))
    with pytest.raises(Refusal) as refused:
        parse(json.dumps(body).encode(), payloads.SELL)
    assert refused.value.body["detail"][0]["loc"] == ["body", "goods", 0, "good", member]
    assert refused.value.body["detail"][0]["type"] == kind


@pytest.mark.parametrize("quantity", [0, -1, 1.5, "1000", True])
def test_a_wrong_quantity_is_422(quantity: Any) -> None:
    """Thousandths, whole and above 0."""
    with pytest.raises(Refusal) as refused:
        parse(json.dumps(sale(line(quantity=quantity))).encode(), payloads.SELL)
    assert refused.value.body["detail"][0]["loc"] == ["body", "goods", 0, "quantity"]


def test_an_address_of_any_length_is_judged_at_once() -> None:
    """A domain of dots alone may be parted at each of them."""
    with pytest.raises(Refusal):
        parse(json.dumps(["a@" + "." * 500_000 + "@"]).encode(), office_payloads.EMAILS)
    assert parse(b'["a@mail..example.com"]', office_payloads.EMAILS) == ["a@mail..example.com"]
