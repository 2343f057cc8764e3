"""The judge over Checkbox's document can say no."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.contracts.openapi import ContractBroken, OpenApi

DOCUMENT = OpenApi.load()
EXAMPLES = Path(__file__).parents[1] / "data" / "checkbox" / "examples"
SELL = "/api/v1/receipts/sell"
LINE = {"good": {"code": "A", "name": "A", "price": 1}, "quantity": 1000}
BEARER = {"Authorization": "Bearer x"}


def test_a_valid_request_is_told_its_operation() -> None:
    """Paths without parameters go before those with them."""
    body = {"goods": [LINE], "payments": [{"type": "CASHLESS", "value": 1}]}
    assert DOCUMENT.check_request("POST", SELL, headers=BEARER, body=body) == f"POST {SELL}"
    assert DOCUMENT.operation("GET", "/api/v1/receipts/search") == "GET /api/v1/receipts/search"
    assert DOCUMENT.operation("GET", "/api/v1/receipts/x") == "GET /api/v1/receipts/{receipt_id}"


@pytest.mark.parametrize(
    ("headers", "body", "words"),
    [
        (BEARER, {"goods": []}, r"\$\.goods"),
        (BEARER, {"goods": [{**LINE, "quantity": 1.5}]}, "quantity"),
        (BEARER, {"goods": [LINE], "id": "1"}, "uuid"),
        (BEARER, {"goods": [LINE], "total": 1}, "total"),
        (BEARER, {"goods": [{**LINE, "sum": 1}]}, "sum"),
        ({}, {"goods": [LINE]}, "no bearer"),
    ],
)
def test_a_wrong_request_is_refused(headers: dict[str, str], body: Any, words: str) -> None:
    """A wrong value, a member that the document does not know, a missing header."""
    with pytest.raises(ContractBroken, match=words):
        DOCUMENT.check_request("POST", SELL, headers=headers, body=body)


@pytest.mark.parametrize(
    ("method", "path", "query", "words"),
    [
        ("POST", SELL, "", "no body"),
        ("GET", "/api/v1/receipts/search", "limit=101", "101"),
        ("GET", "/api/v1/receipts/search", "self_receipts=maybe", "maybe"),
        ("GET", "/api/v1/receipts/search", "colour=red", "colour"),
        ("POST", "/api/v1/receipts/return", "", "has no POST"),
    ],
)
def test_a_wrong_call_is_refused(method: str, path: str, query: str, words: str) -> None:
    """No body where one is due, a wrong or unknown query parameter, an unknown path."""
    with pytest.raises(ContractBroken, match=words):
        DOCUMENT.check_request(method, path, query=query)


def test_a_licence_key_is_required_where_the_document_says_so() -> None:
    """Opening a shift needs one, selling does not."""
    with pytest.raises(ContractBroken, match="X-License-Key"):
        DOCUMENT.check_request("POST", "/api/v1/shifts", headers=BEARER, body={})
    DOCUMENT.check_request("POST", "/api/v1/shifts", headers={**BEARER, "x-license-key": "k"}, body={})


def test_a_captured_answer_is_valid_and_a_spoilt_one_is_not() -> None:
    """The fullest capture of a receipt passes; without its lines, or with a wrong status, it does not."""
    example = json.loads((EXAMPLES / "receipt_offline_done_full.json").read_text(encoding="utf-8"))
    path, body = example["request"]["path"], example["response"]["body"]
    DOCUMENT.check_response("GET", path, 200, body)
    with pytest.raises(ContractBroken, match="goods"):
        DOCUMENT.check_response("GET", path, 200, {k: v for k, v in body.items() if k != "goods"})
    with pytest.raises(ContractBroken, match="FINISHED"):
        DOCUMENT.check_response("GET", path, 200, {**body, "status": "FINISHED"})


def test_an_answer_of_another_kind_is_refused() -> None:
    """An unknown status, a page where JSON is due, a body where none is."""
    with pytest.raises(ContractBroken, match="503"):
        DOCUMENT.check_response("POST", SELL, 503, {})
    with pytest.raises(ContractBroken, match="text/html"):
        DOCUMENT.check_response("POST", SELL, 201, {}, "text/html")
    with pytest.raises(ContractBroken, match="null"):
        DOCUMENT.check_response("POST", "/api/v1/cashier/signout", 205, {})
    DOCUMENT.check_response("POST", "/api/v1/cashier/signout", 205, None)
