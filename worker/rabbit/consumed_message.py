"""A message between its delivery and its acknowledgement."""

from __future__ import annotations

from concurrent.futures import Future
from typing import Protocol

from dramatiq import Message
from dramatiq.broker import MessageProxy

from worker.rabbit.delivery import Delivery


class Connected(Protocol):
    """What a message knows of the consumer that it came by."""

    @property
    def is_open(self) -> bool: ...

    def finish(self, message: ConsumedMessage) -> None:
        """The actor has returned."""


class ConsumedMessage(MessageProxy):
    """A delivery on its way through Dramatiq."""

    def __init__(self, message: Message[None], consumer: Connected, tag: int) -> None:
        super().__init__(message)
        self.delivery: Delivery = message.args[0]
        self.consumer = consumer
        self.tag = tag
        #: The actor returned.
        self.is_done = False
        #: What the broker has yet to confirm before the message may be acknowledged, or what is to be worked
        #: on again before that.
        self.effect: Future[None] | Delivery | None = None

    @property
    def queue(self) -> str:
        """Where it came from."""
        return self.delivery.queue

    @property
    def is_stale(self) -> bool:
        """Its connection is gone, so the broker has delivered the message again."""
        return not self.consumer.is_open
