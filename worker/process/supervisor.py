"""``fiscal-worker run``: starts the processes, restarts what dies, ends them within the time that is given.

Its only other thread writes the log and holds no lock across a fork.
"""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from contextlib import suppress

import pika

from config.integrations_watch import IntegrationsWatch
from config.settings import Settings
from worker.app import integrations_read, topology_of
from worker.interprocess.shared import Shared
from worker.process.monitor import Monitor
from worker.process.worker import Process
from worker.rabbit.connection import LOST, parameters
from worker.telemetry import metrics
from worker.telemetry.log_writer import LogWriter
from worker.telemetry.logs import logger
from worker.telemetry.tally import TALLY

_log = logger(__name__)
#: Seconds for what is in flight; the contract gives 25 in all.
_GRACE = 22.0
_RESTART_AFTER = 1.0
#: Seconds between two looks at the integrations file: what is started anew inherits what is in force.
_LOOK_EVERY = 1.0
_SIGNALS = {signal.SIGTERM, signal.SIGINT, signal.SIGCHLD}
_MONITOR = -1


class Supervisor:
    """The main process."""

    def __init__(self, settings: Settings, integrations: IntegrationsWatch, shared: Shared) -> None:
        self._settings = settings
        self._integrations = integrations
        self._shared = shared
        self._topology = topology_of(settings)
        self._children: dict[int, int] = {}
        self._restarts: dict[int, float] = {}

    def run(self) -> int:
        """The exit code. Raises ``TopologyMismatch``."""
        signal.pthread_sigmask(signal.SIG_BLOCK, _SIGNALS)
        try:
            self._start(_MONITOR)
            if self._await_integrations() and self._await_broker():
                for slot in range(self._settings.processes):
                    self._start(slot)
                _log.info(
                    "worker_started", processes=self._settings.processes, threads=self._settings.threads
                )
                self._watch()
            return self._end()
        finally:
            for pid in self._children:
                _kill(pid, signal.SIGKILL)

    def _start(self, slot: int) -> None:
        pid = os.fork()
        if pid:
            self._children[pid] = slot
            return
        TALLY.write_as(slot - _MONITOR)
        _in_child(self._monitor if slot == _MONITOR else lambda: self._process(slot), self._shared.log)

    def _monitor(self) -> None:
        Monitor(self._settings, self._shared).run()

    def _process(self, slot: int) -> None:
        Process(self._settings, self._integrations, self._shared, slot).run()

    def _await_integrations(self) -> bool:
        """Until the monitor has fetched some that can be read; False when the end came first."""
        document = self._shared.document
        while document is not None and not self._integrations.has_any:
            version = self._integrations.look()
            if version is not None:
                # Later versions are logged by the worker processes.
                integrations_read(version)
                document.refusal = "; ".join(version.faults)
            if self._next_signal(_LOOK_EVERY / 4) in (signal.SIGTERM, signal.SIGINT):
                return False
            self._mind_children()
        return True

    def _await_broker(self) -> bool:
        """Declare everything as soon as the broker is there; False when the end came first."""
        params = parameters(self._settings.rabbitmq_url.get_secret_value(), "fiscal-worker supervisor")
        is_logged = False
        while True:
            try:
                connection = pika.BlockingConnection(params)
                self._topology.declare(connection.channel())
                self._topology.remove_other_bindings(connection)
                connection.close()
                return True
            except LOST as error:
                if not is_logged:
                    _log.warning("broker_awaited", **{"error.type": type(error).__name__})
                    is_logged = True
            if self._next_signal(1.0) in (signal.SIGTERM, signal.SIGINT):
                return False

    def _next_signal(self, seconds: float) -> int | None:
        received = signal.sigtimedwait(_SIGNALS, seconds)
        return received.si_signo if received else None

    def _watch(self) -> None:
        """Until the end is asked for."""
        looked_at = time.monotonic()
        while self._next_signal(1.0) not in (signal.SIGTERM, signal.SIGINT):
            # A change counts when two looks see the same: signals must not bring these together.
            if time.monotonic() - looked_at >= _LOOK_EVERY:
                self._integrations.look()
                looked_at = time.monotonic()
            self._mind_children()

    def _mind_children(self) -> None:
        """Restart what died, after a moment."""
        for slot, status in self._reap():
            _log.error("process_died", exit_code=os.waitstatus_to_exitcode(status))
            metrics.PROCESS_RESTARTS.inc()
            self._restarts[slot] = time.monotonic() + _RESTART_AFTER
        for slot in [slot for slot, due in self._restarts.items() if due <= time.monotonic()]:
            del self._restarts[slot]
            self._start(slot)

    def _reap(self) -> list[tuple[int, int]]:
        ended = []
        while self._children:
            pid, status = os.waitpid(-1, os.WNOHANG)
            if not pid:
                break
            slot = self._children.pop(pid, None)
            if slot is None:  # process 1 of a container inherits the orphans of others
                continue
            if slot != _MONITOR:
                self._shared.heartbeat.gone(slot)
            ended.append((slot, status))
        return ended

    def _end(self) -> int:
        """What is in flight ends; then, or at a second signal, or when the time is over, everything does.

        What is cut off is not acknowledged: the broker delivers it again, and a look-up comes first.
        """
        _log.info("worker_stopping")
        deadline = time.monotonic() + _GRACE
        workers = self._signal(signal.SIGTERM, lambda slot: slot != _MONITOR)
        while workers & self._children.keys() and time.monotonic() < deadline:
            if self._next_signal(0.5) in (signal.SIGTERM, signal.SIGINT):
                break
            self._reap()
        cut_off = self._signal(signal.SIGKILL, lambda slot: slot != _MONITOR)
        if cut_off:
            _log.warning("worker_cut_off", count=len(cut_off))
        self._signal(signal.SIGKILL, lambda slot: slot == _MONITOR)
        _log.info("worker_stopped")
        return 0

    def _signal(self, number: signal.Signals, selected: Callable[[int], bool]) -> set[int]:
        pids = {pid for pid, slot in self._children.items() if selected(slot)}
        for pid in pids:
            _kill(pid, number)
        return pids


def _in_child(work: Callable[[], None], log: LogWriter) -> None:
    signal.pthread_sigmask(signal.SIG_UNBLOCK, _SIGNALS)
    code = 1
    try:
        work()
        code = 0
    except Exception as error:  # logged before the process ends; the parent starts another
        _log.error("process_broke", exc_info=error)
    finally:
        log.drain()
        os._exit(code)


def _kill(pid: int, number: signal.Signals) -> None:
    with suppress(ProcessLookupError):  # it was faster
        os.kill(pid, number)
