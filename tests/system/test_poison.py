"""Poison: thousands of broken messages among good orders, as no Bimp should send them and some program will."""

from __future__ import annotations

import base64
import copy
import gzip
import json
import os
import random
import struct
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID

import pika
import pytest

from tests.chaos import orders
from tests.chaos.bimp import Letter
from tests.chaos.havoc import children_of
from tests.chaos.orders import OrderRequest
from tests.chaos.stage import Stage, product_of
from worker.fiscal.outcomes import Code
from worker.rabbit.topology import ORDERS_EXCHANGE
from worker.sandbox.vhost import VirtualHost

POISON, GOOD, SEED = 5000, 200, 7
_VALID = Path(__file__).parents[1] / "data" / "contract" / "valid"
_LIMIT = 1024 * 1024
#: Both rounds are alike: what grows in the second one grows for ever. MiB for each process.
_GROWTH = 24
Body = bytes
Properties = pika.BasicProperties


class FarTime:
    """An AMQP timestamp in milliseconds, where seconds are due: the year is 58868, and pika cannot read it."""


@pytest.fixture
def far_times(monkeypatch: pytest.MonkeyPatch) -> None:
    """Lets pika write what it cannot read."""
    encode = pika.data.encode_value

    def encode_value(pieces: list[bytes], value: Any) -> int:
        if isinstance(value, FarTime):
            pieces.append(struct.pack(">cQ", b"T", 1_795_515_000_000))
            return 9
        return int(encode(pieces, value))

    monkeypatch.setattr(pika.data, "encode_value", encode_value)


