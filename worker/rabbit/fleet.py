"""How many processes share a register's rate: as many as the broker counts consumers."""

from __future__ import annotations

from contextlib import suppress

import pika
from pika.adapters.blocking_connection import BlockingChannel
from pika.exceptions import AMQPError


class Fleet:
    """Counts the consumers of a queue; keeps the last count while the broker is away."""

    def __init__(self, params: list[pika.URLParameters], queue: str, at_least: int) -> None:
        self._params = params
        self._queue = queue
        self._at_least = at_least
        self._connection: pika.BlockingConnection | None = None
        self._channel: BlockingChannel | None = None
        self.processes = at_least

    def count(self) -> None:
        """Ask the broker."""
        try:
            if self._channel is None or not self._channel.is_open:
                self.close()
                self._connection = pika.BlockingConnection(self._params)
                self._channel = self._connection.channel()
            found = self._channel.queue_declare(self._queue, passive=True)
            self.processes = max(self._at_least, found.method.consumer_count)
        except (AMQPError, OSError):
            self.close()

    def close(self) -> None:
        connection, self._connection, self._channel = self._connection, None, None
        if connection is not None and connection.is_open:
            with suppress(AMQPError, OSError):  # it is gone, which is what was wanted
                connection.close()
