"""How many processes share a register's rate: as many as the broker counts consumers."""

from __future__ import annotations

import math
import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress

import pika
from pika.adapters.blocking_connection import BlockingChannel

from worker.rabbit.connection import LOST

#: Seconds in which every process has counted anew and keeps to what it found.
_NOTICED_WITHIN = 3.0
#: Seconds within which the rate of a register counts what was sent.
_SENT_WITHIN = 1.0


class Fleet:
    """Counts the consumers of a queue; keeps the last count while the broker is away."""

    def __init__(
        self,
        params: list[pika.URLParameters],
        queue: str,
        at_least: int,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """``at_least`` is the number of processes of this worker."""
        self._params = params
        self._queue = queue
        self._at_least = at_least
        self._monotonic = monotonic
        self._connection: pika.BlockingConnection | None = None
        self._channel: BlockingChannel | None = None
        self._counts: deque[tuple[float, int]] = deque()
        # Two processes of one worker know each other. A single one must not take the whole rate of a
        # register while another worker's only process does the same.
        # A worker that was killed a moment ago, and is started anew, may have sent until just now.
        self._may_sell_from = math.inf if at_least == 1 else monotonic() + _SENT_WITHIN
        self.processes = at_least

    @property
    def share(self) -> float:
        """The part of a register's rate that this worker's processes have together.

        0 until the others, if there are any, have noticed this one. Processes that are gone count for some
        seconds more: what they sent last is not older than that.
        """
        now = self._monotonic()
        if now < self._may_sell_from:
            return 0.0
        recent = [processes for at, processes in list(self._counts) if at > now - _NOTICED_WITHIN]
        return self._at_least / max(self.processes, *recent, self._at_least)

    def count(self) -> None:
        """Ask the broker; the first time when this process is among the consumers.

        A broker that is away changes nothing. Other errors are raised; the next count connects anew.
        """
        try:
            consumers = self._consumers()
        except LOST:
            self.close()
            return
        except Exception:
            self.close()
            raise
        self.processes = max(self._at_least, consumers)
        self._note(self._monotonic())

    def _consumers(self) -> int:
        if self._channel is None or not self._channel.is_open:
            self.close()
            self._connection = pika.BlockingConnection(self._params)
            self._channel = self._connection.channel()
        return int(self._channel.queue_declare(self._queue, passive=True).method.consumer_count)

    def _note(self, now: float) -> None:
        self._counts.append((now, self.processes))
        while self._counts[0][0] <= now - _NOTICED_WITHIN:
            self._counts.popleft()
        if math.isinf(self._may_sell_from):
            self._may_sell_from = now + _NOTICED_WITHIN if self.processes > self._at_least else now

    def close(self) -> None:
        connection, self._connection, self._channel = self._connection, None, None
        if connection is not None and connection.is_open:
            with suppress(Exception):  # it is gone, which is what was wanted
                connection.close()
