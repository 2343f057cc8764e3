"""One command at a time on the dead letters.

The lock is an exclusive queue, which the broker removes with the connection that made it, however that ended.
Others may not read it but may write to it, so they ask in it who holds it, and the holder answers.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pika
from pika.adapters.blocking_connection import BlockingChannel
from pika.exceptions import ChannelClosedByBroker

from worker.rabbit.topology import DEAD_LETTERS

LOCK = f"{DEAD_LETTERS}.lock"
_REPLIES = "amq.rabbitmq.reply-to"
_RESOURCE_LOCKED = 405
_ANSWER_TIMEOUT = 1.0
_AGAIN_AFTER = 0.1


class Locked(Exception):
    """Another command is at work on the dead letters; says which."""


@contextmanager
def locked(
    connection: pika.BlockingConnection,
    holder: str,
    *,
    changes: bool,
    clock: Callable[[], float],
    patience: float = 15.0,
) -> Iterator[None]:
    """Hold the lock. One that only reads is waited for, ``patience`` seconds; raises ``Locked``.

    ``holder`` is what others see, as long as the connection's events are processed.
    """
    deadline = clock() + patience
    while (channel := _take(connection)) is None:
        other, other_changes = _ask(connection, clock)
        if other_changes or clock() > deadline:
            raise Locked(f"another command is at work on {DEAD_LETTERS}: {other}")
        connection.sleep(_AGAIN_AFTER)

    def answer(channel: BlockingChannel, _: Any, question: pika.BasicProperties, __: bytes) -> None:
        if question.reply_to:
            kind = "changes" if changes else "reads"
            channel.basic_publish("", question.reply_to, holder.encode(), pika.BasicProperties(type=kind))

    channel.basic_consume(LOCK, answer, auto_ack=True)
    try:
        yield
    finally:
        if channel.is_open:
            channel.queue_delete(LOCK)
            channel.close()


def _take(connection: pika.BlockingConnection) -> BlockingChannel | None:
    channel = connection.channel()
    try:
        channel.queue_declare(LOCK, exclusive=True, arguments={"x-queue-type": "classic"})
    except ChannelClosedByBroker as refusal:
        if refusal.reply_code != _RESOURCE_LOCKED:
            raise
        return None
    return channel


def _ask(connection: pika.BlockingConnection, clock: Callable[[], float]) -> tuple[str, bool]:
    answers: list[tuple[str, bool]] = []
    channel = connection.channel()
    channel.basic_consume(
        _REPLIES,
        lambda _, __, properties, body: answers.append((body.decode(), properties.type == "changes")),
        auto_ack=True,
    )
    channel.basic_publish("", LOCK, b"who?", pika.BasicProperties(reply_to=_REPLIES))
    deadline = clock() + _ANSWER_TIMEOUT
    while not answers and clock() < deadline:
        connection.process_data_events(_AGAIN_AFTER)
    channel.close()
    return answers[0] if answers else ("it does not answer", False)
