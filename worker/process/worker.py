"""One worker process: threads, consumers, and a heartbeat."""

from __future__ import annotations

import os
import random
import signal
import threading
import time
from collections.abc import Callable, Mapping
from functools import partial

from config.integrations_watch import IntegrationsWatch
from config.settings import Settings
from worker.app import archive_check_of, integrations_read, topology_of
from worker.bimp.guarded_check import GuardedArchiveCheck
from worker.checkbox.client import CheckboxClient
from worker.checkbox.isolation import Isolation, threads_of
from worker.checkbox.session import ReceiptRate
from worker.checkbox.sessions import Sessions
from worker.fiscal.configured import IntegrationRow
from worker.fiscal.fiscalization import Fiscalization
from worker.fiscal.issuing import PassDependencies
from worker.fiscal.number_times import NumberTimes
from worker.interprocess.inquiries import CHECKED, WAITING
from worker.interprocess.shared import Shared
from worker.process import shift_watch
from worker.process.chores import chore_round
from worker.process.closed_shifts import ClosedShifts
from worker.process.integration_checks import IntegrationChecks
from worker.process.reconciling import reconciling_of
from worker.process.running_access import RunningAccess
from worker.process.shift_keeper import ShiftKeeper
from worker.rabbit.broker import FiscalBroker
from worker.rabbit.connection import parameters
from worker.rabbit.consuming_connection import ConsumerDependencies
from worker.rabbit.decision import SettlementDependencies
from worker.rabbit.election import Election
from worker.rabbit.fleet import Fleet
from worker.rabbit.held import waiting_for
from worker.rabbit.loop import Loop
from worker.rabbit.mending import mend
from worker.rabbit.passes import Passes
from worker.rabbit.publisher import Publisher
from worker.rabbit.retry_policy import RetryPolicy
from worker.rabbit.settlement import Settlement
from worker.rabbit.shift_notices import ShiftNotices
from worker.rabbit.topology import Topology
from worker.telemetry import metrics, spans, trace
from worker.telemetry.logs import logger
from worker.telemetry.quiet import Quietly
from worker.telemetry.supervised import SupervisedLoop

_log = logger(__name__)

_BEAT = 1.0

#: Requests whose outcome the broker has yet to confirm; their threads have gone on.
_ON_THEIR_WAY = 4

#: Requests that wait for their number, for each thread: what it sells in the two seconds that this takes.
_KEPT_PER_THREAD = 24

#: No pass takes longer: every call has a deadline, and so has every publish. The longest is that of a return,
#: which may read ten pages of receipts.
_STUCK_AFTER = 300.0


def _put_right(kind: str) -> None:
    with Quietly():
        metrics.WARNINGS.labels(kind).inc()
        _log.warning("request_doubtful", kind=kind)


def _duplicate_prevented() -> None:
    with Quietly():
        metrics.DUPLICATES_PREVENTED.inc()


def _dependencies_of_a_pass(settings: Settings) -> PassDependencies:
    archive = archive_check_of(settings)
    return PassDependencies(
        archive=GuardedArchiveCheck(archive, settings.threads, time.monotonic) if archive else None,
        clock=time.time,
        monotonic=time.monotonic,
        return_wait=settings.return_wait.total_seconds(),
        number_times=NumberTimes(),
        duplicate_prevented=_duplicate_prevented,
        warn=_put_right,
    )


