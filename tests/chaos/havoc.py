"""What goes wrong during a run, one thing after another, in an order that the seed decides."""

from __future__ import annotations

import os
import random
import shutil
import signal
import time
from collections import Counter
from collections.abc import Callable, Collection, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from tests.chaos.stage import Stage
from tests.journal.process import JournalProcess
from worker.demo.rabbitmq import PrivateRabbitMQ
from worker.demo.worker_process import WorkerProcess

#: How often each comes up in a round.
_DECK = {
    "worker_killed": 3,
    "child_killed": 2,
    "child_paused": 1,
    "folder_removed": 1,
    "reader_paused": 1,
    "worker_stopped": 1,
    "broker_killed": 1,
    "broker_stopped": 1,
    "broker_cut": 2,
    "broker_stalled": 1,
    "broker_refuses": 2,
    "checkbox_cut": 2,
    "checkbox_stalled": 1,
    "tokens_revoked": 2,
    "journal_killed": 2,
}
KINDS = tuple(_DECK)
#: Seconds; less than the calls' time-out (8 s), so that the rate of a register can be judged: what a longer
#: stall lets go of at its end, the worker has given up before.
_STALL = (0.5, 3.0)
#: Seconds; the broker's heartbeat is 20.
_PAUSED = 30.0
_UNREAD = 10.0
#: The queues that outcomes go to.
_SETTLED_IN = r"^(fiscalize|bimp)\."
_DUPLICATES = "fiscal_duplicates_prevented_total"


