"""Every example of the contract through the running worker."""

from __future__ import annotations

import json
from collections.abc import Callable

from jsonschema import Draft202012Validator, FormatChecker

from tests.system.shop import CONTRACT, Shop

SCHEMAS = CONTRACT.parent / "schemas"


def _request_id(body: bytes) -> str | None:
    try:
        message = json.loads(body)
    except (ValueError, RecursionError):
        return None
    return message.get("id") if isinstance(message, dict) else None


def test_every_example_ends_as_the_contract_says(shop: Callable[..., Shop]) -> None:
    """A valid one gives its succeeded event, an invalid one its code, and its dead letter byte for byte."""
    running = shop(FISCAL_RETURN_WAIT="PT5S")
    valid = {path: path.read_bytes() for path in sorted((CONTRACT / "valid").glob("*.json"))}
    invalid = {path: path.read_bytes() for path in sorted((CONTRACT / "invalid").glob("*.json"))}
    for body in (*valid.values(), *invalid.values()):
        running.publish(body)
    told = [told for body in (*valid.values(), *invalid.values()) if (told := _request_id(body)) is not None]
    not_dead = ("ORDER_ARCHIVED", "CURRENCY_NOT_SUPPORTED")
    dead = [body for path, body in invalid.items() if not path.name.startswith(not_dead)]
    running.until(
        lambda: (
            {event["data"]["requestId"] for event in running.events} >= set(told)
            and len(running.letters) >= len(dead)
        ),
        timeout=40,
    )

    for path, body in valid.items():
        event = running.outcome(str(_request_id(body)))
        assert event["routing_key"] == "fiscalization.succeeded", (path.name, event)
        assert event["data"]["receipt"]["fiscalCode"], path.name
        assert event["data"]["receipt"]["total"] == f"{float(json.loads(body)['data']['order']['total']):.2f}"
    for path, body in invalid.items():
        code = path.name.split(".")[0]
        if (request_id := _request_id(body)) is not None:
            event = running.outcome(request_id)
            assert event["data"]["code"] == code, (path.name, event)
            assert event["data"]["deadLettered"] is not (code in not_dead)
    assert sorted(body for _, body in running.letters) == sorted(dead)
    assert len(running.sandbox.ledger()) == len(valid)
    _assert_published_schemas_hold(running)


def _assert_published_schemas_hold(running: Shop) -> None:
    for event in running.events:
        outcome = event["routing_key"].removeprefix("fiscalization.")
        schema = json.loads((SCHEMAS / f"fiscalization_{outcome}.json").read_text())
        told = {name: value for name, value in event.items() if name != "routing_key"}
        Draft202012Validator(schema, format_checker=FormatChecker()).validate(told)


def test_what_comes_of_a_message_is_seen_in_the_metrics(shop: Callable[..., Shop]) -> None:
    """Counters of outcomes and money; an unknown integration gets no label of its own."""
    running = shop()
    for name in ("valid/one_line_card", "invalid/TOTALS_MISMATCH.total", "invalid/UNKNOWN_INTEGRATION.typo"):
        running.publish((CONTRACT / f"{name}.json").read_bytes())
    running.until(lambda: len(running.events) == 3)
    page = running.worker.page("/metrics")[1]
    for code, integration, outcome in (
        ("", "shop-main", "succeeded"),
        ("TOTALS_MISMATCH", "shop-main", "failed"),
        ("UNKNOWN_INTEGRATION", "unknown", "failed"),
    ):
        labels = f'code="{code}",integration="{integration}",outcome="{outcome}"'
        assert f"fiscal_requests_total{{{labels}}} 1.0" in page
    assert 'fiscal_receipts_amount_kopecks_total{integration="shop-main",operation="SELL"} 27000.0' in page
    assert 'fiscal_dead_letters_total{code="TOTALS_MISMATCH"} 1.0' in page
    assert 'fiscal_signins_total{result="ok"}' in page
