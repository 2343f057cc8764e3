"""An integration that names its company is there for that company's messages alone."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.system.shop import CONTRACT, Shop

FOREIGN = 'fiscal_foreign_requests_total{integration="shop-main"}'


def _message(request_id: str, company: str, **data: Any) -> bytes:
    message = json.loads((CONTRACT / "valid" / "one_line_card.json").read_bytes())
    message |= {"id": request_id, "source": f"/companies/{company}"}
    message["data"] |= data
    return json.dumps(message).encode()


def test_another_companys_message_finds_no_integration(shop: Callable[..., Shop], tmp_path: Path) -> None:
    """As if it were not there, and counted once for each request, whatever else is wrong with it."""
    integrations = tmp_path / "integrations.yaml"
    text = (CONTRACT / "integrations.yaml").read_text()
    integrations.write_text(text.replace("environment: test", 'company: "000001398"', 1))
    running = shop(FISCAL_INTEGRATIONS_FILE=str(integrations), FISCAL_PROCESSES="1")

    running.publish(_message("foreign", "1398"))
    running.publish(_message("foreign-and-unknown", "1398", cashier="nobody"))
    running.publish(_message("foreign-and-invalid", "1398", payments=[]))
    running.publish(_message("own-and-invalid", "000001398", payments=[]))
    refused = running.outcome("foreign")
    assert refused["data"]["code"] == "UNKNOWN_INTEGRATION"
    assert refused["data"]["detail"] == {"integration": "shop-main"}
    assert refused["data"]["deadLettered"] is True
    assert running.outcome("foreign-and-unknown")["data"]["code"] == "UNKNOWN_INTEGRATION"
    assert running.outcome("foreign-and-invalid")["data"]["code"] == "INVALID_MESSAGE"
    assert running.outcome("own-and-invalid")["data"]["code"] == "INVALID_MESSAGE"
    assert running.sandbox.ledger() == []

    running.publish(_message("own", "000001398"))
    assert running.outcome("own")["routing_key"] == "fiscalization.succeeded"
    page = running.worker.page("/metrics")[1]
    assert f"{FOREIGN} 3.0" in page
    label = 'code="UNKNOWN_INTEGRATION",integration="unknown",outcome="failed"'
    assert f"fiscal_requests_total{{{label}}} 2.0" in page
