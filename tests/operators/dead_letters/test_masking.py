"""What a dead letter says of people is not shown, under whatever name a broken message has it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from worker.operators.dead_letters.masking import message_json
from worker.rabbit.dead_letter import DeadLetter
from worker.rabbit.delivery import Delivery

_ORDER = "79052a2b-6f0e-4d5c-8a11-380501234567"


def shown(message: dict[str, Any], *, reveal: bool = False) -> Any:
    letter = DeadLetter(
        Delivery("fiscalize.dead_letters", json.dumps(message, ensure_ascii=False).encode()), {}
    )
    return json.loads(message_json(letter, reveal=reveal, indent=False))


@pytest.mark.parametrize(
    ("member", "private"),
    [
        ({"byuer": {"tel": "+380501234567"}}, "0501234567"),
        ({"byuer": {"mail": "ivan@example.com"}}, "ivan@example.com"),
        ({"customerPhone": 380501234567}, "0501234567"),
        ({"comment": "call 050 123-45-67 first"}, "050 123-45-67"),
        ({"cardMask": "424242******4242"}, "4242"),
        ({"ivan@example.com": True}, "ivan@example.com"),
        ({"Buyer": {"phone": ["050"]}}, "050"),
        ({"order": {"products": [{"name": "for ivan@example.com"}]}}, "ivan@example.com"),
        ({"docNumber": {"of": "ivan@example.com"}}, "ivan@example.com"),
    ],
)
def test_people_are_hidden_under_any_name(member: dict[str, Any], private: str) -> None:
    assert private not in json.dumps(shown({"data": member}), ensure_ascii=False)
    assert shown({"data": member}, reveal=True) == {"data": member}


def test_figures_and_identities_are_shown() -> None:
    order = {
        "uuid": _ORDER,
        "docNumber": "ЗП-0501234567",
        "total": 12345678.25,
        "products": [{"barcode": "4820000000000", "excise": None, "count": "1234567.125", "isNew": True}],
    }
    message = {"id": _ORDER, "data": {"order": order, "note": "short", "number": 123}}
    assert shown(message) == message
