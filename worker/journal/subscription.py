"""The journal's queue: what it hears, and for how long it is bound."""

from __future__ import annotations

import pika
from pika.exceptions import ChannelClosedByBroker

from worker.rabbit.topology import (
    DELIVERY_LIMIT,
    EVENTS_EXCHANGE,
    EVENTS_QUEUE,
    JOURNAL_QUEUE,
    ORDERS_EXCHANGE,
    has_queue,
)

_ARGUMENTS = {
    "x-queue-type": "quorum",
    "x-delivery-limit": DELIVERY_LIMIT,
    # A journal that stays away loses its oldest rows, and stops no publish.
    "x-max-length-bytes": 5_000_000_000,
    "x-overflow": "drop-head",
}


def declare(connection: pika.BlockingConnection) -> None:
    """Make the queue where it is not there."""
    channel = connection.channel()
    channel.queue_declare(JOURNAL_QUEUE, durable=True, arguments=_ARGUMENTS)
    channel.close()


def remove(connection: pika.BlockingConnection) -> bool:
    """Delete the queue; whether there was one."""
    was_there = has_queue(connection, JOURNAL_QUEUE)
    connection.channel().queue_delete(JOURNAL_QUEUE)
    return was_there


def follow(connection: pika.BlockingConnection, orders_queue: str) -> None:
    """Bind the queue to what somebody else is bound to as well, and unbind it from what nobody is.

    Bound alone, it would confirm to Bimp an order that nobody fiscalizes, and to the worker an event that
    nobody keeps for Bimp: both are published as mandatory.
    """
    for companion, exchange, key in (
        (orders_queue, ORDERS_EXCHANGE, "order.#"),
        (EVENTS_QUEUE, EVENTS_EXCHANGE, "#"),
    ):
        channel = connection.channel()
        try:
            if has_queue(connection, companion):
                channel.queue_bind(JOURNAL_QUEUE, exchange, key)
            else:
                channel.queue_unbind(JOURNAL_QUEUE, exchange, key)
        except ChannelClosedByBroker as refusal:
            if refusal.reply_code != 404:  # the exchange is not there either
                raise
        else:
            channel.close()
