"""A broker that is there and refuses: real processes, and what they do not do twice."""

from __future__ import annotations

import json
import os
import re
import signal
from collections import Counter
from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest

from tests.rabbit.running import channel
from tests.system.shop import CONTRACT, Shop
from worker.demo.rabbitmq import PrivateRabbitMQ
from worker.demo.vhost import VirtualHost
from worker.rabbit.topology import DEAD_LETTERS, EVENTS_EXCHANGE, EVENTS_QUEUE, Topology

Eventually = Callable[..., Any]
ORDER = json.loads((CONTRACT / "valid" / "one_line_card.json").read_bytes())
OUTBOX = Topology().outbox


def order() -> bytes:
    """Another order, asked for by another request."""
    fresh = json.loads(json.dumps(ORDER))
    fresh["id"] = str(uuid4())
    fresh["data"]["order"]["uuid"] = fresh["subject"] = str(uuid4())
    return json.dumps(fresh).encode()


def rejected() -> bytes:
    """A request that needs a dead letter."""
    fresh = json.loads(order())
    fresh["data"]["cashier"] = "nobody"
    return json.dumps(fresh).encode()


def told(shop: Shop, event: str) -> list[dict[str, Any]]:
    return [line for line in shop.worker.lines() if line["event"] == event]


def requests(shop: Shop) -> int:
    """Every call to Checkbox about receipts so far."""
    counts = shop.sandbox.counters()["requests"]
    return sum(sum(row.values()) for endpoint, row in counts.items() if "/receipts" in endpoint)


def depth(shop: Shop, queue: str) -> int:
    return shop.vhost.queues()[queue].messages


def published(shop: Shop, *bodies: bytes) -> list[str]:
    for body in bodies:
        shop.publish(body)
    return [json.loads(body)["id"] for body in bodies]


def test_while_events_are_refused_nothing_else_is_repeated(
    shop: Callable[..., Shop], rabbitmq: PrivateRabbitMQ, eventually: Eventually
) -> None:
    """One sale, one letter and no look-up, however long a listener's queue is full; then each event once."""
    running = shop(FISCAL_QUEUE_TYPE="classic")
    full = '{"max-length":0,"overflow":"reject-publish"}'
    rabbitmq.ctl("set_policy", "-p", running.vhost.name, "full", r"bimp\.fiscal\.events", full)
    orders = [order() for _ in range(10)]
    ids = published(running, *orders, *[rejected() for _ in range(5)])
    eventually(lambda: depth(running, OUTBOX) == 15)
    asked = json.loads(orders[0])["data"]["order"]["uuid"]
    eventually(lambda: "event is refused" in running.worker.page(f"/orders/{asked}")[1])
    before = requests(running)
    unsettled = re.compile(r"^fiscal_unsettled_total (\S+)", re.MULTILINE)

    def refusals() -> float:
        return float(unsettled.findall(running.worker.page("/metrics")[1])[0])

    eventually(lambda: refusals() > 40)
    # Three tries for each event: whatever else was repeated would have been asked for or written by now.
    assert requests(running) == before
    assert len(running.sandbox.ledger()) == 10
    assert depth(running, DEAD_LETTERS) == 5
    lines = told(running, "publishing_refused")
    assert 1 <= len(lines) <= 2 * 2  # a process, a routing key
    assert all("bimp.fiscal" in line["reason"] and line["message"] for line in lines)
    rabbitmq.ctl("clear_policy", "-p", running.vhost.name, "full")
    running.until(lambda: len(running.events) == 15)
    eventually(lambda: depth(running, OUTBOX) == 0)
    running.look()
    assert Counter(event["data"]["requestId"] for event in running.events) == Counter(ids)
    assert len(running.letters) == 5
    assert requests(running) == before
    assert not any("exception.stacktrace" in line for line in running.worker.lines())


def test_a_deleted_queue_of_events_is_declared_again_while_somebody_else_listens(
    shop: Callable[..., Shop], eventually: Eventually
) -> None:
    """Nothing is returned then, so that the monitor has to see it; it says which, and what to do."""
    running = shop()
    with channel(running.vhost.url) as opened:
        other = opened.queue_declare("", exclusive=True).method.queue
        opened.queue_bind(other, EVENTS_EXCHANGE, "fiscalization.#")
        opened.queue_delete(EVENTS_QUEUE)
        eventually(lambda: EVENTS_QUEUE in running.vhost.queues())
    eventually(lambda: told(running, "broker_object_missing"))
    [line] = told(running, "broker_object_missing")
    assert EVENTS_QUEUE in line["reason"]
    assert line["message"]
    [request] = published(running, order())
    assert running.outcome(request)["routing_key"] == "fiscalization.succeeded"
    eventually(lambda: running.worker.page("/readyz")[0] == 200)