@pytest.mark.usefixtures("far_times")
def test_poison_among_good_orders(
    vhost: VirtualHost, tmp_path: Path, eventually: Callable[..., Any]
) -> None:
    """Good orders are fiscalized, each bad message is answered for, no process ends, and memory stays flat."""
    generator = random.Random(SEED)
    rows = orders.rows(10, manual=2, auto=0)
    settings = {"FISCAL_REGISTER_RATE": "100"}
    with Stage(vhost, rows, tmp_path, settings, {"done_after": 0.3, "throttle": False}) as stage:
        worker = stage.worker().start()
        assert worker.process is not None
        processes = children_of(worker.process.pid)
        poison = _poison(generator)
        good = list(orders.requests(GOOD, rows, generator, pressed_twice=0))
        published: list[Body] = []
        memory = []
        for half in range(2):
            mine = good[half::2]
            published += _publish(stage, mine, poison, generator, POISON // 2)
            eventually(lambda: not any(stage.waiting().values()), 60)
            eventually(lambda mine=mine: {each.id for each in mine} <= stage.bimp.heard.succeeded, 20)
            memory.append([_resident(pid) for pid in processes])
        assert children_of(worker.process.pid) == processes
        assert not [line for line in worker.lines() if line["severity_text"] in ("ERROR", "CRITICAL")]
        letters = stage.bimp.letters()
        _assert_answered(published, letters, stage)
        done = [product_of(entry) for entry in stage.sandbox.ledger() if entry["status"] == "DONE"]
        assert [done.count(request.product) for request in good] == [1] * GOOD
        growth = [after - before for before, after in zip(*memory, strict=True)]
        assert max(growth) < _GROWTH, f"MiB after the halves: {memory}"


def _publish(
    stage: Stage, good: list[OrderRequest], poison: Iterator[Body], generator: random.Random, count: int
) -> list[Body]:
    """Both in one row, without confirm, for its speed: nothing here may be lost by a crash."""
    published = []
    with pika.BlockingConnection(pika.URLParameters(stage.broker.url)) as connection:
        channel = connection.channel()
        between = count // len(good)
        for number in range(count):
            body = next(poison)
            published.append(body)
            channel.basic_publish(
                ORDERS_EXCHANGE, "order.ready_to_fiscalize.x.y", body, _properties(generator), mandatory=True
            )
            if number % between == 0 and number // between < len(good):
                order = good[number // between]
                headers = generator.choice((None, _forged(), {"sent": FarTime()}))
                properties = Properties(delivery_mode=2, headers=headers, priority=255, expiration="600000")
                channel.basic_publish(
                    ORDERS_EXCHANGE, order.row.routing_key, order.body, properties, mandatory=True
                )
    return published


def _assert_answered(published: list[Body], letters: list[Letter], stage: Stage) -> None:
    """A dead letter with these very bytes and a reason, or an event for the request in them."""
    dead = {letter.body for letter in letters}
    codes = {code.value for code in Code} - {"INTERNAL_ERROR"}
    for letter in letters:
        assert letter.code in codes, (letter.code, letter.body[:2000])
        assert isinstance(json.loads(letter.headers["x-fiscal-detail"]), dict)
        assert letter.headers["x-fiscal-replays"] == 0
    ended = stage.bimp.heard.ended
    lost = [body for body in published if body not in dead and _request_of(body) not in ended]
    assert not lost, lost[:3]
    assert len(dead) > POISON / 2


def _request_of(body: Body) -> str | None:
    try:
        told = json.loads(body.removeprefix(b"\xef\xbb\xbf"))
    except (ValueError, RecursionError):
        return None
    request = told.get("id") if isinstance(told, dict) else None
    return request if isinstance(request, str) else None


def _poison(generator: random.Random) -> Iterator[Body]:
    """Mutations of the contract's valid examples, each with an id and an order of its own."""
    examples = [json.loads(path.read_bytes()) for path in sorted(_VALID.glob("*.json"))]
    number = 0
    while True:
        message = copy.deepcopy(generator.choice(examples))
        message["id"] = f"poison-{number:05}"
        message["data"]["order"]["uuid"] = str(UUID(int=generator.getrandbits(128), version=4))
        message.pop("subject", None)
        number += 1
        for _ in range(generator.randint(1, 3)):
            _break_member(message, generator)
        text = json.dumps(message, ensure_ascii=generator.random() < 0.5).encode(errors="surrogatepass")
        yield generator.choices(_SPOILERS, _WEIGHTS)[0](text, generator)


_VALUES: tuple[Any, ...] = (
    None,
    True,
    -1,
    0,
    1e400,
    float("nan"),
    10**400,
    "9" * 5000,
    "1e5",
    "0x10",
    " 1",
    "١٢٣",
    "",
    "\x00",
    "\ud800",
    "a" * 3000,
    [],
    {},
    [[[[]]]],
    {"": {"": None}},
    {"$ref": "#"},
    "2026-02-30T25:61:61Z",
    "UAH\n",
    "'; DROP TABLE orders; --",
    "{{7*7}}",
)


def _break_member(value: Any, generator: random.Random) -> None:
    """One place of the message is left out, filled with something else, or moved."""
    places = list(_places(value))
    if not places:
        return
    holder, key = generator.choice(places)
    what = generator.random()
    if what < 0.3:
        del holder[key]
    elif what < 0.9:
        holder[key] = generator.choice(_VALUES)
    else:
        other, place = generator.choice(places)
        holder[key] = copy.deepcopy(other[place])


def _places(value: Any) -> Iterator[tuple[Any, Any]]:
    if isinstance(value, dict | list):
        for key, item in list(value.items() if isinstance(value, dict) else enumerate(value)):
            yield value, key
            yield from _places(item)


def _flip(text: Body, generator: random.Random) -> Body:
    spoilt = bytearray(text)
    for _ in range(generator.randint(1, 5)):
        spoilt[generator.randrange(len(spoilt))] = generator.randrange(256)
    return bytes(spoilt)


def _cut(text: Body, generator: random.Random) -> Body:
    return text[: generator.randrange(len(text))]


def _spliced(text: Body, generator: random.Random) -> Body:
    start, end = sorted(generator.randrange(len(text)) for _ in range(2))
    return text[:end] + text[start:]


def _noise(_: Body, generator: random.Random) -> Body:
    return generator.randbytes(generator.choice((0, 1, 2, 100, 5000)))


def _encoded(text: Body, generator: random.Random) -> Body:
    plain = text.decode(errors="replace")
    return generator.choice(
        (
            lambda: plain.encode("utf-16"),
            lambda: plain.encode("utf-32"),
            lambda: plain.encode("cp1251", errors="replace"),
            lambda: gzip.compress(text),
            lambda: base64.b64encode(text),
            lambda: b"\xef\xbb\xbf" + text,
            lambda: json.dumps(plain).encode(),
        )
    )()


def _doubled(text: Body, generator: random.Random) -> Body:
    """A member of the envelope comes twice."""
    name = generator.choice((b'"id"', b'"data"', b'"type"', b'"unknown"'))
    return b"{" + name + b": 1, " + name + b": 2, " + text[1:]


def _deep(text: Body, generator: random.Random) -> Body:
    depth = generator.choice((50, 1000, 100_000))
    return text[:-1] + b', "x": ' + b"[" * depth + b"]" * depth + b"}"


def _big(text: Body, generator: random.Random) -> Body:
    size = generator.choice((_LIMIT - len(text) - 100, _LIMIT, 3 * _LIMIT))
    return text[:-1] + b', "x": "' + b"y" * size + b'"}'


_SPOILERS = (lambda text, _: text, _flip, _cut, _spliced, _noise, _encoded, _doubled, _deep, _big)
_WEIGHTS = (40, 15, 12, 8, 8, 8, 5, 1.6, 0.4)


def _properties(generator: random.Random) -> Properties:
    return Properties(
        delivery_mode=generator.choice((None, 1, 2)),
        content_type=generator.choice(
            (None, "", "application/json", "text/html", "application/cloudevents+json; charset=koi8-u", "\x00", "я" * 100)
        ),
        content_encoding=generator.choice((None, "gzip", "utf-8", "koi8-u", "\n")),
        priority=generator.choice((None, 0, 9, 255)),
        expiration=generator.choice((None, "600000")),
        correlation_id=generator.choice((None, "x" * 255)),
        reply_to=generator.choice((None, "nobody")),
        message_id=generator.choice((None, "0", "same")),
        timestamp=generator.choice((None, 0, 2**63 - 1)),
        type=generator.choice((None, "fiscalize")),
        app_id=generator.choice((None, "bimp")),
        headers=generator.choice((None, {}, _forged(), _weird(), _nested(generator), {"sent": FarTime()})),
    )


def _forged() -> Mapping[str, Any]:
    """Headers as the worker's own, which mean nothing on a message that comes through ``bimp.orders``."""
    return {
        "x-fiscal-trail": json.dumps({"first_seen": 0.0, "receipt_attempt": 7, "posted_at": 1.0, "faults": 10**6}),
        "x-fiscal-due": 2**62,
        "x-fiscal-replays": 10**9,
        "x-fiscal-replayed-code": "INTERNAL_ERROR",
        "x-fiscal-queue": "amq.direct",
        "x-fiscal-delayed": True,
        "x-death": [{"count": 10**6, "queue": "fiscalize", "reason": "expired"}],
        "x-delivery-count": 10**6,
        "x-opt-delivery-count": -1,
        "traceparent": "00-" + "f" * 32 + "-" + "f" * 16 + "-zz",
        "CC": ["order.ready_to_fiscalize.a.b"],
        "redelivered": True,
    }


def _weird() -> Mapping[str, Any]:
    return {
        "": "",
        "n" * 127: None,
        "int": -(2**63),
        "decimal": Decimal("-1.5"),
        "time": datetime(9999, 12, 31, tzinfo=UTC),
        "bytes": b"\xff\x00\xfe",
        "traceparent": {"a": [1, [2, [None, True]]]},
        "tracestate": ["x"] * 100,
        "x-fiscal-trail": {"first_seen": []},
    }


def _nested(generator: random.Random) -> Mapping[str, Any]:
    table: dict[str, Any] = {"end": generator.randbytes(50_000)}
    for depth in range(100):
        table = {f"level-{depth}": [table, depth]}
    return table


def _resident(pid: int) -> int:
    """MiB."""
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") // 2**20
