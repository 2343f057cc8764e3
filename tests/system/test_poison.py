"""Poison: thousands of broken messages among good orders, such as some program will send one day."""

from __future__ import annotations

import json
import os
import random
import struct
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pika
import pytest

from tests.chaos import orders, poison
from tests.chaos.havoc import children_of
from tests.chaos.orders import OrderRequest
from tests.chaos.stage import Stage, product_of
from worker.demo.vhost import VirtualHost
from worker.fiscal.outcomes import Code

POISON, GOOD, SEED = 5000, 200, 7
#: Both rounds are alike: what grows in the second one grows for ever. MiB for each process.
_GROWTH = 24
Body = bytes


@pytest.fixture
def far_times(monkeypatch: pytest.MonkeyPatch) -> None:
    """Lets pika write what it cannot read."""
    encode = pika.data.encode_value

    def encode_value(pieces: list[bytes], value: Any) -> int:
        if isinstance(value, poison.FarTime):
            pieces.append(struct.pack(">cQ", b"T", 1_795_515_000_000))
            return 9
        return int(encode(pieces, value))

    monkeypatch.setattr(pika.data, "encode_value", encode_value)


@pytest.mark.usefixtures("far_times")
def test_poison_among_good_orders(vhost: VirtualHost, tmp_path: Path, eventually: Callable[..., Any]) -> None:
    """Good orders are fiscalized, bad messages answered for, no process ends, and memory stays flat."""
    generator = random.Random(SEED)
    rows = orders.rows(10, manual=2, auto=0)
    settings = {"FISCAL_REGISTER_RATE": "100"}
    with Stage(vhost, rows, tmp_path, settings, {"done_after": 0.3, "throttle": False}) as stage:
        worker = stage.worker().start()
        assert worker.process is not None
        processes = children_of(worker.process.pid)
        bad = poison.bodies(generator)
        good = list(orders.requests(GOOD, rows, generator, pressed_twice=0))
        published: list[Body] = []
        memory = []
        for half in range(2):
            mine = good[half::2]
            published += _publish(stage, mine, bad, generator, POISON // 2)
            eventually(lambda: not any(stage.waiting().values()))
            eventually(lambda mine=mine: {each.id for each in mine} <= stage.bimp.heard.succeeded)
            memory.append([_resident(pid) for pid in processes])
        assert children_of(worker.process.pid) == processes
        assert not [line for line in worker.lines() if line["severity_text"] in ("ERROR", "CRITICAL")]
        _assert_answered(published, stage)
        done = [product_of(entry) for entry in stage.sandbox.ledger() if entry["status"] == "DONE"]
        assert [done.count(request.product) for request in good] == [1] * GOOD
        growth = [after - before for before, after in zip(*memory, strict=True)]
        assert max(growth) < _GROWTH, f"MiB after the halves: {memory}"


def _publish(
    stage: Stage, good: list[OrderRequest], bad: Iterator[Body], generator: random.Random, count: int
) -> list[Body]:
    """Both in one row."""
    published = []
    between = count // len(good)
    for number in range(count):
        body = next(bad)
        published.append(body)
        stage.bimp.put(body, poison.properties(generator), "order.ready_to_fiscalize.x.y")
        if number % between == 0 and number // between < len(good):
            order = good[number // between]
            headers = generator.choice((None, poison.forged(), {"sent": poison.FarTime()}))
            properties = pika.BasicProperties(
                delivery_mode=2, headers=headers, priority=255, expiration="600000"
            )
            stage.bimp.put(order.body, properties, order.row.routing_key)
    return published


def _assert_answered(published: list[Body], stage: Stage) -> None:
    """A dead letter with these very bytes and a reason, or an event for the request in them."""
    letters = stage.letters()
    dead = {letter.body for letter in letters}
    ended = stage.bimp.heard.ended
    assert not [body for body in published if body not in dead and _request_of(body) not in ended]
    codes = {code.value for code in Code} - {"INTERNAL_ERROR"}
    for letter in letters:
        assert letter.code in codes, (letter.code, letter.body[:2000])
        assert isinstance(json.loads(letter.headers["x-fiscal-detail"]), dict)
        assert letter.headers["x-fiscal-replays"] == 0
    assert len(dead) > POISON / 2


def _request_of(body: Body) -> str | None:
    try:
        told = json.loads(body.removeprefix(b"\xef\xbb\xbf"))
    except (ValueError, RecursionError):
        return None
    request = told.get("id") if isinstance(told, dict) else None
    return request if isinstance(request, str) else None


def _resident(pid: int) -> int:
    """MiB."""
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") // 2**20
