"""The process that answers the probes and watches the broker for all the others."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import pika
from pika.adapters.blocking_connection import BlockingChannel
from pika.exceptions import (
    ChannelClosedByBroker,
    ProbableAccessDeniedError,
    ProbableAuthenticationError,
)

from config.settings import Settings
from worker.app import ADDRESS, address_of, topology_of
from worker.fiscal.instants import rfc3339
from worker.integrations.polling import Polling
from worker.interprocess.inquiries import WAITING
from worker.interprocess.shared import Shared
from worker.process import probe_pages
from worker.process.control import Control
from worker.rabbit.connection import LOST, parameters
from worker.rabbit.mending import mend
from worker.rabbit.topology import DEAD_LETTERS, EVENTS_QUEUE, EXCHANGES, TopologyMismatch
from worker.telemetry import metrics
from worker.telemetry.logs import logger
from worker.telemetry.readiness import Readiness
from worker.telemetry.supervised import SupervisedLoop

_log = logger(__name__)
_LOOK_EVERY = 2.0
_FRESH = 5 * _LOOK_EVERY
#: Seconds between two questions for the first integrations.
_AWAITED_EVERY = 5.0
_NOT_FOUND, _NO_RIGHTS = 404, 403


class Monitor:
    """Looks at the queues, hears people, serves the pages."""

    def __init__(self, settings: Settings, shared: Shared) -> None:
        self._settings = settings
        self._shared = shared
        self._params = parameters(settings.rabbitmq_url.get_secret_value(), "fiscal-worker monitor")
        self._topology = topology_of(settings)
        self._view: probe_pages.BrokerView | None = None
        self._seen_at = 0.0
        self._connection: pika.BlockingConnection | None = None
        self._control = Control(shared, self._topology.queue)
        self._stop = threading.Event()
        self._lost: bool | None = None
        address, document = address_of(settings), shared.document
        self._polling = Polling(address, document) if address and document else None
        #: Why the broker refuses the worker, with the cure; None if it does not, or is away.
        self.refusal: str | None = None

    def run(self) -> None:
        """Serve until SIGTERM, or until the parent process is gone."""
        parent = os.getppid()
        signal.signal(signal.SIGTERM, lambda *_: self._stop.set())
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        observed = probe_pages.Observed(
            self._fresh_view,
            lambda: self._shared.stop_limit.is_engaged,
            self._shared.heartbeat,
            (self._topology.follow_up, self._topology.retry),
        )
        shown = probe_pages.ProbePages(observed, self._what_is_dead, self._readiness, self._what_is_held)
        server = probe_pages.server(self._shared.pages, shown)
        pages = threading.Thread(target=server.serve_forever, daemon=True)
        pages.start()
        if self._polling is not None:
            SupervisedLoop("integrations_poll", lambda _: self._poll(), self._stop, pause=self._pause).start()
        while not self._stop.is_set() and os.getppid() == parent and pages.is_alive():
            self._look()
        server.shutdown()

    def _poll(self) -> None:
        assert self._polling is not None
        self._polling.poll()
        metrics.INTEGRATIONS_BROKEN.set(self._polling.fault is not None)

    def _pause(self) -> float:
        """Until there is a first document nothing is sold: it is asked for more often."""
        pause = self._settings.integrations_poll.total_seconds()
        return pause if self._awaited is None else min(pause, _AWAITED_EVERY)

    @property
    def _awaited(self) -> str | None:
        return self._polling.awaited if self._polling is not None else None

    def _look(self) -> None:
        try:
            connection = self._connected()
            channel = connection.channel()
            self._view, self._seen_at = self._look_at(channel), time.monotonic()
            self.refusal = None
            channel.close()
            connection.process_data_events(time_limit=_LOOK_EVERY)
        except ChannelClosedByBroker as closed:
            self._view = None
            if closed.reply_code != _NOT_FOUND:
                self._lose(closed)
            elif self._shared.heartbeat.last_beats:
                self._mend()
            else:  # the supervisor declares everything before it starts the first process
                self._stop.wait(_LOOK_EVERY)
        except LOST as fault:
            self._lose(fault)

    def _lose(self, fault: Exception) -> None:
        self._view = self._connection = None
        self._tell_refused(fault)
        self._tell_lost(fault)
        self._stop.wait(_LOOK_EVERY)

    def _mend(self) -> None:
        """Something of ours was deleted. The control queue may have gone with it: connect anew."""
        try:
            connection = self._connected()
            mend(self._topology, connection.channel())
            connection.close()
        except (*LOST, TopologyMismatch) as fault:
            self._lose(fault)

    def _fresh_view(self) -> probe_pages.BrokerView | None:
        """A broker that hangs leaves its connection up for a minute: its last figures are stale then."""
        return self._view if time.monotonic() - self._seen_at < _FRESH else None

    def _look_at(self, channel: BlockingChannel) -> probe_pages.BrokerView:
        for exchange in EXCHANGES:
            channel.exchange_declare(exchange, passive=True)
        queues = self._topology.queues
        found = {queue: channel.queue_declare(queue, passive=True).method for queue in queues}
        events = found.pop(EVENTS_QUEUE)
        return probe_pages.BrokerView(
            messages={queue: one.message_count for queue, one in found.items()},
            consumers={queue: one.consumer_count for queue, one in found.items() if queue != DEAD_LETTERS},
            events_unread=events.message_count,
            events_consumers=events.consumer_count,
        )

    def _connected(self) -> pika.BlockingConnection:
        if self._connection is None or not self._connection.is_open or not self._control.is_heard:
            self._hang_up()
            self._connection = pika.BlockingConnection(self._params)
            self._control.listen(self._connection.channel())
            if self._lost:
                _log.info("broker_back")
            self._lost = False
        return self._connection

    def _hang_up(self) -> None:
        with suppress(*LOST):
            if self._connection is not None and self._connection.is_open:
                self._connection.close()

    def _tell_refused(self, fault: Exception) -> None:
        """Once for each reason, until the broker lets the worker in."""
        refusal = _refusal(fault)
        if refusal is not None and refusal != self.refusal:
            _log.error("broker_refuses", reason=str(fault), message=refusal)
        self.refusal = refusal

    def _tell_lost(self, fault: Exception) -> None:
        """Once for each loss: the supervisor logs a broker that was never there."""
        if self._lost is False:
            _log.warning("broker_lost", reason=repr(fault), **{"error.type": type(fault).__name__})
            self._lost = True

    def _what_is_held(self, order: str) -> dict[str, Any]:
        return self._shared.inquiries.ask(WAITING, order)

    def _what_is_dead(self) -> str | None:
        silent = self._shared.heartbeat.silent
        return f"silent processes: {len(silent)} of {self._shared.heartbeat.processes}" if silent else None

    def _readiness(self) -> Readiness:
        return Readiness(tuple(self._reasons()), tuple(self._warnings()))

    def _warnings(self) -> Iterator[str]:
        view = self._fresh_view()
        if view is not None and not view.events_consumers:
            yield "nobody consumes the events"
        if self._polling is not None and self._polling.fault and self._awaited is None:
            yield f"the integrations are those of the last answer: {ADDRESS}: {self._polling.fault}"

    def _reasons(self) -> Iterator[str]:
        stop_limit, heartbeat = self._shared.stop_limit, self._shared.heartbeat
        for slot, name in heartbeat.standing.items():
            yield f"process {slot}: ended or stands still: {name}"
        if stop_limit.is_engaged:
            until = f"until {rfc3339(stop_limit.released_at)}, or `fiscal-worker resume`"
            yield f"stopped itself {until}, after too many dead letters in a row"
        elif self.refusal is not None:
            yield self.refusal
        elif self._awaited is not None:
            yield f"waits for the integrations: {ADDRESS}: {self._awaited}"
        elif heartbeat.consuming < heartbeat.processes:
            yield f"consuming: {heartbeat.consuming} of {heartbeat.processes} processes"
            if self._fresh_view() is None:
                yield self._why_unseen()

    def _why_unseen(self) -> str:
        if not self._seen_at:
            return "the broker has not been there since the start"
        return f"the broker is away since {rfc3339(time.time() - (time.monotonic() - self._seen_at))}"


def _refusal(fault: Exception) -> str | None:
    """What to do if waiting does not help: a person has to change something at the broker, or here."""
    if isinstance(fault, ProbableAuthenticationError):
        return "the broker refuses user or password: set FISCAL_RABBITMQ_URL to what it knows"
    if isinstance(fault, ProbableAccessDeniedError):
        return "the broker has no such virtual host, or it is not this user's: see FISCAL_RABBITMQ_URL"
    if isinstance(fault, ChannelClosedByBroker) and fault.reply_code == _NO_RIGHTS:
        return "the broker's user lacks rights: give it those of docs/security.md"
    return str(fault) if isinstance(fault, TopologyMismatch) else None
