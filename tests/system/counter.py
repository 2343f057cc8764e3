"""A shop of a test's own: its integrations file, and orders for its cashiers."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pika
import yaml

from tests.builders import a_body
from tests.conftest import PATIENCE
from tests.system.shop import Shop
from worker.demo.sandbox_process import SandboxProcess
from worker.demo.vhost import VirtualHost
from worker.demo.worker_process import WorkerProcess
from worker.rabbit.headers import Header

SELL, SIGN_IN = "POST /receipts/sell", "POST /cashier/signin"
CASHIERS = ("olena", "petro", "ivan", "maria")
OPEN, CLOSE = "POST /shifts", "POST /shifts/close"


class Counter(Shop):
    """Orders are named by their request; each is another order."""

    def order(self, name: str, cashier: str = "olena", integration: str = "shop-main", **changes: Any) -> str:
        """Publish one; its name."""
        order = str(uuid4())
        told = {"id": name, "subject": order, "data__order__uuid": order, **changes}
        self.publish(a_body(data__cashier=cashier, data__integration=integration, **told))
        return name

    def code(self, name: str, timeout: float = PATIENCE) -> str:
        """The code of the order's failure; ``succeeded`` for success."""
        event = self.outcome(name, timeout)
        return str(event["data"].get("code", "succeeded"))

    def replay(self) -> int:
        """Every dead letter that was looked at goes back, as the command does it; how many."""
        letters, self.letters = self.letters, []
        self.events.clear()
        for headers, body in letters:
            told = {
                Header.REPLAYS: headers.get(Header.REPLAYS, 0) + 1,
                Header.REPLAYED_CODE: headers[Header.CODE],
            }
            self._channel.basic_publish(
                "", "fiscalize", body, pika.BasicProperties(delivery_mode=2, headers=told), mandatory=True
            )
        return len(letters)

    def accepted(self, endpoint: str) -> int:
        """Requests to Checkbox that had their effect."""
        counts = self.sandbox.counters()["requests"].get(endpoint, {})
        return sum(count for status, count in counts.items() if status.startswith("2"))

    def metric(self, line: str) -> bool:
        """Whether the metrics page has this line."""
        return line in self.worker.page("/metrics")[1].splitlines()


def write(path: Path, **changes: Any) -> Path:
    """An integrations file with four cashiers; ``changes`` are those of the integration."""
    cashiers = [
        {"id": name, "login": name, "password": f"{name}-secret", "license_key": f"test-{name}"}
        for name in CASHIERS
    ]
    rates = [{"rate": 20, "code": 1}]
    shop = {"id": "shop-main", "shifts": "manual", "cashiers": cashiers, "tax_rates": rates, **changes}
    path.write_text(yaml.safe_dump({"integrations": [shop]}))
    return path


@contextmanager
def counter(
    vhost: VirtualHost,
    integrations: Path,
    options: Mapping[str, Any] | None = None,
    wait: bool = True,
    **environment: str,
) -> Iterator[Counter]:
    """A worker at an empty broker and a sandbox that is quick; without ``wait`` it may not be ready."""
    pace = {"done_after": 0.3, "open_after": 0.3, "close_after": 0.3, **(options or {})}
    with SandboxProcess(integrations=integrations, options=pace) as sandbox:
        worker = WorkerProcess(
            {
                "FISCAL_RABBITMQ_URL": vhost.url,
                "FISCAL_CHECKBOX_URL": sandbox.url,
                "FISCAL_INTEGRATIONS_FILE": str(integrations),
                "FISCAL_RETRY_MIN_BACKOFF": "PT0.2S",
                "FISCAL_RETRY_MAX_BACKOFF": "PT1S",
                "FISCAL_REGISTER_RATE": "100",
                **environment,
            },
            integrations.with_suffix(".log"),
        )
        shop = Counter(vhost, sandbox, worker)
        try:
            worker.start(wait)
            yield shop
        finally:
            shop.close()


def ago(**time: float) -> str:
    """RFC 3339."""
    return (datetime.now(UTC) - timedelta(**time)).isoformat()


def words(shop: Shop) -> str:
    """All that the worker has said: its log, its metrics, its events and the letters' headers."""
    log = shop.worker.log.read_text()
    headers = [headers for headers, _ in shop.letters]
    return log + shop.worker.page("/metrics")[1] + json.dumps([shop.events, headers], default=str)
