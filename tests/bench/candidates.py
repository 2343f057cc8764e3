"""Who is measured: the worker, the floor under it, and three peers; each as processes of its own."""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import dramatiq
import httpx2

from config.integrations_watch import load
from tests.chaos.orders import CashierRow, OrderRequest
from worker.checkbox import wire
from worker.fiscal.planner import plan
from worker.fiscal.receipt import sale_receipt_id
from worker.rabbit.message.reading import read
from worker.rabbit.topology import ORDERS_EXCHANGE

#: Where `make bench` puts what only the peers need (requirements/bench.lock).
PEERS = Path("build/bench-packages")

_WITH_PEERS = {"PYTHONPATH": f"{Path.cwd()}:{PEERS.resolve()}"}

#: Exchange, routing key, body and content type of a request.
Post = tuple[str, str, bytes, str]
Postbox = Callable[[OrderRequest], Post]


@dataclass(frozen=True, slots=True)
class Place:
    """Where a candidate works."""

    broker_url: str
    checkbox_url: str
    integrations: Path
    processes: int
    threads: int

    @property
    def environment(self) -> dict[str, str]:
        """Read by every candidate alike."""
        return {
            **{name: value for name, value in os.environ.items() if not name.startswith("FISCAL_")},
            "FISCAL_RABBITMQ_URL": self.broker_url,
            "FISCAL_CHECKBOX_URL": self.checkbox_url,
            "FISCAL_INTEGRATIONS_FILE": str(self.integrations),
            "FISCAL_PROCESSES": str(self.processes),
            "FISCAL_THREADS": str(self.threads),
            "FISCAL_REGISTER_RATE": "100",
        }


@dataclass(frozen=True, slots=True)
class Candidate:
    """Something that turns requests into events."""

    name: str
    command: Callable[[Place], list[str]]
    postbox: Callable[[Place, list[CashierRow]], Postbox]
    queue_type: str = "quorum"
    settings: Mapping[str, str] = field(default_factory=dict)
    #: Whether the command starts the processes itself, or has to be started so many times.
    forks: bool = True


def _to_us(place: Place, rows: list[CashierRow]) -> Postbox:
    """As Bimp publishes."""
    return lambda request: (
        ORDERS_EXCHANGE,
        request.row.routing_key,
        request.body,
        "application/cloudevents+json",
    )


def _to_celery(place: Place, rows: list[CashierRow]) -> Postbox:
    """Celery's message protocol, version 1, which needs no headers."""

    def post(request: OrderRequest) -> Post:
        body = {"task": "fiscalize", "id": request.id, "args": [request.body.decode(), None], "kwargs": {}}
        return "", "celery", json.dumps(body).encode(), "application/json"

    return post


def _to_floor(place: Place, rows: list[CashierRow]) -> Postbox:
    """Everything is worked out beforehand: the token, and the body that Checkbox gets."""
    integrations = load(place.integrations, place.checkbox_url, {}).integrations.in_force
    with httpx2.Client(base_url=place.checkbox_url, trust_env=False) as client:
        tokens = {row.cashier: _token(client, row) for row in rows}

    def post(request: OrderRequest) -> Post:
        order = read(request.body)
        receipt = plan(order, integrations[order.integration], time.time()).receipt
        made = sale_receipt_id(request.order, 0)
        sale = {
            "request": request.id,
            "token": tokens[request.row.cashier],
            "receipt": str(made),
            "sale": wire.sell_body(made, receipt, {}).decode(),
        }
        message: dramatiq.Message[Any] = dramatiq.Message("floor", "sell", (), sale, {})
        return "", "floor", message.encode(), "application/json"

    return post


def _token(client: httpx2.Client, row: CashierRow) -> str:
    body = {"login": row.cashier, "password": row.password}
    token: str = client.post("/api/v1/cashier/signin", json=body).json()["access_token"]
    return token


def _floor(place: Place) -> list[str]:
    shape = ["-p", str(place.processes), "-t", str(place.threads), "-Q", "floor"]
    return [sys.executable, "-m", "dramatiq", "tests.bench.floor", "--skip-logging", *shape]


def _celery(place: Place) -> list[str]:
    quiet = ["--without-gossip", "--without-mingle", "--without-heartbeat", "-l", "WARNING"]
    shape = ["-P", "threads", "-c", str(place.threads)]
    return [
        sys.executable, "-m", "celery", "-A", "tests.bench.celery_peer", "worker", *quiet, *shape,
    ]  # fmt: skip


OURS = Candidate("ours", lambda _: [sys.executable, "-m", "worker", "run"], _to_us)
CLASSIC = Candidate(
    "ours, classic queues",
    OURS.command,
    _to_us,
    queue_type="classic",
    settings={"FISCAL_QUEUE_TYPE": "classic"},
)
UNTOLD = Candidate("ours, without telemetry", lambda _: [sys.executable, "-m", "tests.bench.untold"], _to_us)
FLOOR = Candidate("floor", _floor, _to_floor, queue_type="classic")
CELERY = Candidate(
    "celery",
    _celery,
    _to_celery,
    queue_type="classic",
    settings=_WITH_PEERS,
    forks=False,
)
FASTSTREAM = Candidate(
    "faststream",
    lambda _: [sys.executable, "-m", "tests.bench.faststream_peer"],
    _to_us,
    queue_type="classic",
    settings=_WITH_PEERS,
    forks=False,
)
PIKA = Candidate(
    "pika",
    lambda _: [sys.executable, "-m", "tests.bench.pika_peer"],
    _to_us,
    queue_type="classic",
    forks=False,
)
ALL = {one.name: one for one in (FLOOR, OURS, CLASSIC, CELERY, FASTSTREAM, PIKA)}
