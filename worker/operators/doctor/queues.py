"""The AMQP objects of the contract: there, with our arguments, and consumed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pika
from pika.adapters.blocking_connection import BlockingChannel
from pika.exceptions import ChannelClosedByBroker

from worker.operators.doctor.finding import Finding, ok, warning, wrong
from worker.rabbit.topology import (
    CONTROL_EXCHANGE,
    DEAD_LETTERS,
    EVENTS_EXCHANGE,
    EVENTS_QUEUE,
    ORDERS_EXCHANGE,
    Topology,
)

_CHECK = "topology"
_CONSUMERS = "consumers"
_NO_RIGHTS, _NOT_FOUND, _LOCKED = 403, 404, 405
_EXCHANGES = ((ORDERS_EXCHANGE, "topic"), (EVENTS_EXCHANGE, "topic"), (CONTROL_EXCHANGE, "fanout"))


def objects(connection: pika.BlockingConnection, topology: Topology) -> Iterator[Finding]:
    """A finding for each exchange and queue that is not as it should be, and for the consumers."""
    seen: list[Finding] = [_exchange(connection, name, kind) for name, kind in _EXCHANGES]
    queues: dict[str, Any] = {}
    for name in (*topology.consumed, DEAD_LETTERS, EVENTS_QUEUE):
        finding, queues[name] = _queue(connection, topology, name)
        seen.append(finding)
    faults = [finding for finding in seen if finding.advice]
    yield from faults
    if not faults:
        kind = topology.queue_type
        yield ok(_CHECK, topology.queue, f"{len(_EXCHANGES)} exchanges, {len(queues)} {kind} queues")
    yield from _consumers(topology, {name: queue for name, queue in queues.items() if queue is not None})


def _exchange(connection: pika.BlockingConnection, name: str, kind: str) -> Finding:
    def declare(channel: BlockingChannel, passive: bool) -> object:
        return channel.exchange_declare(name, kind, durable=True, passive=passive)

    return _declared(connection, f"exchange {name}", declare)[0]


def _queue(connection: pika.BlockingConnection, topology: Topology, name: str) -> tuple[Finding, Any]:
    def declare(channel: BlockingChannel, passive: bool) -> object:
        arguments = None if passive else topology.arguments()
        return channel.queue_declare(name, durable=True, arguments=arguments, passive=passive).method

    return _declared(connection, f"queue {name}", declare)


def _declared(
    connection: pika.BlockingConnection, what: str, declare: Callable[[BlockingChannel, bool], Any]
) -> tuple[Finding, Any]:
    """A passive declaration compares nothing; a real one of an existing queue only compares."""
    channel = connection.channel()
    queue = None
    try:
        queue = declare(channel, True)
        declare(channel, False)
    except ChannelClosedByBroker as refusal:
        return _refusal(what, refusal), queue
    channel.close()
    return ok(_CHECK, what, "as it should be"), queue


def _refusal(what: str, refusal: ChannelClosedByBroker) -> Finding:
    if refusal.reply_code == _NOT_FOUND:
        advice = "start a worker on this virtual host: it declares everything"
        return wrong(_CHECK, what, "is not there", advice)
    if refusal.reply_code == _NO_RIGHTS:
        advice = "give the user the rights to configure, write and read on this virtual host"
        return wrong(_CHECK, what, "may not be declared by this user", advice)
    if refusal.reply_code == _LOCKED:
        return wrong(
            _CHECK,
            what,
            "is exclusive to another connection",
            "find the connection that holds it, and end it",
        )
    difference = refusal.reply_text.removeprefix("PRECONDITION_FAILED - ").removesuffix(":")
    advice = "delete or rename the old object, or set FISCAL_QUEUE_TYPE to what is there"
    return wrong(_CHECK, what, difference, advice)


def _consumers(topology: Topology, queues: dict[str, Any]) -> Iterator[Finding]:
    for name in topology.consumed:
        if name not in queues:
            continue
        queue = queues[name]
        seen = f"{queue.consumer_count} consumers, {queue.message_count} messages wait"
        if queue.consumer_count:
            yield ok(_CONSUMERS, name, seen)
        else:
            advice = "start a worker; one that runs has stopped itself: `fiscal-worker resume`"
            yield wrong(_CONSUMERS, name, seen, advice)
    yield from _listeners(queues.get(EVENTS_QUEUE))
    yield from _letters(queues.get(DEAD_LETTERS))


def _listeners(queue: Any) -> Iterator[Finding]:
    if queue is None:
        return
    if queue.consumer_count:
        yield ok(_CONSUMERS, EVENTS_QUEUE, f"{queue.consumer_count} consumers")
        return
    advice = "start Bimp's consumer of the events: until then Bimp does not learn the outcome of an order"
    yield wrong(_CONSUMERS, EVENTS_QUEUE, f"nobody listens, {queue.message_count} events wait", advice)


def _letters(queue: Any) -> Iterator[Finding]:
    if queue is not None and queue.message_count:
        advice = "see what they are: `fiscal-worker dead-letters list --group-by code`"
        yield warning("dead letters", DEAD_LETTERS, f"{queue.message_count} wait for a person", advice)
