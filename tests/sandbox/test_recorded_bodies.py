"""Every body that was recorded at Checkbox is one that the sandbox could give: members, types and nulls.

Refusals are held against it word by word in ``test_captured_errors``; here are the answers that succeed.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.sandbox.driver import DOCUMENT, Checkbox, line, sale
from tests.sandbox.test_contract import drive
from worker.sandbox.clock import iso

EXAMPLES = Path(__file__).parents[1] / "data" / "checkbox" / "examples"
#: Where the bodies of 2020 differ from those of today, and what their collector has edited by hand.
EXPLAINED = {
    "receipt_get_2020_done_full.json": {
        "$.pre_payment_relation_id",
        "$.shift.balance.updated_at",
        "$.shift.closing_transaction.response_error_message",
        "$.shift.initial_transaction",
        "$.shift.z_report.updated_at",
    },
    "receipt_sell_2020_auto_offline_full.json": {
        "$.payments[].code",
        "$.payments[].value",
        "$.pre_payment_relation_id",
        "$.shift.balance.updated_at",
        "$.shift.initial_transaction",
    },
    "shift_closing_2020_full.json": {
        "$.closed_at",
        "$.initial_transaction.request_received_at",
        "$.initial_transaction.response_error_message",
        "$.initial_transaction.response_status",
    },
    "shift_opened_2020_full.json": {
        "$.balance.updated_at",
        "$.initial_transaction.request_received_at",
        "$.initial_transaction.response_error_message",
        "$.initial_transaction.response_status",
    },
    "tax_list_2020_vat_dev.json": {"$[].updated_at"},
}


def _recorded() -> Iterator[tuple[str, str, int]]:
    for file in sorted(EXAMPLES.glob("*.json")):
        example = json.loads(file.read_text("utf-8"))
        request, response = example.get("request", {}), example.get("response", {})
        if "body" in response and request.get("path", "").startswith("/api/") and response["status"] < 300:
            yield file.name, DOCUMENT.operation(request["method"], request["path"]), response["status"]


@pytest.fixture(scope="module")
def given() -> dict[tuple[str, int], list[Any]]:
    """What the sandbox has answered, by operation and status, in all the situations of the records."""
    found: dict[tuple[str, int], list[Any]] = {}
    for fault in (None, "offline", "error_receipt"):
        checkbox = Checkbox()
        if fault is None:
            drive(checkbox)
        else:
            checkbox.fault(f"{fault},cashier=c0002")
        _situations(checkbox)
        for key, bodies in checkbox.answers.items():
            found.setdefault(key, []).extend(bodies)
    for key, body in _old_names():
        found[key].append(body)
    return found


def _old_names() -> Iterator[tuple[tuple[str, int], Any]]:
    """Receipts as they were in 2020; the document has today's names alone."""
    checkbox = Checkbox()
    checkbox.fault("old_names")
    token, body = checkbox.sign_in(), sale()
    made = checkbox.call("POST", "/receipts/sell", body, token=token, checked=False)
    yield ("POST /api/v1/receipts/sell", 201), made.body
    checkbox.time += 10
    found = checkbox.call("GET", f"/receipts/{body['id']}", token=token, checked=False)
    yield ("GET /api/v1/receipts/{receipt_id}", 200), found.body


def _situations(checkbox: Checkbox) -> None:
    """Before, during and after a shift and a receipt; a key with an end, and all settings."""
    token = checkbox.sign_in("c0002")
    both = {"token": token, "license_key": "test-c0002"}
    ends_at = iso(checkbox.time + 10**6)
    checkbox.control("POST", "/cashiers", {"login": "c0002", "certificate_end": ends_at, "blocked": "x"})
    taxes = [
        {"code": 1, "label": "ПДВ", "symbol": "А", "rate": 20, "extra_rate": 5},
        {"code": 8, "label": "Без ПДВ", "symbol": "З", "rate": 0, "no_vat": True},
    ]
    settings = {"auto_close_shift_at": "23:30:05", "subscription_end": "2027-01-01", "taxes": taxes}
    checkbox.control("POST", "/organizations", {"cashier": "c0002", **settings})
    checkbox.get("/cashier/me", token)
    checkbox.get("/tax", license_key="test-c0002")
    checkbox.post("/shifts/close", {}, token)
    checkbox.get("/cashier/shift", token)
    checkbox.time += 100
    checkbox.get("/cashier/shift", token)
    checkbox.post("/shifts", {}, **both)
    checkbox.time += 100
    checkbox.post("/reports", token=token)
    texts = {"header": "", "footer": "", "barcode": ""}
    good = {**texts, "tax": [8, 1]}
    sold = checkbox.sell(token, sale(line(good=good), **texts, context={"a": 1})).body
    for _ in range(5):
        checkbox.time += 0.5
        checkbox.get(f"/receipts/{sold['id']}", token)
        checkbox.get("/cashier/shift", token)
        checkbox.get(f"/transactions/{sold['transaction_id']}", token)
    checkbox.post(f"/receipts/{sold['id']}/email", ["a@example.com"], token)
    closed = checkbox.post("/shifts/close", {}, token).body
    checkbox.time += 100
    checkbox.get(f"/shifts/short/{closed['id']}", token)
    checkbox.get(f"/receipts/{sold['id']}", token)


@pytest.mark.parametrize(("name", "operation", "status"), list(_recorded()))
def test_the_sandbox_could_have_given_it(
    name: str, operation: str, status: int, given: dict[tuple[str, int], list[Any]]
) -> None:
    """Each recorded member is one of the sandbox's, with one of its types."""
    body = json.loads((EXAMPLES / name).read_text("utf-8"))["response"]["body"]
    problems = set(_missing("$", body, given[operation, status]))
    assert problems == EXPLAINED.get(name, set())


def _missing(place: str, recorded: Any, answers: Iterable[Any]) -> Iterator[str]:
    """Where the record has what none of the answers has."""
    alike = [answer for answer in answers if _kind(answer) == _kind(recorded)]
    if not alike:
        yield place
    elif isinstance(recorded, dict):
        for name, value in recorded.items():
            yield from _missing(f"{place}.{name}", value, [item[name] for item in alike if name in item])
    elif isinstance(recorded, list):
        items = [item for answer in alike for item in answer]
        for value in recorded:
            yield from _missing(f"{place}[]", value, items)


def _kind(value: Any) -> str:
    """A float without a fraction is as good as an integer: JSON has numbers alone."""
    if isinstance(value, float) and value.is_integer():
        return "int"
    return type(value).__name__


def test_a_body_of_another_shape_is_noticed() -> None:
    """A member that the sandbox lacks, another type, a null where it gives none."""
    answers = [{"a": 1, "b": [{"c": "x"}], "d": None}]
    assert list(_missing("$", {"a": 1.0, "b": [{"c": "y"}], "d": None}, answers)) == []
    wrong = {"a": None, "b": [{"c": 1}], "d": 1, "e": 1}
    assert list(_missing("$", wrong, answers)) == ["$.a", "$.b[].c", "$.d", "$.e"]