@dataclass(slots=True)
class Havoc:
    """Plays tricks on a stage; ``calm`` ends them all and leaves everything running."""

    stage: Stage
    node: PrivateRabbitMQ
    worker: WorkerProcess
    journal: JournalProcess
    generator: random.Random
    left_out: Collection[str]
    pause: tuple[float, float]
    done: Counter[str] = field(default_factory=Counter)
    problems: list[str] = field(default_factory=list)
    duplicates_prevented: int = 0
    #: When what was done, for whoever reads the worker's log.
    timeline: list[str] = field(default_factory=list)
    _deck: list[str] = field(default_factory=list)
    _signed_in: list[str] = field(default_factory=list)

    def until(self, enough: Callable[[], bool], at_most: float) -> None:
        """One trick after another until it is enough, the whole deck at least; at most so many seconds."""
        deadline = time.monotonic() + at_most
        while time.monotonic() < deadline and not (enough() and not self._deck):
            self._breathe(enough)
            kind = self._next()
            if kind is None:
                continue
            self.done[kind] += 1
            self.timeline.append(f"{datetime.now(UTC):%H:%M:%S.%f} {kind}")
            self._tricks()[kind]()

    def calm(self) -> None:
        """No more of it: everything runs, and the worker consumes."""
        self.stage.to_broker.resume()
        self.stage.to_checkbox.resume()
        self.node.start()
        assert self.worker.process is not None
        if self.worker.process.poll() is not None:
            self.worker.start(wait=False)
        self.worker.wait_until_ready(60)

    def note_metrics(self) -> None:
        """The worker's own figures, before they die with it."""
        status, text = self.worker.page("/metrics")
        lines = text.splitlines() if status == 200 else []
        self.duplicates_prevented += sum(
            int(float(line.split()[1])) for line in lines if line.startswith(f"{_DUPLICATES} ")
        )

    def _next(self) -> str | None:
        if not self._deck:
            self._deck = [
                kind for kind, times in _DECK.items() if kind not in self.left_out for _ in range(times)
            ]
            self.generator.shuffle(self._deck)
        return self._deck.pop() if self._deck else None

    def _breathe(self, enough: Callable[[], bool]) -> None:
        end = time.monotonic() + self.generator.uniform(*self.pause)
        while time.monotonic() < end and not (enough() and not self._deck):
            time.sleep(0.05)

    def _tricks(self) -> Mapping[str, Callable[[], None]]:
        return {
            "worker_killed": self._kill_worker,
            "child_killed": self._kill_child,
            "child_paused": self._pause_child,
            "folder_removed": self._remove_folder,
            "reader_paused": self._pause_reader,
            "worker_stopped": self._stop_worker,
            "broker_killed": lambda: self._restart_broker(self.node.kill),
            "broker_stopped": lambda: self._restart_broker(self.node.stop),
            "broker_cut": self.stage.to_broker.cut,
            "broker_stalled": lambda: self.stage.to_broker.stall(self.generator.uniform(*_STALL)),
            "broker_refuses": self._refuse_publishes,
            "checkbox_cut": self.stage.to_checkbox.cut,
            "checkbox_stalled": lambda: self.stage.to_checkbox.stall(self.generator.uniform(*_STALL)),
            "tokens_revoked": self._revoke_tokens,
            "journal_killed": self._kill_journal,
        }

    def _kill_worker(self) -> None:
        self.note_metrics()
        self.worker.kill()
        self.worker.start(wait=False)

    def _stop_worker(self) -> None:
        self._await_start()
        self.note_metrics()
        began = time.monotonic()
        code = self.worker.terminate(40)
        took = time.monotonic() - began
        if code != 0 or took > 25:
            end = self.worker.log.read_text()[-3000:]
            self.problems.append(f"SIGTERM: exit code {code} after {took:.1f} s; its log ends in {end}")
        self.worker.start(wait=False)

    def _await_start(self) -> None:
        """A signal before the first line of the program is the operating system's affair: exit code -15."""
        deadline = time.monotonic() + 30
        while self.worker.page("/healthz")[0] == 0 and time.monotonic() < deadline:
            time.sleep(0.05)

    def _kill_child(self) -> None:
        assert self.worker.process is not None
        children = children_of(self.worker.process.pid)
        if children:
            os.kill(self.generator.choice(children), signal.SIGKILL)

    def _pause_child(self) -> None:
        """For longer than the broker's heartbeat: its orders are somebody else's when it goes on."""
        assert self.worker.process is not None
        children = children_of(self.worker.process.pid)
        if not children:
            return
        _paused(self.generator.choice(children), _PAUSED)

    def _pause_reader(self) -> None:
        """Nobody reads what the worker logs."""
        assert self.worker.reader is not None
        _paused(self.worker.reader.pid, _UNREAD)

    def _remove_folder(self) -> None:
        """As a cleaner of temporary files does, while the worker runs."""
        for folder in self.stage.temporary.iterdir():
            shutil.rmtree(folder, ignore_errors=True)

    def _refuse_publishes(self) -> None:
        """Orders still come, and nothing that the worker publishes is taken: what is unsettled goes back."""
        # In two steps: a classic queue that learns both at once drops what it holds (seen on RabbitMQ 3.10).
        for policy in ('{"overflow":"reject-publish"}', '{"max-length":0,"overflow":"reject-publish"}'):
            self.node.ctl("set_policy", "refuse", _SETTLED_IN, policy)
        time.sleep(self.generator.uniform(*_STALL))
        self.node.ctl("clear_policy", "refuse")

    def _revoke_tokens(self) -> None:
        """401 in the middle of a sale, once for a cashier: what a fresh sign-in brings is good."""
        if not self._signed_in:
            self._signed_in = [row.cashier for row in self.stage.rows]
            self.generator.shuffle(self._signed_in)
        share = max(1, len(self.stage.rows) // 8)
        for cashier in self._signed_in[:share]:
            self.stage.sandbox.fault(
                "token_revoked", endpoint="POST /receipts/sell", cashier=cashier, count=1
            )
        del self._signed_in[:share]

    def _kill_journal(self) -> None:
        self.journal.kill()
        self.journal.start()

    def _restart_broker(self, end: Callable[[], None]) -> None:
        end()
        time.sleep(self.generator.uniform(0.0, 1.5))
        self.node.start()


def children_of(pid: int) -> list[int]:
    """The processes that a process has started and that still run."""
    try:
        return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except FileNotFoundError:
        return []


def _paused(process: int, seconds: float) -> None:
    os.kill(process, signal.SIGSTOP)
    time.sleep(seconds)
    with suppress(ProcessLookupError):  # it was killed meanwhile
        os.kill(process, signal.SIGCONT)
