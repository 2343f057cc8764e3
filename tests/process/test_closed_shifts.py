"""A shift that is closed, by whomever, is told once, and held against the journal where one is kept."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pika
import pytest
from prometheus_client import REGISTRY

from tests.journal.till import Till
from tests.system.shop import CONTRACT
from worker.checkbox.client import CheckboxClient
from worker.checkbox.shift_finder import OwnAccess
from worker.demo.rabbitmq import PrivateRabbitMQ
from worker.demo.sandbox_process import SandboxProcess
from worker.demo.vhost import VirtualHost
from worker.journal import database, subscription
from worker.journal.reconciliation.shift import reconcile_shift
from worker.process.closed_shifts import ClosedShifts, Reconcile
from worker.process.shift_closings import BACK
from worker.rabbit.shift_notices import ShiftNotices
from worker.rabbit.topology import EVENTS_EXCHANGE, JOURNAL_QUEUE, Topology
from worker.telemetry import metrics

OPTIONS = {"throttle": "false", "done_after": 0.0, "open_after": 0.0, "close_after": 0.0}


@pytest.fixture(scope="module")
def sandbox() -> Iterator[SandboxProcess]:
    with SandboxProcess(options=OPTIONS) as process:
        yield process


@pytest.fixture(scope="module")
def vhost(rabbitmq: PrivateRabbitMQ) -> Iterator[VirtualHost]:
    rabbitmq.start()
    vhost = rabbitmq.new_vhost()
    yield vhost
    rabbitmq.start()
    vhost.delete()


@pytest.fixture(params=["by key", "by cashier"])
def till(request: pytest.FixtureRequest, sandbox: SandboxProcess, tmp_path: Path) -> Iterator[Till]:
    with CheckboxClient() as client:
        engine = database.writing(f"sqlite:///{tmp_path / 'journal.db'}")
        yield Till(sandbox, client, engine, with_key=request.param == "by key")


def value(name: str, **labels: str) -> float | None:
    """What this process exports."""
    return REGISTRY.get_sample_value(name, labels)


class Listener:
    """Hears all notices of shifts, and lets a chore work meanwhile."""

    def __init__(self, url: str, till: Till, reconcile: Reconcile | None) -> None:
        self._connection = pika.BlockingConnection(pika.URLParameters(url))
        self.channel = self._connection.channel()
        Topology().declare(self.channel)
        subscription.declare(self._connection)
        self._queue = self.channel.queue_declare("", exclusive=True).method.queue
        self.channel.queue_bind(self._queue, EVENTS_EXCHANGE, "shift.#")
        self.heard: list[dict[str, Any]] = []
        integrations = {till.integration.id: till.integration}
        notices = ShiftNotices([pika.URLParameters(url)])
        self.ahead = 0.0
        access = partial(OwnAccess, till.client)
        self.chore = ClosedShifts(
            lambda: integrations, access, notices, reconcile, lambda: time.monotonic() + self.ahead
        )
        self.round()  # the first look lets the orders go first that were there before
        self.ahead = 60.0

    def round(self) -> list[dict[str, Any]]:
        self.chore.work(lambda: None)
        while (got := self.channel.basic_get(self._queue, auto_ack=True))[0] is not None:
            self.heard.append({**json.loads(got[2]), "routing_key": got[0].routing_key})
        return self.heard

    def a_minute_later(self) -> list[dict[str, Any]]:
        self.ahead += 60.0
        return self.round()

    def close(self) -> None:
        self.chore.rest()
        self.channel.queue_delete(JOURNAL_QUEUE)
        self._connection.close()


@pytest.fixture
def listen(vhost: VirtualHost, till: Till) -> Iterator[Callable[..., Listener]]:
    opened: list[Listener] = []

    def start(reconcile: Reconcile | None = None) -> Listener:
        opened.append(Listener(vhost.url, till, reconcile))
        return opened[-1]

    yield start
    for one in opened:
        one.close()


def test_a_closed_shift_is_told_once(
    till: Till, listen: Callable[..., Listener], eventually: Callable[..., object]
) -> None:
    """With its Z-report, in the members that the example has; an open one is not told."""
    till.sell()
    till.sell(data__payments=[{"form": "CASH", "amount": "300.00"}])
    listener = listen()
    looks = partial(looks_at_shifts, till)
    before = looks()
    eventually(lambda: not listener.round() and looks() > before)
    till.close()
    eventually(listener.a_minute_later)
    before = looks()
    eventually(lambda: listener.a_minute_later() and looks() > before + 2)
    (notice,) = listener.round()
    example = json.loads((CONTRACT / "notices" / "shift.closed.json").read_text())
    assert notice.pop("routing_key") == "shift.closed"
    assert shape(notice) == shape(example)
    data = notice["data"]
    assert (data["integration"], data["cashier"]) == (till.integration.id, "olena")
    assert data["shift"]["id"] == till.shift.id
    report = data["zReport"]
    assert (report["sales"], report["salesCount"], report["returns"]) == ("540.00", 2, "0.00")
    assert {one["label"]: one["sales"] for one in report["payments"]} == {
        "Картка": "270.00",
        "Готівка": "270.00",
    }
    assert report["taxes"][0]["salesTurnover"] == "540.00"


def looks_at_shifts(till: Till) -> int:
    return till.sandbox.requests("GET /shifts") + till.sandbox.requests("GET /cash-registers/shifts")


def shape(value: Any) -> Any:
    """Names and types, of the first entry of each list."""
    if isinstance(value, dict):
        return {name: shape(member) for name, member in value.items()}
    if isinstance(value, list):
        return [shape(one) for one in value[:1]]
    return type(value)


def test_it_is_held_against_the_journal(
    till: Till, listen: Callable[..., Listener], eventually: Callable[..., object]
) -> None:
    """As soon as nothing waits for the journal; the gauges say what it came to, until it is not elected."""
    till.sell()
    untold = till.sell(told=False)
    till.close()

    def later(*arguments: Any) -> Any:
        return partial(reconcile_shift, till.engine)(*arguments[:2], time.time() + 400)

    listener = listen(later)
    listener.channel.basic_publish("", JOURNAL_QUEUE, b"waits")
    waiting = partial(listener.channel.queue_declare, JOURNAL_QUEUE, passive=True)
    eventually(lambda: waiting().method.message_count == 1)
    eventually(listener.round)
    eventually(lambda: listener.round() and value("fiscal_journal_lag_messages") == 1)
    for _ in range(30):
        listener.a_minute_later()
    assert [one["routing_key"] for one in listener.heard] == ["shift.closed"]
    listener.channel.queue_purge(JOURNAL_QUEUE)
    listener.ahead += 60.0
    eventually(lambda: len(listener.round()) == 2)
    notice = listener.heard[1]
    assert notice["routing_key"] == "shift.reconciled"
    assert notice["data"]["ok"] is False
    (difference,) = notice["data"]["differences"]
    assert (difference["kind"], difference["receiptId"]) == ("receipt_untold", untold.id)
    labels = {"integration": till.integration.id, "kind": "receipt_untold"}
    assert value("fiscal_reconciliation_differences", **labels) == 1
    listener.chore.rest()
    assert value("fiscal_reconciliation_differences", **labels) is None
    assert value("fiscal_journal_lag_messages") is None


def test_what_cannot_be_held_against_the_journal_is_given_up_in_the_end(
    till: Till, listen: Callable[..., Listener], eventually: Callable[..., object]
) -> None:
    """Its integration is gone, say: it is tried again for two days, and then no more."""
    tried: list[float] = []

    def breaks(*_: object) -> Any:
        tried.append(listener.ahead)
        raise KeyError(till.integration.id)

    till.sell()
    till.close()
    listener = listen(breaks)
    eventually(listener.round)
    for count in (1, 2):
        eventually(lambda count=count: listener.a_minute_later() and len(tried) == count)
    listener.ahead += BACK
    for _ in range(40):
        listener.a_minute_later()
    assert len(tried) == 2


def test_it_is_elected_again_while_it_still_compares(
    till: Till, listen: Callable[..., Listener], eventually: Callable[..., object]
) -> None:
    """What it compared before it was not elected is nobody's any more, and stands in the way of nothing."""
    begun, goes_on = threading.Event(), threading.Event()

    def slow(*arguments: Any) -> Any:
        begun.set()
        goes_on.wait(30)
        return partial(reconcile_shift, till.engine)(*arguments[:2], time.time() + 400)

    till.sell()
    till.close()
    listener = listen(slow)
    eventually(lambda: listener.a_minute_later() and begun.is_set())
    listener.chore.rest()
    goes_on.set()
    eventually(lambda: listener.a_minute_later()[-1]["routing_key"] == "shift.reconciled")


