"""Pictures of the dashboards: a real run of some minutes fills a real Prometheus, a browser draws it.

``python k8s/dashboards/preview/run.py FOLDER`` from the root of a checkout; `make dashboards` calls it.
"""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import pika

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[2]
sys.path.insert(0, str(ROOT))

from tests.telemetry.prometheus import Prometheus  # noqa: E402
from worker.demo.rabbitmq import PrivateRabbitMQ  # noqa: E402
from worker.demo.sandbox_process import SandboxProcess  # noqa: E402
from worker.demo.worker_process import WorkerProcess  # noqa: E402
from worker.rabbit.topology import EVENTS_QUEUE, ORDERS_EXCHANGE  # noqa: E402

EXAMPLES = ROOT / "docs" / "examples"
MINUTES = float(os.environ.get("MINUTES", "5"))
#: Orders a second.
PACE = 2.5
BAD = (
    "INVALID_MESSAGE.no_lines",
    "TAX_RATE_NOT_MAPPED.14_percent",
    "TOTALS_MISMATCH.payments_short",
    "TOTALS_MISMATCH.total",
    "UNKNOWN_CASHIER.typo",
)


class Traffic:
    """Bimp: publishes orders, listens to events."""

    def __init__(self, url: str, sandbox: SandboxProcess) -> None:
        self._url = url
        self._sandbox = sandbox
        self._random = random.Random(7)  # noqa: S311 - the same orders each time
        self._bad = [EXAMPLES / "invalid" / f"{name}.json" for name in BAD]
        self._connection = pika.BlockingConnection(pika.URLParameters(url))
        self._channel = self._connection.channel()
        self._channel.basic_consume(EVENTS_QUEUE, lambda *_: None, auto_ack=True)

    def run(self, seconds: float) -> None:
        """Trouble comes at fixed shares of the time, so that each panel has something to show."""
        began = time.monotonic()
        plan: list[tuple[float, Callable[[], Any]]] = [
            (0.25, lambda: self._sandbox.fault("html_503", probability=0.7, count=60)),
            (0.4, self._sandbox.clear_faults),
            (0.5, lambda: self._sandbox.fault("error_receipt", count=6)),
            (0.6, lambda: self._sandbox.fault("drop_after_commit", count=5, endpoint="POST /receipts/sell")),
            (0.75, self._replay),
        ]
        while (share := (time.monotonic() - began) / seconds) < 1:
            while plan and plan[0][0] <= share:
                plan.pop(0)[1]()
            self._publish(self._order() if self._random.random() > 0.06 else self._bad_order())
            self._connection.sleep(self._random.expovariate(PACE * (0.4 + share)))

    def _order(self) -> bytes:
        message = json.loads((EXAMPLES / "valid" / "one_line_card.json").read_text())
        order = str(uuid4())
        message.update(id=str(uuid4()), subject=order, time=datetime.now(UTC).isoformat())
        message["data"].update(cashier=self._random.choice(("olena", "petro")))
        message["data"]["order"]["uuid"] = order
        if self._random.random() < 0.05:
            message["data"]["buyer"] = {"email": "not an address"}
        return json.dumps(message).encode()

    def _bad_order(self) -> bytes:
        message = json.loads(self._random.choice(self._bad).read_text())
        return json.dumps({**message, "time": datetime.now(UTC).isoformat()}).encode()

    def _publish(self, body: bytes) -> None:
        properties = pika.BasicProperties(delivery_mode=2, content_type="application/cloudevents+json")
        self._channel.basic_publish(ORDERS_EXCHANGE, "order.ready_to_fiscalize.shop.x", body, properties)

    def _replay(self) -> None:
        command = [
            sys.executable,
            "-m",
            "worker",
            "dead-letters",
            "replay",
            "--code",
            "RECEIPT_REJECTED",
            "--yes",
        ]
        subprocess.run(
            command, env={**os.environ, "FISCAL_RABBITMQ_URL": self._url}, check=True, capture_output=True
        )


def main(pictures: Path) -> None:
    """Run, look, take the pictures."""
    pictures.mkdir(parents=True, exist_ok=True)
    integrations = EXAMPLES / "integrations.yaml"
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="fiscal-preview-")))
        url = stack.enter_context(PrivateRabbitMQ()).url
        sandbox = stack.enter_context(SandboxProcess(integrations=integrations, options={"done_after": 1.5}))
        environment = {
            "FISCAL_RABBITMQ_URL": url,
            "FISCAL_CHECKBOX_URL": sandbox.url,
            "FISCAL_INTEGRATIONS_FILE": str(integrations),
        }
        workers = [WorkerProcess(environment, folder / f"{number}.log") for number in (1, 2)]
        for worker in workers:
            stack.enter_context(worker)
        targets = {f"fiscal-worker-{number}": worker.port for number, worker in enumerate(workers)}
        prometheus = stack.enter_context(
            Prometheus(targets, ROOT / "k8s" / "alerts" / "fiscal-worker.rules.yaml")
        )
        began = time.time()
        Traffic(url, sandbox).run(MINUTES * 60)
        subprocess.run(
            ["node", "shoot.mjs", str(pictures.resolve()), str(began), str(time.time())],
            cwd=HERE,
            env={**os.environ, "PROMETHEUS": prometheus.url},
            check=True,
        )


if __name__ == "__main__":
    main(Path(sys.argv[1]))
