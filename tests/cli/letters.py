"""Dead letters for tests, and what is in queues."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any
from uuid import UUID

import pika

from worker.rabbit.topology import DEAD_LETTERS, Topology

SECRET_PHONE = "+380501234567"


def connect(url: str) -> pika.BlockingConnection:
    return pika.BlockingConnection(pika.URLParameters(url))


def body(number: int) -> bytes:
    order = {"uuid": str(UUID(int=number)), "docNumber": f"N-{number}", "total": 10.10}
    buyer = {"phone": SECRET_PHONE}
    card = {"mask": "444444******1234", "rrn": "987654321"}
    data = {
        "integration": "shop-main",
        "cashier": "olena",
        "order": order,
        "buyer": buyer,
        "payments": [{"form": "CASHLESS", "amount": "10.10", "card": card}],
    }
    return json.dumps({"specversion": "1.0", "id": f"request-{number}", "data": data}).encode()


def headers(number: int, **others: Any) -> dict[str, Any]:
    """Those of the contract; ``others`` without the prefix."""
    told = {
        "code": "SHIFT_NOT_OPEN",
        "order": str(UUID(int=number)),
        "docnumber": f"N-{number}",
        "integration": "shop-main",
        "cashier": "olena",
        "request": f"request-{number}",
        "attempts": 1,
        "first-seen": "2026-05-05T10:00:00Z",
        "failed-at": "2026-05-05T10:00:01Z",
        "replays": 0,
        "queue": "fiscalize",
        "detail": '{"shift":null}',
    } | others
    return {f"x-fiscal-{name}": value for name, value in told.items() if value is not None}


def put(
    url: str,
    numbers: Iterable[int],
    *,
    content: bytes | None = None,
    content_type: str | None = "application/cloudevents+json",
    trace: str | None = None,
    queue_type: str = "quorum",
    **others: Any,
) -> None:
    """Declare the topology and put letters there, each with the content or that of its number."""
    with connect(url) as connection:
        channel = connection.channel()
        Topology(queue_type=queue_type).declare(channel)
        channel.confirm_delivery()
        channel.close()
        channel = connection.channel()
        channel.tx_select()
        for number in numbers:
            properties = pika.BasicProperties(
                delivery_mode=2,
                content_type=content_type,
                headers=headers(number, **others) | ({"traceparent": trace} if trace else {}),
            )
            channel.basic_publish("", DEAD_LETTERS, body(number) if content is None else content, properties)
        channel.tx_commit()


def ready(url: str, queue: str) -> int:
    with connect(url) as connection:
        count: int = connection.channel().queue_declare(queue, passive=True).method.message_count
        return count


def drained(url: str, queue: str) -> list[tuple[pika.BasicProperties, bytes]]:
    """Everything in a queue; it is empty then."""
    found: list[tuple[pika.BasicProperties, bytes]] = []
    with connect(url) as connection:
        channel = connection.channel()
        count = channel.queue_declare(queue, passive=True).method.message_count
        channel.basic_consume(queue, lambda _, __, *message: found.append(message), auto_ack=True)
        before = -1
        while before < len(found) < count:
            before = len(found)
            connection.process_data_events(5)
    return found


def numbers(url: str, queue: str = DEAD_LETTERS) -> list[int]:
    """The orders in a queue by their numbers, from the front; it is empty then."""
    return [int(json.loads(content)["id"].removeprefix("request-")) for _, content in drained(url, queue)]
