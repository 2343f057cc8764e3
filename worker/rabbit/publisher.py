"""The one way to publish: persistent, confirmed by the broker, and mandatory but for notices.

The loop's thread has the connection, since pika's are for one thread each. The others hand it their
messages; it sends what came meanwhile in one go, and the broker confirms in one go. Eight threads that each
waited for confirms on a connection of their own cost more, and did nothing else meanwhile.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Iterable
from concurrent.futures import Future

import pika
from pika.adapters.blocking_connection import BlockingChannel
from pika.exceptions import AMQPConnectionError, ChannelClosedByBroker, ConnectionBlockedTimeout

from worker.rabbit.loop import Loop
from worker.rabbit.mending import Mending
from worker.rabbit.publishing_connection import ConfirmOverdue, PublishingConnection, Unconfirmed
from worker.rabbit.refusals import Refusals

#: A connection is kept for at least so many seconds. RabbitMQ (3.10) may refuse for ever what comes by a
#: channel that met a queue without a leader, and takes it from another; a full queue refuses on all.
REPLACED_AFTER = 5.0
#: Seconds that the broker has to close the connection.
_GOODBYE = 2.0
_CLOSED = "the publisher was closed"


class Publisher:
    """Shared by the threads of a process; connects when there is something to send."""

    def __init__(
        self,
        loop: Loop,
        params: list[pika.URLParameters],
        redeclare: Callable[[BlockingChannel], None] | None = None,
    ) -> None:
        """``redeclare`` declares exchanges and queues again after an unroutable message."""
        self._loop = loop
        self._params = params
        self._refusals = Refusals()
        self._mending = Mending(loop, params, redeclare, self._mended) if redeclare is not None else None
        self._lock = threading.Lock()
        self._waiting: deque[Unconfirmed] = deque()
        self._is_awake = False
        self._is_closing = False
        self._is_closed = threading.Event()
        #: Of the loop's thread alone.
        self._line: PublishingConnection | None = None
        loop.broken.add(self._drop)

    def send(
        self,
        exchange: str,
        routing_key: str,
        body: bytes,
        properties: pika.BasicProperties,
        mandatory: bool = True,
    ) -> Future[None]:
        """Done when the broker has the message on disk, or ends in ``PublishFailed``.

        One that is not ``mandatory`` is done too where no queue is bound for it.

        A message during which the connection broke is sent once more, and so is one that no queue took, after
        all was declared anew: it may be there twice. Every message of ours is harmless when repeated.
        """
        properties.delivery_mode = 2
        message = Unconfirmed(exchange, routing_key, body, properties, mandatory)
        self._refusals.watch(message)
        with self._lock:
            self._waiting.append(message)
            if not self._is_awake:
                self._is_awake = True
                self._loop.soon(self._flush)
        return message.confirmed

    def close(self) -> None:
        """Final: what is not confirmed yet fails."""
        self._loop.soon(self._shut)
        self._is_closed.wait(_GOODBYE)

    def _drop(self, why: str = "the publisher broke") -> None:
        line, self._line = self._line, None
        waiting = self._mending.waiting() if self._mending is not None else []
        self._fail([*(line.abandoned() if line else ()), *waiting, *self._taken()], why)

    def _shut(self) -> None:
        self._is_closing = True
        if self._line is not None and self._line.is_ready:
            self._fail(self._taken(), _CLOSED)
            self._line.close()
        else:
            self._drop(_CLOSED)
            self._is_closed.set()

    def _taken(self) -> list[Unconfirmed]:
        return list(iter(self._next, None))

    def _next(self) -> Unconfirmed | None:
        """One at a time: what a broken connection has not got yet can still be failed or sent."""
        with self._lock:
            if self._waiting:
                return self._waiting.popleft()
            self._is_awake = False
            return None

    def _flush(self) -> None:
        if self._is_closing:
            self._fail(self._taken(), _CLOSED)
        elif self._line is None:
            self._line = PublishingConnection(
                self._loop.io, self._params, self._flush, self._refused, self._ended
            )
        elif self._line.is_ready:
            for message in iter(self._next, None):
                if (why := self._refusals.of_exchange(message.exchange)) is None:
                    self._line.send(message)
                else:
                    self._fail([message], why)

    def _refused(self, message: Unconfirmed, has_way: bool) -> None:
        """The connection is kept, unless the connection may be the cause."""
        self._again([message], "NackError" if has_way else "UnroutableError", has_way)
        line = self._line
        if has_way and line is not None and time.monotonic() - line.since > REPLACED_AFTER:
            self._line = None
            self._again(line.abandoned(), "NackError", has_way)
        self._flush()

    def _ended(self, reason: BaseException, unconfirmed: list[Unconfirmed]) -> None:
        was_open = self._line is not None and self._line.was_ready
        self._line = None
        if self._is_closing:
            self._fail(unconfirmed, _CLOSED)
            self._is_closed.set()
        elif was_open and not isinstance(reason, ConnectionBlockedTimeout | ConfirmOverdue):
            if isinstance(reason, ChannelClosedByBroker):
                self._channel_closed(reason, unconfirmed)
            else:
                has_way = isinstance(reason, AMQPConnectionError)
                self._again(unconfirmed, type(reason).__name__, has_way=has_way)
            if self._waiting:
                self._flush()
        else:
            self._fail([*unconfirmed, *self._taken()], type(reason).__name__)

    def _channel_closed(self, reason: ChannelClosedByBroker, unconfirmed: list[Unconfirmed]) -> None:
        """One exchange closed the channel for all; messages to others are sent again."""
        text = reason.reply_text
        concerned = [one for one in unconfirmed if one.exchange and f"'{one.exchange}'" in text]
        others = [one for one in unconfirmed if one not in concerned] if concerned else []
        self._requeue(others)
        for message in concerned:
            if message.is_second_try:
                self._refusals.bar(message.exchange, reason.reply_text)
        self._again(concerned or unconfirmed, reason.reply_text, has_way=False)

    def _again(self, messages: list[Unconfirmed], why: str, has_way: bool) -> None:
        """Resends ahead of new messages; one that was already resent fails."""
        self._fail([message for message in messages if message.is_second_try], why)
        again = [message for message in messages if not message.is_second_try]
        for message in again:
            message.is_second_try = True
        if has_way or self._mending is None:
            self._requeue(again)
        elif again:
            self._mending.wait_for(again)

    def _mended(self, messages: list[Unconfirmed], failed: str | None) -> None:
        if failed is None:
            self._requeue(messages)
            self._flush()
        else:
            for message in messages:
                self._refusals.bar(message.exchange, failed)
            self._fail(messages, failed)

    def _requeue(self, messages: list[Unconfirmed]) -> None:
        with self._lock:
            self._waiting.extendleft(reversed(messages))

    def _fail(self, messages: Iterable[Unconfirmed], why: str) -> None:
        for message in messages:
            self._refusals.note(message, why)
            message.fail(why)
