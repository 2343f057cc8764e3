"""No secret and nothing of a buyer reaches a log, a header, an event or a metric."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from tests.system.shop import CONTRACT, Shop
from worker.demo.sandbox_process import SandboxProcess

PHONE = "+380671112233"
EMAIL = "marked.buyer@marked-mail.example"
PASSWORD = "marked-password-5531"
WRONG = "marked-wrong-password-8842"
PIN = "77310942"
LICENSE = "test-marked-license-66"
CHECK_TOKEN = "marked-archive-token-19"
CARD = {
    "mask": "535544******9981",
    "rrn": "774411220099",
    "authCode": "Z9Q7X1",
    "bankName": "Bank",
    "terminal": "T77",
}
MARKED = (
    PHONE, PHONE.removeprefix("+"), EMAIL, PASSWORD, WRONG, PIN, LICENSE, CHECK_TOKEN,
    CARD["mask"], CARD["rrn"], CARD["authCode"],
)  # fmt: skip
CONFIGURATION = f"""
integrations:
  - id: shop-main
    shifts: manual
    cashiers:
      - {{id: olena, login: olena, password: {PASSWORD}}}
      - {{id: petro, login: petro, password: {WRONG}}}
      - {{id: pinned, pin_code: "{PIN}", license_key: {LICENSE}}}
    tax_rates: [{{rate: 20, code: 1}}]
"""
WORDS = f"Клієнт {EMAIL}, телефон {PHONE}, картка {CARD['mask']}, RRN {CARD['rrn']}, код {CARD['authCode']}"


@pytest.fixture
def integrations(tmp_path: Path) -> Path:
    path = tmp_path / "integrations.yaml"
    path.write_text(CONFIGURATION)
    return path


def _message(cashier: str = "olena", **changes: Any) -> bytes:
    message = json.loads((CONTRACT / "valid" / "one_line_card.json").read_text())
    order = str(uuid4())
    message.update(id=str(uuid4()), subject=order)
    message["data"].update(cashier=cashier, buyer={"email": EMAIL, "phone": PHONE})
    message["data"]["order"]["uuid"] = order
    message["data"]["payments"][0]["card"] = CARD
    message["data"].update(changes)
    return json.dumps(message, ensure_ascii=False).encode()


def _without(message: bytes, *path: str | int) -> bytes:
    value = json.loads(message)
    place = value
    for step in path[:-1]:
        place = place[step]
    del place[path[-1]]
    return json.dumps(value, ensure_ascii=False).encode()


def test_marked_values_are_found_nowhere(
    shop: Callable[..., Shop], shop_sandbox: SandboxProcess, integrations: Path
) -> None:
    """Through success, refusals that repeat them, faults, bad messages and refused credentials, at DEBUG."""
    shop_sandbox.put_cashier("olena", password=PASSWORD)
    shop_sandbox.put_cashier("pinned", pin_code=PIN, license_key=LICENSE)
    shop_sandbox.open_shift("pinned")
    running = shop(
        FISCAL_INTEGRATIONS_FILE=str(integrations),
        FISCAL_LOG_LEVEL="DEBUG",
        FISCAL_RETRY_MAX_AGE="PT2S",
        FISCAL_ARCHIVE_CHECK_TOKEN=CHECK_TOKEN,
    )
    bodies = [
        _message(),
        _message("pinned"),
        _message("petro"),
        _message(integration="nowhere"),
        _without(_message(), "data", "order", "total"),
        _message(payments=[{"form": "CASHLESS", "amount": "1.00", "card": CARD}]),
        _message(buyer={"email": [EMAIL], "phone": {"number": PHONE}}),
        _message(payments=[{"form": PHONE, "amount": EMAIL, "card": CARD["rrn"]}]),
        b'{"id": "' + EMAIL.encode() + b'", "data": ' + b"[" * 50,
    ]
    for body in bodies:
        running.publish(body, headers={"buyer": PHONE, "x-fiscal-detail": EMAIL}, user_id="guest")
    running.until(lambda: len(running.events) >= 8 and len(running.letters) >= 6)

    shop_sandbox.fault("error_receipt", count=1, words=WORDS)
    for kind in ("html_503", "truncated_json", "drop_before_commit", "drop_after_commit", "token_revoked"):
        shop_sandbox.fault(kind, count=1, endpoint="POST /receipts/sell")
    faulty = [_message() for _ in range(5)]
    for body in faulty:
        running.publish(body)
    for body in faulty:
        running.outcome(json.loads(body)["id"])
    code = running.worker.terminate()
    running.look()

    assert code == 0
    said = {
        "logs": running.worker.log.read_text(),
        "events": json.dumps(running.events, ensure_ascii=False),
        "headers": repr([headers for headers, _ in running.letters]),
    }
    assert "RECEIPT_REJECTED" in said["events"]
    assert "Клієнт" in said["events"]
    _assert_unmarked(said)


def _assert_unmarked(said: Mapping[str, str]) -> None:
    found = [(where, value) for where, text in said.items() for value in MARKED if value in text]
    assert not found


def test_metrics_and_every_line_of_the_log_are_clean(shop: Callable[..., Shop]) -> None:
    """Nothing but JSON lines on stdout, the libraries' own included, and no buyer in the metrics."""
    running = shop(FISCAL_LOG_LEVEL="DEBUG")
    body = _message()
    running.publish(body)
    running.outcome(json.loads(body)["id"])
    page = running.worker.page("/metrics")[1]
    running.worker.terminate()
    lines = running.worker.log.read_text().splitlines()
    assert all(isinstance(json.loads(line), dict) for line in lines)
    _assert_unmarked({"metrics": page, "logs": "\n".join(lines)})
