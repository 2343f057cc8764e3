"""A connection that confirms what is published on it, from its opening to its end."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import pika
from pika.adapters.select_connection import IOLoop
from pika.channel import Channel
from pika.spec import Basic

from worker.rabbit.connection import BrokerConnection

#: Seconds that the broker has to confirm: a queue without a leader or a majority keeps silent, on a
#: connection that is well.
CONFIRMED_WITHIN = 30.0
#: Unroutable messages that a new connection is tried out with.
_TRIED_WITH = 2


class PublishFailed(Exception):
    """The broker did not confirm: the message may be there or not, so nothing may be acknowledged."""


class ConfirmOverdue(Exception):
    """The broker is there, and confirms nothing."""


class Publication(NamedTuple):
    """What ``Publisher.send`` takes, made before anything is sent."""

    exchange: str
    routing_key: str
    body: bytes
    properties: pika.BasicProperties
    #: Whether it is a fault when no queue takes it.
    mandatory: bool = True


@dataclass(slots=True, eq=False)
class Unconfirmed:
    """A message that the broker has not confirmed yet."""

    exchange: str
    routing_key: str
    body: bytes = field(repr=False)
    properties: pika.BasicProperties = field(repr=False)
    mandatory: bool = True
    confirmed: Future[None] = field(default_factory=Future, repr=False)
    #: Monotonic seconds.
    sent_at: float = 0.0
    is_second_try: bool = False
    is_returned: bool = False

    @property
    def way(self) -> str:
        return f"{self.exchange or 'queue'} {self.routing_key}"

    def fail(self, why: str) -> None:
        self.confirmed.set_exception(PublishFailed(f"{self.way}: {why}"))


class PublishingConnection(BrokerConnection):
    """Publishes, and hands out the broker's confirms."""

    def __init__(
        self,
        io: IOLoop,
        params: list[pika.URLParameters],
        ready: Callable[[], None],
        refused: Callable[[Unconfirmed, bool], None],
        ended: Callable[[BaseException, list[Unconfirmed]], None],
    ) -> None:
        """``refused`` gets a message that no queue took, and whether there was one; ``ended`` why, and what
        was not confirmed.
        """
        self._io = io
        self._ready = ready
        self._refused = refused
        self._ended = ended
        self._channel: Channel
        self._last_tag = 0
        self._unconfirmed: dict[int, Unconfirmed] = {}
        self.is_ready = False
        self.was_ready = False
        #: Monotonic seconds.
        self.since = time.monotonic()
        super().__init__(io, params)

    def send(self, message: Unconfirmed) -> None:
        message.sent_at = time.monotonic()
        self._last_tag += 1
        self._unconfirmed[self._last_tag] = message
        self._channel.basic_publish(
            message.exchange, message.routing_key, message.body, message.properties, message.mandatory
        )

    def close(self) -> None:
        self.is_ready = False
        super().close()

    def abandoned(self) -> list[Unconfirmed]:
        """What was not confirmed; nothing follows."""
        self.let_go()
        unconfirmed, self._unconfirmed = list(self._unconfirmed.values()), {}
        return unconfirmed

    def opened(self, connection: pika.SelectConnection) -> None:
        connection.channel(on_open_callback=self._try_out)

    def ended(self, why: BaseException) -> None:
        unconfirmed, self._unconfirmed = list(self._unconfirmed.values()), {}
        self._ended(why, unconfirmed)

    def _try_out(self, channel: Channel) -> None:
        """What is sent during an alarm is read when it is over, even if we are gone by then.

        So each try would leave one more copy, were it not for unroutable messages, of which the broker takes
        the first one even then.
        """
        self._channel = channel
        self.end_with(channel)
        channel.add_on_return_callback(self._returned)
        channel.confirm_delivery(self._confirmed)
        for _ in range(_TRIED_WITH):
            self._last_tag += 1
            channel.basic_publish("", "", b"")

    def _confirmed(self, frame: Any) -> None:
        answer: Basic.Ack | Basic.Nack = frame.method
        tags = [answer.delivery_tag]
        if answer.multiple:
            tags = [tag for tag in self._unconfirmed if tag <= answer.delivery_tag]
        for tag in tags:
            if tag in self._unconfirmed:
                self._settle(self._unconfirmed.pop(tag), isinstance(answer, Basic.Ack))
        if not self.is_ready and answer.delivery_tag >= _TRIED_WITH:
            self.is_ready = self.was_ready = True
            self._watch()
            self._ready()

    def _watch(self) -> None:
        """Ends what the broker has left unconfirmed for too long."""
        if not self.is_ready:
            return
        oldest = next(iter(self._unconfirmed.values()), None)
        if oldest is not None and time.monotonic() - oldest.sent_at > CONFIRMED_WITHIN:
            self._why = ConfirmOverdue()
            self.close()
        else:
            self._io.call_later(CONFIRMED_WITHIN / 4, self._watch)

    def _settle(self, message: Unconfirmed, is_taken: bool) -> None:
        if not is_taken:
            self._refused(message, True)
        elif message.is_returned:
            message.is_returned = False
            self._refused(message, False)
        else:
            message.confirmed.set_result(None)

    def _returned(self, _: Channel, method: Basic.Return, __: pika.BasicProperties, ___: bytes) -> None:
        """It bears no number. Others that go the same way find none either, and are sent again with it."""
        for message in self._unconfirmed.values():
            if (message.exchange, message.routing_key) == (method.exchange, method.routing_key):
                message.is_returned = True
