"""A wrong code in the integration's table is found before a receipt has a wrong tax."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from tests.system.counter import SELL, counter, write
from worker.demo.vhost import VirtualHost

TAX = "GET /cashier/tax"
#: The code of 7 % is mapped to 20 %, and there is one for 20 %.
TAXES = [
    {"code": 1, "label": "ПДВ Б", "symbol": "Б", "rate": 7},
    {"code": 5, "label": "ПДВ А", "symbol": "А", "rate": 20},
]


def test_a_code_of_another_percent_sells_nothing_until_it_is_mended(
    vhost: VirtualHost, tmp_path: Path
) -> None:
    """The verdict names the right code, and a mended file sells what waits in the dead letters.

    What has a receipt already is answered with it, and an outage of the tax table stops no sale.
    """
    integrations = write(tmp_path / "integrations.yaml")
    with counter(vhost, integrations, FISCAL_PROCESSES="1") as shop:
        shop.sandbox.set_organization("olena", taxes=TAXES)
        event = shop.outcome(shop.order("wrong"))
        assert event["data"]["code"] == "TAX_RATE_MISMATCH"
        assert (event["data"]["receiptMade"], event["data"]["deadLettered"]) == (False, True)
        assert event["data"]["detail"] == {
            "rate": "20",
            "code": 1,
            "checkboxRate": "7",
            "fittingCode": 5,
            "goods": ["00017"],
        }
        assert "код 1 у Checkbox має 7 %, потрібен код 5" in event["data"]["message"]["uk"]
        assert shop.sandbox.requests(SELL) == 0

        _map(integrations, {"rate": 20, "code": 5})
        shop.until(lambda: len(shop.letters) == 1 and _is_read(shop.worker.lines(), times=2))
        shop.replay()
        assert shop.code("wrong") == "succeeded"

        _map(integrations, {"rate": 20, "code": 1})
        shop.until(lambda: _is_read(shop.worker.lines(), times=3))
        shop.order("again", subject=event["subject"], data__order__uuid=event["subject"])
        assert shop.outcome("again")["data"]["alreadyFiscalized"] is True
        shop.sandbox.fault("error_500", endpoint=TAX, cashier="petro")
        assert shop.code(shop.order("unread", "petro")) == "succeeded"
        assert shop.sandbox.requests(SELL) == 2


def _map(integrations: Path, rate: dict[str, Any]) -> None:
    document = yaml.safe_load(integrations.read_text())
    document["integrations"][0]["tax_rates"] = [rate]
    integrations.write_text(yaml.safe_dump(document))


def _is_read(lines: list[dict[str, Any]], times: int) -> bool:
    return sum(line["event"] == "integrations_file_read" for line in lines) >= times
