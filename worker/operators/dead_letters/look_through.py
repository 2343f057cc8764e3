"""Looking through the dead letters, and taking some of them, so that none is lost, doubled or out of place.

AMQP has no way to read a queue but to consume it. So every letter is consumed and kept unacknowledged: one
that is acknowledged is gone, and all others go back when the channel closes, or when the process is killed.

A quorum queue puts what comes back behind what came back before, not at its old place (seen on RabbitMQ 3.10:
ten letters that were looked at after a look at all of them go to the end). Order is kept only where all
letters come back at once, so a pass that ends early takes the rest as well before it lets go.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterator
from types import TracebackType
from typing import Any, Self

import pika
from pika.adapters.blocking_connection import BlockingChannel
from pika.exceptions import ChannelClosedByBroker

from worker.operators.dead_letters.filter import Wanted
from worker.rabbit.dead_letter import DeadLetter
from worker.rabbit.topology import DEAD_LETTERS

#: Letters that the broker sends ahead. More are on their way only where as many were passed over.
_FIRST_WINDOW = 100
_GROWTH = 4
#: AMQP counts a prefetch in 16 bits.
_LAST_WINDOW = 65_535
#: The broker closes a channel that holds a letter for 30 minutes.
_HOLD_AT_MOST = 600.0
_TICK = 0.1
_SHORT_TICK = 0.02
#: So long nothing came, and nothing is there: somebody else has taken letters away.
_QUIET = 1.0
_RETURN_TIMEOUT = 5.0


class NoDeadLetterQueue(Exception):
    """The queue is not there: no worker has declared it on this virtual host."""


def depth(connection: pika.BlockingConnection) -> int:
    """How many letters are there to be read. Raises ``NoDeadLetterQueue``.

    RabbitMQ answers 0 for a quorum queue that does not report its length within a quarter of a second: a
    broker under load is asked again before nobody is believed to wait.
    """
    channel = connection.channel()
    try:
        for pause in (0.0, 0.2, 0.2):
            connection.sleep(pause)
            found: int = channel.queue_declare(DEAD_LETTERS, passive=True).method.message_count
            if found:
                break
    except ChannelClosedByBroker as refusal:
        if refusal.reply_code != 404:
            raise
        raise NoDeadLetterQueue(
            f"there is no queue {DEAD_LETTERS}: no worker has run on this virtual host"
        ) from None
    channel.close()
    return found


class LookThrough:
    """One pass over the letters, from the oldest, over at most ``bound`` of them.

    Give ``depth`` as the bound: a letter that fails again while its like are replayed joins at the end, and
    must not be met again. Publishing, confirms and acknowledgements go over one channel, in this order: what
    is acknowledged was read by the broker before the next publish, so a killed process leaves at most one
    letter that is both sent and still here.
    """

    def __init__(
        self,
        connection: pika.BlockingConnection,
        wanted: Wanted,
        bound: int,
        is_stopping: Callable[[], bool] = lambda: False,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._connection = connection
        self._wanted = wanted
        self._bound = bound
        self._is_stopping = is_stopping
        self._clock = clock
        self.looked_at = 0
        self.removed = 0
        self._arrived: deque[tuple[int, DeadLetter | None]] = deque()
        self._channel: BlockingChannel
        self._current: int | None = None
        #: Letters that are taken for the sake of order only.
        self._taken_along = 0

    def __enter__(self) -> Self:
        self._open()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._channel.is_open:
            self._return_all()

    @property
    def _held(self) -> int:
        """Letters that were looked at and stay."""
        return self.looked_at - self.removed

    @property
    def _unacknowledged(self) -> int:
        return self._held - self._to_skip + len(self._arrived) + self._taken_along

    def letters(self) -> Iterator[DeadLetter]:
        """The wanted ones. One that is not removed before the next is asked for stays."""
        while self.looked_at < self._bound and not self._is_stopping():
            if not self._arrived and not self._await():
                return
            tag, letter = self._arrived.popleft()
            self.looked_at += 1
            if letter is not None:
                self._current = tag
                yield letter
                self._current = None
            if self._clock() - self._served_at > _TICK:
                self.serve()

    def send(self, queue: str, body: bytes, properties: pika.BasicProperties) -> None:
        """Put a message on a queue; returns when the broker has it.

        Raises pika's ``UnroutableError`` or ``NackError`` when the broker has not taken it.
        """
        self._channel.basic_publish("", queue, body, properties, mandatory=True)

    def remove(self) -> None:
        """Acknowledge the current letter."""
        assert self._current is not None
        self._channel.basic_ack(self._current)
        self._current = None
        self.removed += 1

    def serve(self, seconds: float = 0) -> None:
        """Keep the conversation with the broker going, for at most so long; renews what is held for long."""
        self._connection.process_data_events(seconds)
        self._served_at = self._clock()
        if self._current is None and self._served_at - self._opened_at > _HOLD_AT_MOST:
            self._return_all()
            self._open()

    def _open(self) -> None:
        self._channel = self._connection.channel()
        self._channel.confirm_delivery()
        self._opened_at = self._served_at = self._clock()
        self._to_skip = self._held
        self._taken_along = 0
        self._is_closing = False
        self._windows = 0
        self._capacity = 0
        self._widen()

    def _widen(self) -> None:
        """One more consumer. Those before it are full of letters that stay, so the order is one.

        Their tags sort as they began: it is the order in which a closed channel's letters go back.
        """
        window = min(_FIRST_WINDOW * _GROWTH**self._windows, _LAST_WINDOW)
        self._channel.basic_qos(prefetch_count=window)
        self._channel.basic_consume(DEAD_LETTERS, self._arrive, consumer_tag=f"look-{self._windows:06}")
        self._windows += 1
        self._capacity += window

    def _arrive(
        self, channel: BlockingChannel, method: Any, properties: pika.BasicProperties, body: bytes
    ) -> None:
        if not channel.is_open:
            return  # it came while the channel was closed, and comes again
        if self._to_skip:
            self._to_skip -= 1
            return
        if self._is_closing:
            self._taken_along += 1
            return
        letter = DeadLetter.received(method, properties, body)
        # Bodies of letters that are passed over are not kept.
        self._arrived.append((method.delivery_tag, letter if self._wanted(letter) else None))

    def _await(self) -> bool:
        """Wait for the next letter; False when there is none, or the command is to stop."""
        quiet_since = self._clock()
        while not self._arrived and not self._is_stopping():
            if self._unacknowledged >= self._capacity:
                self._widen()
            self.serve(_TICK)
            if self._clock() - quiet_since > _QUIET:
                if not self._arrived and not depth(self._connection):
                    return False
                quiet_since = self._clock()
        return bool(self._arrived)

    def _take_all(self) -> None:
        """Take what is left as well: see the head of this module.

        Until nothing is on its way any more: pika rejects what comes in while a channel closes, one by one
        and before the rest goes back, so that it would go to the front.
        """
        self._taken_along += len(self._arrived)
        self._arrived.clear()
        self._is_closing = True
        while True:
            if self._unacknowledged >= self._capacity:
                self._widen()
            before = self._unacknowledged
            self._connection.process_data_events(_SHORT_TICK)
            # Where nothing is to go back, no order is at stake, and nobody need be asked what is left.
            if self._unacknowledged != before or (before and depth(self._connection)):
                continue
            # The broker answers on this channel after what it has sent on it before.
            self._channel.basic_qos(prefetch_count=_LAST_WINDOW)
            self._connection.process_data_events(0)
            if self._unacknowledged == before:
                return

    def _return_all(self) -> None:
        """Close the channel, and wait until the broker has put back what it held.

        It does so some milliseconds after it has said that the channel is closed: whoever counts or reads in
        between would miss letters.
        """
        self._take_all()
        expected = self._unacknowledged
        self._channel.close()
        deadline = self._clock() + _RETURN_TIMEOUT
        while expected and depth(self._connection) < expected and self._clock() < deadline:
            self._connection.sleep(0.01)
