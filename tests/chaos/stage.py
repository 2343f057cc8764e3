"""The parts of a run, all real: broker, sandbox, worker processes, and a proxy on each way between them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol, Self

import pika

from tests.chaos.bimp import Bimp, Letter
from tests.chaos.orders import CashierRow, write_integrations
from tests.fault_proxy import FaultProxy
from worker.demo.sandbox_process import SandboxProcess
from worker.demo.vhost import QueueDepth
from worker.demo.worker_process import WorkerProcess
from worker.rabbit.connection import parameters
from worker.rabbit.topology import DEAD_LETTERS, Topology

#: Fast enough for a run of a minute; the rest is as in production.
ENVIRONMENT = {
    "FISCAL_PROCESSES": "2",
    "FISCAL_RETRY_MIN_BACKOFF": "PT0.2S",
    "FISCAL_RETRY_MAX_BACKOFF": "PT2S",
}


class Broker(Protocol):
    """A node or a virtual host."""

    @property
    def url(self) -> str: ...

    def queues(self) -> dict[str, QueueDepth]: ...


@dataclass(slots=True)
class Stage:
    """Where a play takes place; a context manager. The worker is started by whoever plays."""

    broker: Broker
    rows: Sequence[CashierRow]
    folder: Path
    settings: Mapping[str, str] = field(default_factory=dict)
    options: Mapping[str, Any] = field(default_factory=dict)
    seed: int | None = None
    sandbox: SandboxProcess = field(init=False)
    bimp: Bimp = field(init=False)
    to_broker: FaultProxy = field(init=False)
    to_checkbox: FaultProxy = field(init=False)
    _stack: ExitStack = field(init=False, default_factory=ExitStack)

    @property
    def temporary(self) -> Path:
        """Where the worker makes its temporary folder."""
        return self.folder / "tmp"

    def __enter__(self) -> Self:
        self.temporary.mkdir()
        integrations = write_integrations(self.folder / "integrations.yaml", self.rows, prepayments=True)
        enter = self._stack.enter_context
        self.sandbox = enter(SandboxProcess(integrations=integrations, options=self.options, seed=self.seed))
        self.to_broker = enter(FaultProxy.before(self.broker.url))
        self.to_checkbox = enter(FaultProxy.before(self.sandbox.url))
        self.declare()
        self.bimp = enter(Bimp(self.broker.url))
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    @property
    def environment(self) -> dict[str, str]:
        """What a worker of this stage is started with."""
        return {
            **ENVIRONMENT,
            "FISCAL_RABBITMQ_URL": self.to_broker.through(self.broker.url),
            "FISCAL_CHECKBOX_URL": self.to_checkbox.through(self.sandbox.url),
            "FISCAL_INTEGRATIONS_FILE": str(self.folder / "integrations.yaml"),
            "TMPDIR": str(self.temporary),
            **self.settings,
        }

    def worker(self, name: str = "worker", **settings: str) -> WorkerProcess:
        """A worker, not started yet; it is killed at the end of the stage."""
        worker = WorkerProcess({**self.environment, **settings}, self.folder / f"{name}.log", piped=True)
        self._stack.callback(worker.kill)
        return worker

    def command(self, *arguments: str) -> subprocess.CompletedProcess[bytes]:
        """Run ``fiscal-worker`` as an operator would."""
        environment = {**os.environ, **self.environment, "FISCAL_RABBITMQ_URL": self.broker.url}
        command = [sys.executable, "-m", "worker", *arguments]
        return subprocess.run(command, env=environment, stdout=subprocess.PIPE, check=False)

    def replay(self) -> int:
        """Send every dead letter back, once; how many. Some may come back, and are judged at the end."""
        replay = self.command("dead-letters", "replay", "--yes", "--rate", "0", "--no-wait", "--json")
        lines = replay.stdout.splitlines()
        return int(json.loads(lines[-1])["sent"]) if lines else 0

    def declare(self) -> None:
        """What the worker declares, so that an order may be published before it runs."""
        topology = Topology(queue_type=self.settings.get("FISCAL_QUEUE_TYPE", "quorum"))
        connection = pika.BlockingConnection(parameters(self.broker.url, "chaos"))
        topology.declare(connection.channel())
        connection.close()

    def waiting(self) -> dict[str, int]:
        """Messages on their way, unacknowledged ones too, by queue; those for people and Bimp left out."""
        consumed = Topology().consumed
        return {name: depth.messages for name, depth in self.broker.queues().items() if name in consumed}

    def letters(self) -> list[Letter]:
        """All dead letters, also those that the last look is still giving back.

        Their number is the node's: a loaded broker may tell a client too small a one.
        """
        return self.bimp.letters(self.broker.queues()[DEAD_LETTERS].messages)

    def sales_of(self, product: str) -> list[dict[str, Any]]:
        """The ledger's receipts of an order, or of a return's document."""
        return [entry for entry in self.sandbox.ledger() if product_of(entry) == product]


def product_of(entry: Mapping[str, Any]) -> str:
    """What names the document of a receipt in the ledger: a sale's first code, a return's first line."""
    good = entry["body"]["goods"][0]["good"]
    return str(good["name" if entry["type"] == "RETURN" else "code"])
