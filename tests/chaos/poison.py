"""Poison: mutations of the contract's examples, and AMQP properties as no Bimp should send them."""

from __future__ import annotations

import base64
import copy
import gzip
import json
import random
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID

import pika

_VALID = Path(__file__).parents[2] / "docs" / "examples" / "valid"
_LIMIT = 1024 * 1024
Body = bytes


class FarTime:
    """An AMQP timestamp in milliseconds where seconds are due: the year 58867, which pika cannot read."""


def bodies(generator: random.Random) -> Iterator[Body]:
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


def properties(generator: random.Random) -> Any:
    return pika.BasicProperties(
        delivery_mode=generator.choice((None, 1, 2)),
        content_type=generator.choice(
            (
                None,
                "",
                "application/json",
                "text/html",
                "application/cloudevents+json; charset=koi8-u",
                "\x00",
                "я" * 100,
            )
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
        headers=generator.choice((None, {}, forged(), _weird(), _nested(generator), {"sent": FarTime()})),
    )


def forged() -> Mapping[str, Any]:
    """Headers as the worker's own, which mean nothing on a message that comes through ``bimp.orders``."""
    return {
        "x-fiscal-trail": json.dumps(
            {"first_seen": 0.0, "posted_id": "no uuid", "posted_at": 1.0, "faults": 10**6}
        ),
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
