"""The AMQP objects of the contract, declared idempotently before anything is consumed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import pika
from pika.adapters.blocking_connection import BlockingChannel
from pika.exceptions import ChannelClosedByBroker

ORDERS_EXCHANGE = "bimp.orders"
EVENTS_EXCHANGE = "bimp.fiscal"
EVENTS_QUEUE = "bimp.fiscal.events"
#: One place for all deployments: a person looks at one queue.
DEAD_LETTERS = "fiscalize.dead_letters"
CONTROL_EXCHANGE = "fiscalize.control"
#: Made by `fiscal-worker journal` alone, so that nothing piles up where no journal is kept.
JOURNAL_QUEUE = "fiscal.journal"
#: Every exchange that is declared, and its type.
EXCHANGES = {ORDERS_EXCHANGE: "topic", EVENTS_EXCHANGE: "topic", CONTROL_EXCHANGE: "fanout"}
#: What the control exchange carries to every worker.
RESUME = b"resume"
#: The type of a message on it that asks what is held of the order in its body.
INQUIRY = "inquiry"
#: The type of one that asks what the last checks found, and for a new one of the integration in its body.
CHECKS = "checks"
DEFAULT_BINDING = "order.ready_to_fiscalize.#"
#: The content type of orders and events.
CLOUD_EVENT = "application/cloudevents+json"

#: -1 is accepted by RabbitMQ 3.10 and removes a message at its first return; without a limit 4.x
#: removes it after 20 deliveries, and a returned message loses its place.
DELIVERY_LIMIT = 1_000_000
#: Seconds: the longest of the short waits.
SHORT_WAIT = 20.0


def order_key(integration: str | None, cashier: str | None) -> str:
    """The routing key of an order."""
    return f"order.ready_to_fiscalize.{integration or 'unknown'}.{cashier or 'unknown'}"


class TopologyMismatch(Exception):
    """An object exists with other arguments: a person has to decide, retrying does not help."""


@dataclass(frozen=True, slots=True)
class Topology:
    """Names and declarations of one deployment."""

    queue: str = "fiscalize"
    bindings: tuple[str, ...] = (DEFAULT_BINDING,)
    queue_type: str = "quorum"

    @property
    def follow_up(self) -> str:
        """Short waits: a receipt's number, a shift being opened, a register's permit, the first faults."""
        return f"{self.queue}.follow_up"

    @property
    def retry(self) -> str:
        """Long waits of any kind. Apart, so that however many there are, they do not hide a short one."""
        return f"{self.queue}.retry"

    def waiting_for(self, seconds: float) -> str:
        """The queue in which a message waits for so long."""
        return self.follow_up if seconds <= SHORT_WAIT else self.retry

    @property
    def outbox(self) -> str:
        """Events that the broker refused so far. Apart, so that no order waits behind them."""
        return f"{self.queue}.outbox"

    @property
    def chores(self) -> str:
        """Held by the process that does the fleet's chores; exclusive, and made by that process alone."""
        return f"{self.queue}.chores"

    @property
    def consumed(self) -> tuple[str, str, str, str]:
        return self.queue, self.follow_up, self.retry, self.outbox

    @property
    def queues(self) -> tuple[str, ...]:
        """Every queue that is declared."""
        return *self.consumed, DEAD_LETTERS, EVENTS_QUEUE

    @property
    def _bindings_record(self) -> str:
        return f"{self.queue}.bindings"

    def arguments(self) -> dict[str, Any]:
        """The arguments of every queue of ours."""
        if self.queue_type == "quorum":
            return {"x-queue-type": "quorum", "x-delivery-limit": DELIVERY_LIMIT}
        return {"x-queue-type": "classic"}

    def declare(self, channel: BlockingChannel) -> None:
        """Declare everything; raises ``TopologyMismatch`` if something else has one of our names."""
        try:
            self._declare(channel)
        except ChannelClosedByBroker as refusal:
            if refusal.reply_code != 406:
                raise
            raise TopologyMismatch(
                f"the broker has another {refusal.reply_text.removeprefix('PRECONDITION_FAILED - ')}; "
                "delete or rename the old object, or set FISCAL_QUEUE_TYPE to what is there"
            ) from None

    def missing(self, connection: pika.BlockingConnection) -> list[str]:
        """Our missing objects, with their kinds; a binding cannot be checked."""
        looks: dict[str, Callable[[BlockingChannel], None]] = {
            **{f"exchange {name}": partial(_look_at_exchange, name) for name in EXCHANGES},
            **{f"queue {name}": partial(_look_at_queue, name) for name in self.queues},
        }
        return [name for name, look in looks.items() if not _is_there(connection, look)]

    def _declare(self, channel: BlockingChannel) -> None:
        for exchange, kind in EXCHANGES.items():
            channel.exchange_declare(exchange, kind, durable=True)
        for queue in self.queues:
            channel.queue_declare(queue, durable=True, arguments=self.arguments())
        channel.queue_bind(EVENTS_QUEUE, EVENTS_EXCHANGE, "fiscalization.#")
        for key in self.bindings:
            channel.queue_bind(self.queue, ORDERS_EXCHANGE, key)

    def remove_other_bindings(self, connection: pika.BlockingConnection) -> None:
        """Unbind the queue from what an earlier deployment bound and the setting no longer names.

        AMQP cannot list bindings, so a deployment with other bindings than the default leaves a record of
        them: one message in a queue of its own, there only as long as it is needed.
        """
        channel = connection.channel()
        channel.confirm_delivery()
        earlier = {DEFAULT_BINDING, *self._recorded(connection)}
        for key in earlier - set(self.bindings):
            channel.queue_unbind(self.queue, ORDERS_EXCHANGE, key)
        if self.bindings == (DEFAULT_BINDING,):
            channel.queue_delete(self._bindings_record)
        else:
            self._record(channel)
        channel.close()

    def _recorded(self, connection: pika.BlockingConnection) -> set[str]:
        channel = connection.channel()
        try:
            channel.queue_declare(self._bindings_record, passive=True)
        except ChannelClosedByBroker:
            return set()
        _, _, body = channel.basic_get(self._bindings_record)
        channel.close()
        return set(body.decode().split(";")) if body else set()

    def _record(self, channel: BlockingChannel) -> None:
        channel.queue_declare(self._bindings_record, durable=True, arguments=self.arguments())
        channel.queue_purge(self._bindings_record)
        channel.basic_publish(
            "",
            self._bindings_record,
            ";".join(self.bindings).encode(),
            pika.BasicProperties(delivery_mode=2),
            mandatory=True,
        )


def has_queue(connection: pika.BlockingConnection, name: str) -> bool:
    """Whether there is a queue of this name."""
    return _is_there(connection, partial(_look_at_queue, name))


def _look_at_exchange(name: str, channel: BlockingChannel) -> None:
    channel.exchange_declare(name, passive=True)


def _look_at_queue(name: str, channel: BlockingChannel) -> None:
    channel.queue_declare(name, passive=True)


def _is_there(connection: pika.BlockingConnection, look: Callable[[BlockingChannel], None]) -> bool:
    """A passive declaration of what is missing closes its channel."""
    channel = connection.channel()
    try:
        look(channel)
    except ChannelClosedByBroker as refusal:
        if refusal.reply_code == 404:
            return False
        raise
    channel.close()
    return True
