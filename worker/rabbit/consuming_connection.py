"""A connection that consumes, each queue on a channel of its own."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import pika
from pika.adapters.select_connection import IOLoop
from pika.channel import Channel

from worker.rabbit.connection import BrokerConnection
from worker.rabbit.loop import Loop


@dataclass(frozen=True, slots=True)
class ConsumerDependencies:
    """What all consumers of a process are made with."""

    loop: Loop
    params: list[pika.URLParameters]
    is_halted: Callable[[], bool] = lambda: False
    #: What headers are read by, in seconds since the epoch.
    clock: Callable[[], float] = time.time
    monotonic: Callable[[], float] = time.monotonic


class ConsumingConnection(BrokerConnection):
    """Consumes several queues, each with a prefetch of its own."""

    def __init__(
        self,
        io: IOLoop,
        params: list[pika.URLParameters],
        prefetch: Mapping[str, int],
        ready: Callable[[], None],
        arrived: Callable[..., None],
        ended: Callable[[BaseException], None],
    ) -> None:
        """``arrived`` gets a queue, then pika's arguments for a message."""
        self._prefetch = prefetch
        self._ready = ready
        self._arrived = arrived
        self._ended = ended
        self._channels: dict[str, Channel] = {}
        self._tags: dict[str, str] = {}
        self._agreed: set[str] = set()
        #: Messages may be settled.
        self.is_open = False
        super().__init__(io, params)

    def opened(self, connection: pika.SelectConnection) -> None:
        for queue in self._prefetch:
            connection.channel(on_open_callback=partial(self._channel_opened, queue))

    def ended(self, why: BaseException) -> None:
        self.is_open = False
        self._ended(why)

    def close(self) -> None:
        self.is_open = False
        super().close()

    @property
    def is_consuming(self) -> bool:
        """The broker has agreed to it, for every queue."""
        return self.is_open and len(self._agreed) == len(self._prefetch)

    def consume(self) -> None:
        """Go on, if it was stopped."""
        if self.is_open and not self._tags:
            for queue, channel in self._channels.items():
                self._tags[queue] = channel.basic_consume(
                    queue, partial(self._arrived, queue), callback=partial(self._consumes, queue)
                )

    def pause(self) -> None:
        """Delivered messages may still be settled."""
        if self.is_open:
            for queue, tag in self._tags.items():
                self._channels[queue].basic_cancel(tag)
            self._tags.clear()
            self._agreed.clear()

    def acknowledge(self, queue: str, tag: int) -> None:
        if self.is_open:
            self._channels[queue].basic_ack(tag)

    def give_back(self, queue: str, tag: int) -> None:
        if self.is_open:
            self._channels[queue].basic_nack(tag, requeue=True)

    def _channel_opened(self, queue: str, channel: Channel) -> None:
        self.end_with(channel)
        channel.add_on_cancel_callback(self._cancelled)
        channel.basic_qos(prefetch_count=self._prefetch[queue])
        self._channels[queue] = channel
        if len(self._channels) == len(self._prefetch):
            self.is_open = True
            self._ready()

    def _consumes(self, queue: str, _: Any) -> None:
        if queue in self._tags:
            self._agreed.add(queue)

    def _cancelled(self, _: Any) -> None:
        """For example after its queue was deleted; channel and connection would stay open, and silent."""
        self.close()
