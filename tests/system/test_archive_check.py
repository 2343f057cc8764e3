"""Bimp is asked right before the sale whether the order is archived."""

from __future__ import annotations

from pathlib import Path

from tests.checkbox.scripted_server import ScriptedServer, answer
from tests.system.counter import counter, words, write
from worker.demo.vhost import VirtualHost

TOKEN = "token-of-bimp-4711"


def test_nothing_is_sold_against_bimps_word_or_without_it(vhost: VirtualHost, tmp_path: Path) -> None:
    """Archived and unknown orders are not sold; silence is waited for, and then told as Bimp's."""
    with (
        ScriptedServer(
            answer(200, {"archived": False}),
            answer(200, {"archived": True}),
            answer(404),
            answer(503, TOKEN),
        ) as bimp,
        counter(
            vhost,
            write(tmp_path / "integrations.yaml"),
            FISCAL_ARCHIVE_CHECK_URL=f"{bimp.url}/orders/{{orderUuid}}",
            FISCAL_ARCHIVE_CHECK_TOKEN=TOKEN,
            FISCAL_RETRY_MAX_AGE="PT1S",
        ) as shop,
    ):
        assert shop.code(shop.order("sold")) == "succeeded"
        assert shop.code(shop.order("archived")) == "ORDER_ARCHIVED"
        assert shop.code(shop.order("gone")) == "ORDER_ARCHIVED"
        event = shop.outcome(shop.order("silence"))
        assert event["data"]["code"] == "CHECKBOX_UNAVAILABLE"
        assert event["data"]["detail"]["service"] == "archive_check"
        assert all("Bimp" in sentence for sentence in event["data"]["message"].values())
        assert len(shop.sandbox.ledger()) == 1
        assert {request.headers["authorization"] for request in bimp.received} == {f"Bearer {TOKEN}"}
        assert len(bimp.received) > 4
        assert TOKEN not in words(shop)
        assert "/orders/" not in shop.worker.page("/metrics")[1]
