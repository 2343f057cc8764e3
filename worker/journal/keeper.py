"""Keeps the journal: takes messages off its queue, commits them in batches, then acknowledges.

A database or a broker that is away is waited for: unacknowledged messages stay in the queue.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pika
from alembic.util import CommandError
from pika.adapters.blocking_connection import BlockingChannel
from sqlalchemy.exc import SQLAlchemyError

from worker.journal import subscription
from worker.journal.heard import Row, rows_of_action, rows_of_event, rows_of_request
from worker.journal.writer import Writer
from worker.rabbit.connection import LOST
from worker.rabbit.topology import JOURNAL_QUEUE, ORDERS_EXCHANGE
from worker.telemetry.logs import logger

_log = logger(__name__)
#: Messages of a transaction, and seconds for which the first of them waits for more.
_BATCH = 500
_GATHER = 0.2
_TICK = 0.05
#: Seconds between two looks at the bindings, and at what is old.
_FOLLOW = 10.0
_FORGET = 3600.0
#: By exchange; what people did comes straight into the queue.
_READ = {ORDERS_EXCHANGE: rows_of_request, "": rows_of_action}
#: Seconds to wait for a database or a broker that is away.
_SHORTEST, _LONGEST = 1.0, 10.0


class Keeper:
    """One journal; several may run on one queue and one database."""

    def __init__(
        self, params: list[pika.URLParameters], writer: Writer, orders_queue: str, keep: timedelta
    ) -> None:
        self._params = params
        self._writer = writer
        self._orders_queue = orders_queue
        self._keep = keep
        self._rows: list[Row] = []
        self._heard = 0
        self._last_tag = 0
        self._heard_first = 0.0
        self._follow_at = 0.0
        self._forget_at = 0.0
        self._wait = _SHORTEST
        self._trouble: str | None = None

    def run(self, stop: threading.Event) -> None:
        """Until ``stop``; then what was heard is written, where the database takes it."""
        while not stop.is_set():
            try:
                connection = pika.BlockingConnection(self._params)
            except LOST as error:
                self._report("journal_broker_away", error)
                stop.wait(self._longer_wait())
                continue
            try:
                self._listen(connection, stop)
                connection.close()
            except LOST as error:
                if not stop.is_set():
                    self._report("journal_broker_away", error)
                    stop.wait(self._longer_wait())

    def _listen(self, connection: pika.BlockingConnection, stop: threading.Event) -> None:
        # What was heard on an earlier connection comes again.
        self._rows, self._heard = [], 0
        subscription.declare(connection)
        self._follow(connection)
        channel = connection.channel()
        channel.basic_qos(prefetch_count=2 * _BATCH)
        channel.basic_consume(JOURNAL_QUEUE, self._hear)
        while not stop.is_set():
            if time.monotonic() >= self._follow_at:
                self._follow(connection)
            connection.process_data_events(_TICK)
            if self._is_complete() and not self._attempt(self._write_heard, channel):
                connection.process_data_events(0)
                self._sleep(connection, stop)
            if time.monotonic() >= self._forget_at:
                self._attempt(self._forget)
        if self._heard:
            self._attempt(self._write_heard, channel)

    def _follow(self, connection: pika.BlockingConnection) -> None:
        subscription.follow(connection, self._orders_queue)
        self._follow_at = time.monotonic() + _FOLLOW

    def _hear(self, _: BlockingChannel, method: Any, __: pika.BasicProperties, body: bytes) -> None:
        if not self._heard:
            self._heard_first = time.monotonic()
        self._heard += 1
        self._last_tag = method.delivery_tag
        read = _READ.get(method.exchange, rows_of_event)
        try:
            self._rows += read(body, time.time_ns() // 1_000_000)
        except Exception as error:  # whatever it is, it is this message's alone
            _log.error("journal_message_unreadable", **{"error.type": type(error).__name__})

    def _is_complete(self) -> bool:
        gathered = self._heard and time.monotonic() - self._heard_first >= _GATHER
        return bool(gathered) or self._heard >= _BATCH

    def _write_heard(self, channel: BlockingChannel) -> None:
        if self._rows:
            self._writer.write(self._rows)
        channel.basic_ack(self._last_tag, multiple=True)
        self._rows, self._heard = [], 0

    def _forget(self) -> None:
        before = time.time() - self._keep.total_seconds()
        more = self._writer.forget(int(before * 1000))
        self._forget_at = time.monotonic() + (0 if more else _FORGET)

    def _attempt(self, work: Callable[..., None], *arguments: object) -> bool:
        """Whether the database took it."""
        try:
            work(*arguments)
        except (SQLAlchemyError, CommandError) as error:  # a newer schema is waited out, too
            self._report("journal_database_away", error)
            self._forget_at = max(self._forget_at, time.monotonic() + self._wait)
            return False
        if self._trouble is not None:
            _log.info("journal_goes_on")
        self._trouble, self._wait = None, _SHORTEST
        return True

    def _sleep(self, connection: pika.BlockingConnection, stop: threading.Event) -> None:
        """The broker's heartbeats are answered meanwhile."""
        until = time.monotonic() + self._longer_wait()
        while not stop.is_set() and time.monotonic() < until:
            connection.process_data_events(_TICK)

    def _longer_wait(self) -> float:
        wait, self._wait = self._wait, min(2 * self._wait, _LONGEST)
        return wait

    def _report(self, event: str, error: Exception) -> None:
        """Once for each kind of trouble, until all is well again."""
        trouble = f"{event} {type(error).__name__}"
        if trouble != self._trouble:
            _log.error(event, **{"error.type": type(error).__name__})
        self._trouble = trouble
