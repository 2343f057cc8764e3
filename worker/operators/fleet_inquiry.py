"""Asks every worker of the fleet what it knows, over the broker: a command knows no pod's address."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import pika
from pika.exceptions import ChannelClosedByBroker

from worker.rabbit.topology import CHECKS, CONTROL_EXCHANGE, INQUIRY, has_queue

#: Seconds for which answers are waited for; a worker asks its own processes meanwhile.
_PATIENCE = 6.0
_TICK = 0.05


@dataclass(frozen=True, slots=True)
class Held:
    """What the workers hold of an order, and how many of the queue's processes did not answer."""

    waiting: list[dict[str, Any]]
    answered: int
    silent: int


def ask_fleet(connection: pika.BlockingConnection, queue: str, order: str) -> Held:
    """Of an order by its uuid, docNumber or request id; ``queue`` is the one whose processes are counted."""
    answers, consumers = _inquire(connection, queue, INQUIRY, order)
    answered = _answered(answers, queue)
    waiting = [row for one in answers for row in one["waiting"]]
    return Held(waiting, answered, max(consumers - answered, 0))


def ask_checks(connection: pika.BlockingConnection, queue: str, integration: str) -> list[dict[str, Any]]:
    """Reports of the last checks, the newest of each integration; that of the named one is made anew.

    Empty where no worker answers. Without a name those are made anew that are some minutes old.
    """
    answers, _ = _inquire(connection, queue, CHECKS, integration)
    reports = [report for one in answers for report in one["checked"]]
    return list({one["integration"]: one for one in sorted(reports, key=_checked_at)}.values())


def _checked_at(report: dict[str, Any]) -> str:
    return str(report["checkedAt"])


def _inquire(
    connection: pika.BlockingConnection, queue: str, kind: str, question: str
) -> tuple[list[dict[str, Any]], int]:
    """The answers, and how many processes the queue has."""
    consumers = _consumers(connection, queue)
    answers: list[dict[str, Any]] = []
    channel = connection.channel()
    try:
        reply_to = channel.queue_declare("", exclusive=True, auto_delete=True).method.queue
        channel.basic_consume(reply_to, lambda *got: answers.append(json.loads(got[3])), auto_ack=True)
        channel.basic_publish(
            CONTROL_EXCHANGE,
            "",
            question.encode(),
            pika.BasicProperties(type=kind, reply_to=reply_to, correlation_id=str(uuid4())),
        )
        deadline = time.monotonic() + _PATIENCE
        while _answered(answers, queue) < consumers and time.monotonic() < deadline:
            connection.process_data_events(_TICK)
        channel.close()
    except ChannelClosedByBroker:  # no control exchange: no worker has run
        return [], consumers
    return answers, consumers


def _consumers(connection: pika.BlockingConnection, queue: str) -> int:
    if not has_queue(connection, queue):
        return 0
    channel = connection.channel()
    count: int = channel.queue_declare(queue, passive=True).method.consumer_count
    channel.close()
    return count


def _answered(answers: list[dict[str, Any]], queue: str) -> int:
    return sum(one["answered"] for one in answers if one["queue"] == queue)
