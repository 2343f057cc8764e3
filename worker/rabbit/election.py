"""Elects one process of the whole fleet, for chores that are done once however many processes run.

The elected process holds an exclusive queue. The broker removes that queue with the connection that declared
it, so the next process to ask gets it.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from contextlib import suppress
from copy import copy

import pika
from pika.adapters.blocking_connection import BlockingChannel
from pika.exceptions import ChannelClosedByBroker

from worker.rabbit.connection import LOST

#: Seconds between heartbeats. The broker drops a connection that has been silent for two to three of them.
HEARTBEAT = 5
#: Seconds for which the broker's answer holds: less than it needs to drop the connection, so that a process
#: that is frozen or cut off stops before another one is elected.
_HOLDS_FOR = 8.0
#: Seconds until a process that was not elected asks again. With the time that the broker needs to drop a dead
#: host's connection, another process takes over within 30 s.
_ASK_AGAIN = 8.0
_RESOURCE_LOCKED = 405


class Election:
    """``round`` is called each second by one thread; ``is_elected`` is read by any."""

    def __init__(
        self,
        params: list[pika.URLParameters],
        queue: str,
        monotonic: Callable[[], float] = time.monotonic,
        heartbeat: int = HEARTBEAT,
    ) -> None:
        """``queue`` is the name of the exclusive queue: one for each fleet."""
        self._params = [copy(one) for one in params]
        for one in self._params:
            one.heartbeat = heartbeat
        self._queue = queue
        self._monotonic = monotonic
        self._connection: pika.BlockingConnection | None = None
        self._channel: BlockingChannel | None = None
        self._ask_at = -math.inf
        self._holds_until = -math.inf

    @property
    def is_elected(self) -> bool:
        return self._monotonic() < self._holds_until

    def round(self) -> None:
        """Ask to be elected, or confirm that it still holds.

        A broker that is away ends it. Other errors are raised; the next round connects anew.
        """
        now = self._monotonic()
        try:
            if self._channel is not None:
                self._channel.queue_declare(self._queue, passive=True)
            elif now >= self._ask_at:
                self._ask_at = now + _ASK_AGAIN
                self._channel = self._asked()
            elif self._connection is not None:
                self._connection.process_data_events(time_limit=0)
        except LOST:
            self.close()
        except Exception:
            self.close()
            raise
        if self._channel is not None:
            self._holds_until = now + _HOLDS_FOR

    def _asked(self) -> BlockingChannel | None:
        """The channel that declared the queue; None while another process holds it."""
        if self._connection is None:
            self._connection = pika.BlockingConnection(self._params)
        channel = self._connection.channel()
        try:
            channel.queue_declare(self._queue, exclusive=True, arguments={"x-queue-type": "classic"})
        except ChannelClosedByBroker as refusal:
            if refusal.reply_code != _RESOURCE_LOCKED:
                raise
            return None
        return channel

    def close(self) -> None:
        """Let another process be elected."""
        self._holds_until = -math.inf
        connection, self._connection, self._channel = self._connection, None, None
        if connection is not None and connection.is_open:
            with suppress(Exception):  # it is gone, which is what was wanted
                connection.close()