def test_a_deleted_exchange_costs_one_declaration(shop: Callable[..., Shop], eventually: Eventually) -> None:
    """Orders by the dozen meet it: each has its event, and the log a line for each process at most."""
    running = shop()
    published(running, *[order() for _ in range(20)])
    with channel(running.vhost.url) as opened:
        opened.exchange_delete(EVENTS_EXCHANGE)
    ids = published(running, *[order() for _ in range(20)])
    running.until(lambda: {e["data"]["requestId"] for e in running.events} >= {*ids})
    lines = told(running, "broker_object_missing")
    assert 1 <= len(lines) <= 3
    assert all(EVENTS_EXCHANGE in line["reason"] for line in lines)
    assert told(running, "publishing_refused") == []
    assert not any("exception.stacktrace" in line for line in running.worker.lines())


def test_a_virtual_host_that_is_gone_is_told_and_filled_again(
    shop: Callable[..., Shop], eventually: Eventually
) -> None:
    """It goes on by itself as soon as somebody has made it again."""
    running = shop()
    running.vhost.delete()
    eventually(lambda: told(running, "broker_refuses"))
    eventually(lambda: "virtual host" in running.worker.page("/readyz")[1])
    running.vhost.create()
    eventually(lambda: running.worker.page("/readyz")[0] == 200)
    again = Shop(running.vhost, running.sandbox, running.worker)
    [request] = published(again, order())
    assert again.outcome(request)["routing_key"] == "fiscalization.succeeded"
    reasons = [line["reason"] for line in told(running, "broker_refuses")]
    assert len(reasons) == len(set(reasons)), "each once: it is there for a moment before its permissions"
    assert len(told(running, "broker_lost")) == 1


def test_a_changed_password_is_told_in_the_log_and_on_the_page(
    shop: Callable[..., Shop], vhost: VirtualHost, rabbitmq: PrivateRabbitMQ, eventually: Eventually
) -> None:
    """Connections that are there stay; what the next one meets is told, once."""
    name = f"worker-{uuid4().hex[:8]}"
    rabbitmq.ctl("add_user", name, "first")
    rabbitmq.ctl("set_permissions", "-p", vhost.name, name, ".*", ".*", ".*")
    try:
        running = shop(FISCAL_RABBITMQ_URL=vhost.url.replace("guest:guest", f"{name}:first"))
        rabbitmq.ctl("change_password", name, "second")
        rabbitmq.ctl("close_all_connections", "--vhost", vhost.name, "as an operator would")
        eventually(lambda: told(running, "broker_refuses"))
        status, page = running.worker.page("/readyz")
        assert status == 503
        assert "password" in page
        rabbitmq.ctl("change_password", name, "first")
        eventually(lambda: running.worker.page("/readyz")[0] == 200)
        [line] = told(running, "broker_refuses")
        assert "FISCAL_RABBITMQ_URL" in line["message"]
    finally:
        rabbitmq.ctl("delete_user", name)


def waiting_orders(running: Shop, count: int, trouble: Callable[[], None]) -> list[str]:
    """Orders that the worker finds when the trouble is there: nobody publishes during an alarm."""
    assert running.worker.process is not None
    os.killpg(running.worker.process.pid, signal.SIGSTOP)
    ids = published(running, *[order() for _ in range(count)])
    trouble()
    os.killpg(running.worker.process.pid, signal.SIGCONT)
    return ids


def each_is_sold_once(running: Shop, ids: list[str]) -> None:
    running.until(lambda: {event["data"]["requestId"] for event in running.events} == {*ids})
    assert {event["routing_key"] for event in running.events} == {"fiscalization.succeeded"}
    assert len(running.sandbox.ledger()) == len(ids)
    assert running.letters == []


@pytest.mark.parametrize("alarm", ["memory", "disk"])
def test_an_alarm_holds_outcomes_up_and_loses_none(
    shop: Callable[..., Shop], rabbitmq: PrivateRabbitMQ, eventually: Eventually, alarm: str
) -> None:
    """While it lasts the broker takes nothing; afterwards each order has its one receipt and its event."""
    running = shop()
    command, on, off = {
        "memory": ("set_vm_memory_high_watermark", "0", "0.4"),
        "disk": ("set_disk_free_limit", "100000GB", "50MB"),
    }[alarm]
    try:
        ids = waiting_orders(running, 10, lambda: rabbitmq.ctl(command, on))
        eventually(running.sandbox.ledger)
        assert running.worker.page("/healthz")[0] == 200
        assert depth(running, EVENTS_QUEUE) == 0
    finally:
        rabbitmq.ctl(command, off)
    each_is_sold_once(running, ids)


def test_a_node_that_is_drained_takes_the_worker_back(
    vhost: VirtualHost, shop: Callable[..., Shop], rabbitmq: PrivateRabbitMQ, eventually: Eventually
) -> None:
    """Maintenance closes every connection and lets nobody in; when it is over, all goes on by itself."""
    running = shop()
    ids = published(running, *[order() for _ in range(10)])
    try:
        rabbitmq.evaluate("rabbit_maintenance:drain()")
        eventually(lambda: told(running, "broker_lost"))
        eventually(lambda: running.worker.page("/readyz")[0] == 503)
        assert running.worker.page("/healthz")[0] == 200
    finally:
        rabbitmq.evaluate("rabbit_maintenance:revive()")
    eventually(lambda: running.worker.page("/readyz")[0] == 200)
    again = Shop(vhost, running.sandbox, running.worker)
    each_is_sold_once(again, ids)
    again.close()
