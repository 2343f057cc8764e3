"""What takes longer than a page may: runs in a thread of its own, and tells how far it is."""

from __future__ import annotations

import secrets
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Iterable

from config import settings as configuration
from config.errors import ConfigurationError
from worker.app import read_integrations
from worker.console import letters
from worker.operators.connection import BrokerUnreachable
from worker.operators.dead_letters.changes import Report
from worker.operators.dead_letters.filter import Filter
from worker.operators.dead_letters.lock import Locked
from worker.operators.dead_letters.look_through import NoDeadLetterQueue
from worker.operators.doctor.examination import checkbox, chosen
from worker.operators.doctor.finding import Finding

#: What a look or a job may end with, in words for people.
FAULTS = (BrokerUnreachable, Locked, NoDeadLetterQueue, ConfigurationError)
_KEPT = 50


class Job(ABC):
    """One thing under way, or over."""

    title: str

    def __init__(self, total: int) -> None:
        self.id = secrets.token_urlsafe(9)
        self.total = total
        self.fault: str | None = None
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"job {self.id}", daemon=True)

    @property
    def is_over(self) -> bool:
        return not self._thread.is_alive()

    @property
    @abstractmethod
    def done(self) -> int:
        """Of ``total``."""

    @property
    @abstractmethod
    def status(self) -> str:
        """One sentence."""

    @abstractmethod
    def work(self) -> None:
        """May raise what is in ``FAULTS``."""

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Ask for its end at the next good point."""
        self._stop.set()

    def join(self) -> None:
        self._thread.join(15)

    def _run(self) -> None:
        try:
            self.work()
        except FAULTS as fault:
            self.fault = str(fault)


class Replay(Job):
    """Letters on their way back."""

    title = "Replay"

    def __init__(self, wanted: Filter, agreed: int) -> None:
        super().__init__(agreed)
        self.report = Report()
        self._wanted = wanted

    @property
    def done(self) -> int:
        return self.report.done + self.report.failed

    @property
    def status(self) -> str:
        report = self.report
        failed = f", {report.failed} failed and are still there" if report.failed else ""
        withheld = f", {report.withheld} left alone" if report.withheld else ""
        return f"{report.done} of {self.total} replayed{failed}{withheld}"

    def work(self) -> None:
        letters.replay(self._wanted, self.total, self.report, self._stop.is_set)


class CashierLook(Job):
    """The state of cashiers and shifts, as `doctor` sees it."""

    title = "Cashiers and shifts"

    def __init__(self) -> None:
        settings = configuration.load()
        loaded = read_integrations(settings)
        self._rows = chosen(loaded.integrations.rows, set(), set())
        self.findings: list[Finding] = []
        super().__init__(len(self._rows))

    @property
    def done(self) -> int:
        return len({one.subject for one in self.findings if one.check == "sign-in"})

    @property
    def status(self) -> str:
        return f"{self.done} of {self.total} cashiers looked at"

    def work(self) -> None:
        for finding in checkbox(self._rows, time.time):
            if finding not in self.findings:
                self.findings.append(finding)
            if self._stop.is_set():
                return


class Jobs:
    """The last ones by id."""

    def __init__(self) -> None:
        self._jobs: dict[str, Job] = {}

    def start(self, job: Job) -> Job:
        self._jobs = {one.id: one for one in (*list(self._jobs.values())[-_KEPT:], job)}
        job.start()
        return job

    def get(self, job_id: str) -> Job | None:
        return self._jobs.get(job_id)

    def last_look(self) -> CashierLook | None:
        """The newest look at the cashiers."""
        looks = [job for job in self._jobs.values() if isinstance(job, CashierLook)]
        return looks[-1] if looks else None

    def end(self) -> None:
        """Stop all, and wait for them: the current letter of each is finished."""
        running: Iterable[Job] = [job for job in self._jobs.values() if not job.is_over]
        for job in running:
            job.stop()
        for job in running:
            job.join()
