"""Two workers check their integrations: what is wrong is told once, at once, and without a secret."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pika
import yaml

from tests.system.counter import counter
from worker.demo.vhost import VirtualHost
from worker.demo.worker_process import WorkerProcess

SECRETS = ("olena-secret", "petro-secret", "wrong-secret", "ivan-secret", "test-olena", "test-petro")
ORGANIZATION = "GET /organization/billing-status"
#: Of Checkbox: the code of 7 % is mapped to 20 %.
TAXES = [
    {"code": 1, "label": "ПДВ Б", "symbol": "Б", "rate": 7},
    {"code": 5, "label": "ПДВ А", "symbol": "А", "rate": 20},
]


def shop(name: str, cashier: str, **changes: Any) -> dict[str, Any]:
    row = {"id": cashier, "name": cashier, "login": cashier, "password": f"{cashier}-secret"}
    return {
        "id": name,
        "name": name,
        "environment": "test",
        "shifts": "manual",
        "cashiers": [{**row, "license_key": f"test-{cashier}"}],
        "tax_rates": [{"rate": 20, "code": 1}],
        **changes,
    }


class Notices:
    """A queue of a listener's own."""

    def __init__(self, url: str) -> None:
        self._connection = pika.BlockingConnection(pika.URLParameters(url))
        self._channel = self._connection.channel()
        self._queue = self._channel.queue_declare("", exclusive=True).method.queue
        self._channel.queue_bind(self._queue, "bimp.fiscal", "integration.checked")
        self.heard: list[dict[str, Any]] = []

    def of(self, name: str) -> list[dict[str, Any]]:
        """Those of an integration, so far."""
        while (got := self._channel.basic_get(self._queue, auto_ack=True))[0] is not None:
            self.heard.append(json.loads(got[2]))
        return [one for one in self.heard if one["data"]["integration"] == name]

    def close(self) -> None:
        self._connection.close()


def test_three_tenants_are_told_what_is_wrong_with_each(
    vhost: VirtualHost, tmp_path: Path, eventually: Callable[..., Any]
) -> None:
    """One with a wrong code, one with a missing secret, one sound: one notice each, by one of two workers.
    A fourth has the register of another organization.

    A change is checked at once. Each cashier has one token of each process; no secret is written anywhere.
    """
    path = tmp_path / "integrations.yaml"
    wrong, unsound, sound = shop("wrong-code", "olena"), shop("no-secret", "petro"), shop("sound", "ivan")
    mixed = shop("mixed", "maria")
    path.write_text(yaml.safe_dump({"integrations": [wrong, unsound, sound, mixed]}))
    with ExitStack() as stack:
        first = stack.enter_context(counter(vhost, path, FISCAL_PROCESSES="1", FISCAL_LOG_LEVEL="DEBUG"))
        first.sandbox.set_organization("olena", taxes=TAXES)
        notices = Notices(vhost.url)
        stack.callback(notices.close)
        settings = {name: value for name, value in first.environment.items() if name != "FISCAL_METRICS_PORT"}
        second = WorkerProcess(settings, tmp_path / "second.log")
        stack.callback(second.kill)
        second.start()
        unsound["cashiers"][0]["password"] = "env:PETRO_PASSWORD"
        wrong["name"] = sound["name"] = "changed"
        mixed["cashiers"][0]["license_key"] = "test-ivan"
        path.write_text(yaml.safe_dump({"integrations": [wrong, unsound, sound, mixed]}))

        (told,) = eventually(lambda: notices.of("wrong-code"))
        assert told["type"] == "ua.bimp.integration.checked.v1"
        assert told["data"]["ok"] is False
        found = {one["code"]: one for one in told["data"]["findings"]}
        assert found["TAX_RATE_MISMATCH"]["path"] == "/tax_rates/0/code"
        assert found["TAX_RATE_MISMATCH"]["message"]["en"].endswith("Its code for 20 % is 5")
        assert found["TAX_RATE_WITHOUT_ROW"]["severity"] == "warning"
        assert [tax["code"] for tax in told["data"]["taxes"]] == [1, 5]
        assert told["data"]["cashiers"][0]["register"]["isTest"] is True
        (told,) = eventually(lambda: notices.of("no-secret"))
        assert [one["code"] for one in told["data"]["findings"]] == ["CONFIGURATION_INVALID"]
        assert told["data"]["findings"][0]["path"] == "/cashiers/0/password"
        assert told["data"]["cashiers"] == [
            {"id": "petro", "name": "petro", "register": None, "shiftOpenedAt": None}
        ]
        (told,) = eventually(lambda: notices.of("mixed"))
        found = {one["code"]: one["path"] for one in told["data"]["findings"] if one["severity"] == "error"}
        assert found == {"OTHER_ORGANIZATION": "/cashiers/0", "WRONG_REGISTER": "/cashiers/0"}
        (told,) = eventually(lambda: notices.of("sound"))
        assert (told["data"]["ok"], told["data"]["findings"]) == (True, [])
        pages = first.worker.page("/metrics")[1] + second.page("/metrics")[1]
        line = 'fiscal_integration_findings{integration="wrong-code",severity="error"} 1.0'
        assert pages.splitlines().count(line) == 1

        assert first.code(first.order("sold", "ivan", "sound")) == "succeeded"
        assert first.code(first.order("not sold", "olena", "wrong-code")) == "TAX_RATE_MISMATCH"

        wrong["tax_rates"][0]["code"] = 5
        wrong["cashiers"][0]["password"] = "wrong-secret"
        path.write_text(yaml.safe_dump({"integrations": [sound, wrong, mixed]}))
        _, told = eventually(
            lambda: len(notices.of("wrong-code")) == 2 and notices.of("wrong-code"), timeout=60
        )
        assert [one["code"] for one in told["data"]["findings"]] == [
            "SIGN_IN_REFUSED",
            "TAX_RATE_WITHOUT_ROW",
        ][:1]
        assert told["data"]["findings"][0]["path"] == "/cashiers/0/password"
        assert len(notices.of("sound")) == 1
        assert first.sandbox.counters()["sign_ins"]["ivan"] <= 2

        pages = first.worker.page("/metrics")[1] + second.page("/metrics")[1]
        assert 'integration="no-secret",severity' not in pages
        texts = [pages, first.worker.log.read_text(), second.log.read_text(), json.dumps(notices.heard)]
        assert [secret for secret in SECRETS for text in texts if secret in text] == []