class Process:
    """One worker process: threads, consumers, and a heartbeat."""

    def __init__(
        self, settings: Settings, integrations: IntegrationsWatch, shared: Shared, slot: int
    ) -> None:
        params = parameters(settings.rabbitmq_url.get_secret_value(), f"fiscal-worker {os.getpid()}")
        topology = topology_of(settings)
        shared.pages.close()
        self._slot = slot
        self._inquiries = shared.inquiries
        self._shown: Mapping[str, IntegrationRow] | None = None
        self._heartbeat = shared.heartbeat
        self._log = shared.log
        self._stop = threading.Event()
        self._integrations = integrations
        # Inherited: what was refused before this process was started has been logged by another.
        metrics.INTEGRATIONS_BROKEN.set(bool(integrations.version.faults))
        self._fleet = Fleet(params, topology.queue, at_least=settings.processes)
        self._loop = Loop()
        self._loops = [self._loop.supervised]
        self._broker = FiscalBroker(
            ConsumerDependencies(self._loop, params, lambda: shared.stop_limit.is_engaged),
            topology,
            Passes(settings.threads, threads_of(settings.threads), time.monotonic),
            prefetch=threads_of(settings.threads) + _ON_THEIR_WAY,
            room=settings.threads * _KEPT_PER_THREAD,
        )
        client = CheckboxClient(headers=trace.headers)
        sessions = self._sessions(settings, shared, client)
        self._election = Election(params, topology.chores)
        self._keeper = ShiftKeeper(lambda: integrations.current.in_force, sessions)
        self._closed_shifts = ClosedShifts(
            lambda: integrations.current.in_force,
            partial(RunningAccess, client, sessions),
            ShiftNotices(params),
            reconciling_of(settings),
        )
        self._watch = shift_watch.ShiftWatch(lambda: integrations.current.in_force, sessions)
        self._publisher = Publisher(self._loop, params, partial(mend, topology))
        self._checks = IntegrationChecks(lambda: integrations.current.rows, sessions, client, self._publisher)
        self._broker.install(self._settlement(settings, shared, topology, sessions).process)
        self._worker = self._broker.worker()

    def _sessions(self, settings: Settings, shared: Shared, client: CheckboxClient) -> Sessions:
        rate = ReceiptRate(
            shared.limiter, lambda: settings.register_rate * self._fleet.share, time.monotonic, time.time
        )
        return Sessions(client, rate, Isolation(settings.threads, time.monotonic))

    def _settlement(
        self, settings: Settings, shared: Shared, topology: Topology, sessions: Sessions
    ) -> Settlement:
        fiscalization = Fiscalization(
            lambda: self._integrations.current, sessions, _dependencies_of_a_pass(settings)
        )
        return Settlement(
            SettlementDependencies(
                fiscalize=fiscalization.fiscalize,
                publisher=self._publisher,
                topology=topology,
                policy=RetryPolicy(
                    settings.retry_min_backoff.total_seconds(),
                    settings.retry_max_backoff.total_seconds(),
                    settings.retry_max_age.total_seconds(),
                ),
                stop_limit=shared.stop_limit,
                configured=lambda name: self._integrations.current.rows.get(name),
                has_room=self._broker.has_room,
                clock=time.time,
                random=random.Random(),  # noqa: S311 - jitter
            )
        )

    def run(self) -> None:
        """Work until SIGTERM, or until the parent process is gone."""
        parent = os.getppid()
        spans.start()
        signal.signal(signal.SIGTERM, lambda *_: self._stop.set())
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        self._worker.start()
        self._start_loops()
        # A round that breaks leaves out a beat, and the process goes on.
        SupervisedLoop("heartbeat", self._beat, self._stop, pause=lambda: _BEAT).start()
        while not self._stop.wait(_BEAT) and os.getppid() == parent:
            pass
        self._stop.set()
        self._worker.stop()
        self._publisher.close()
        self._loop.close()

    def _start_loops(self) -> None:
        self._supervise("integrations", lambda _: self._look_at_integrations())
        self._supervise("election", lambda _: self._election.round(), after=self._election.close)
        self._supervise("shift_keeper", chore_round(self._election, self._keeper))
        self._supervise("closed_shifts", chore_round(self._election, self._closed_shifts))
        self._supervise("integration_checks", chore_round(self._election, self._checks))
        self._supervise(
            "shift_watch", lambda moved: self._watch.look(self._stop, moved), pause=lambda: shift_watch.EVERY
        )
        # Until the fleet was counted a lone process does not sell.
        self._supervise(
            "fleet",
            self._count_fleet,
            pause=lambda: _BEAT if self._fleet.share else _BEAT / 10,
            after=self._fleet.close,
        )
        find = {WAITING: lambda order: waiting_for(self._broker, order), CHECKED: self._checks.reports}
        answer = self._inquiries.answering(self._slot, find)
        self._supervise("inquiries", lambda _: answer(), pause=lambda: 0.0)

    def _supervise(
        self,
        name: str,
        work: Callable[[Callable[[], None]], None],
        pause: Callable[[], float] = lambda: _BEAT,
        after: Callable[[], None] = lambda: None,
    ) -> None:
        loop = SupervisedLoop(name, work, self._stop, pause=pause, after=after)
        self._loops.append(loop)
        loop.start()

    def _count_fleet(self, _: Callable[[], None]) -> None:
        if self._broker.is_consuming:
            self._fleet.count()

    def _beat(self, _: Callable[[], None]) -> None:
        standing = self._what_stands()
        if standing is None:
            self._heartbeat.beat(self._slot, self._broker.is_consuming)
        else:
            self._heartbeat.stand(self._slot, standing)
        self._heartbeat.hold(self._slot, self._broker.held())
        self._show_integrations()

    def _what_stands(self) -> str | None:
        """The name of a loop or thread that ended or stands still."""
        threads = (*self._worker.workers, *self._worker.consumers.values())
        stopped = [loop.name for loop in self._loops if loop.stands]
        stopped += [thread.name for thread in threads if not thread.is_alive()]
        if self._log.has_ended:
            stopped.append("log")
        if not stopped and self._broker.passes.longest >= _STUCK_AFTER:
            stopped.append("order")
        return ", ".join(stopped) or None

    def _look_at_integrations(self) -> None:
        version = self._integrations.look()
        if version is not None:
            integrations_read(version)

    def _show_integrations(self) -> None:
        """One process is enough: the counters of all are summed."""
        rows = self._integrations.current.rows
        if self._slot == 0 and rows is not self._shown:
            known, self._shown = self._shown or {}, rows
            metrics.start_at_zero(rows.keys() - known.keys())
