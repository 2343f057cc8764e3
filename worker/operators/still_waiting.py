"""Which of some requests still wait: in the dead letters, or in a worker."""

from __future__ import annotations

import time
from collections.abc import Iterable

import pika
from pika.exceptions import AMQPError, ChannelClosedByBroker

from worker.operators.connection import broker
from worker.operators.dead_letters.filter import Filter
from worker.operators.dead_letters.lock import Locked, locked
from worker.operators.dead_letters.look_through import LookThrough, NoDeadLetterQueue, depth
from worker.operators.fleet_inquiry import ask_fleet
from worker.operators.unreachable import BrokerUnreachable

#: Requests that the workers are asked for, one by one.
_ASKED = 200


#: A request by its id and its order's uuid: ids are unique to the company that sent it, orders to all.
Asked = tuple[str, str | None]


def still_waiting(requests: Iterable[Asked]) -> tuple[set[Asked], bool]:
    """Those that wait, and whether it is certain that the others do not."""
    asked = set(requests)
    try:
        with broker() as (settings, connection):
            dead, all_dead = _dead_letters(connection)
            held, all_held = _held(connection, settings.queue, {request for request, _ in asked - dead})
            return (dead | held) & asked, all_dead and all_held
    except BrokerUnreachable:
        return set(), False


def _dead_letters(connection: pika.BlockingConnection) -> tuple[set[Asked], bool]:
    try:
        with (
            locked(connection, "reconcile", changes=False, clock=time.monotonic),
            LookThrough(connection, Filter(), depth(connection)) as look,
        ):
            return {(str(letter.request), letter.order) for letter in look.letters()}, True
    except (Locked, NoDeadLetterQueue):
        return set(), False


def _held(connection: pika.BlockingConnection, queue: str, ids: set[str]) -> tuple[set[Asked], bool]:
    """A backlog may hold any of them; nobody has looked at it yet."""
    try:
        depth_of_queue: int = connection.channel().queue_declare(queue, passive=True).method.message_count
    except (ChannelClosedByBroker, AMQPError):
        return set(), False
    found: set[Asked] = set()
    is_certain = depth_of_queue == 0 and len(ids) <= _ASKED
    for request in sorted(ids)[:_ASKED]:
        held = ask_fleet(connection, queue, request)
        is_certain = is_certain and held.answered > 0 and held.silent == 0
        found |= {(row["request"], row["order"]) for row in held.waiting}
        if held.answered == 0:
            break
    return found, is_certain
