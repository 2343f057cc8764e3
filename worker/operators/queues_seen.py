"""What waits in the queues, and who listens to them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import pika
from pika.exceptions import ChannelClosedByBroker

from worker.app import topology_of
from worker.operators.connection import broker
from worker.rabbit.topology import DEAD_LETTERS, EVENTS_QUEUE, JOURNAL_QUEUE


@dataclass(frozen=True, slots=True)
class QueueSeen:
    """One or several queues that belong together; messages that a worker holds are not counted."""

    names: tuple[str, ...]
    messages: int
    listeners: int


@dataclass(frozen=True, slots=True)
class QueuesSeen:
    """Each is None where it is not there."""

    orders: QueueSeen | None
    #: Put off, for a short or a long time.
    waiting: QueueSeen | None
    #: For Bimp.
    events: QueueSeen | None
    #: Events that the broker did not take yet.
    outbox: QueueSeen | None
    letters: QueueSeen | None
    #: For the journal.
    journal: QueueSeen | None


def queues_seen() -> QueuesSeen:
    """As they are now. Raises ``BrokerUnreachable`` and ``ConfigurationError``."""
    with broker() as (settings, connection):
        topology = topology_of(settings)
        return QueuesSeen(
            orders=_seen(connection, [topology.queue]),
            waiting=_seen(connection, [topology.follow_up, topology.retry]),
            events=_seen(connection, [EVENTS_QUEUE]),
            outbox=_seen(connection, [topology.outbox]),
            letters=_seen(connection, [DEAD_LETTERS]),
            journal=_seen(connection, [JOURNAL_QUEUE]),
        )


def _seen(connection: pika.BlockingConnection, names: Iterable[str]) -> QueueSeen | None:
    found = {name: one for name in names if (one := _look(connection, name)) is not None}
    if not found:
        return None
    messages = sum(messages for messages, _ in found.values())
    return QueueSeen(tuple(found), messages, min(listeners for _, listeners in found.values()))


def _look(connection: pika.BlockingConnection, name: str) -> tuple[int, int] | None:
    channel = connection.channel()
    try:
        queue = channel.queue_declare(name, passive=True).method
    except ChannelClosedByBroker as refusal:
        if refusal.reply_code == 404:
            return None
        raise
    channel.close()
    return queue.message_count, queue.consumer_count