def test_one_that_hangs_is_left_behind(
    till: Till, listen: Callable[..., Listener], eventually: Callable[..., object]
) -> None:
    """The next one has a thread of its own, and does not wait for what never ends."""
    begun, ends = threading.Event(), threading.Event()

    def hangs_once(*arguments: Any) -> Any:
        if not begun.is_set():
            begun.set()
            ends.wait(600)
        return partial(reconcile_shift, till.engine)(*arguments[:2], time.time() + 400)

    till.sell()
    till.close()
    listener = listen(hangs_once)
    try:
        eventually(lambda: listener.a_minute_later() and begun.is_set())
        eventually(lambda: listener.a_minute_later()[-1]["routing_key"] == "shift.reconciled")
    finally:
        ends.set()


def test_what_a_dead_process_exported_is_not_left_behind() -> None:
    """Another one takes its place, and is not elected."""
    labels = {"integration": "shop-gone", "kind": "order_doubled"}
    metrics.RECONCILIATION_DIFFERENCES.labels(*labels.values()).set(1)
    ClosedShifts(dict, lambda _: pytest.fail("nobody is asked"), ShiftNotices([]), None).rest()
    assert value("fiscal_reconciliation_differences", **labels) is None


def test_young_receipts_are_waited_for(
    till: Till, listen: Callable[..., Listener], eventually: Callable[..., object]
) -> None:
    """Nothing is told of them before they can be compared."""
    till.sell(told=False)
    till.close()
    listener = listen(partial(reconcile_shift, till.engine))
    eventually(listener.round)
    before = till.sandbox.requests("GET /receipts/search")
    eventually(lambda: listener.a_minute_later() and till.sandbox.requests("GET /receipts/search") > before)
    listener.round()
    assert [one["routing_key"] for one in listener.heard] == ["shift.closed"]
