"""What takes longer than a page may: runs in a thread of its own, and says how far it is."""

from __future__ import annotations

import secrets
import threading
from abc import ABC, abstractmethod
from collections.abc import Callable
from datetime import UTC, datetime

from worker.console.snapshot import FAULTS

_KEPT = 50
_LONGEST_END = 15


class Job(ABC):
    """One thing under way, or over. ``title`` is marked for the catalogues."""

    title: str

    def __init__(self, actor: str, total: int) -> None:
        self.id = secrets.token_urlsafe(9)
        self.actor = actor
        self.total = total
        self.began_at = datetime.now(UTC)
        self.fault: str | None = None
        self.stop_wanted = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"job {self.id}", daemon=True)

    @property
    def address(self) -> str:
        """Of its page."""
        return f"/jobs/{self.id}"

    @property
    def is_over(self) -> bool:
        return not self._thread.is_alive()

    @property
    @abstractmethod
    def done(self) -> int:
        """Of ``total``."""

    @abstractmethod
    def status(self, language: str) -> str:
        """One sentence."""

    @abstractmethod
    def work(self) -> None:
        """May raise what is in ``FAULTS``."""

    @property
    def claimed(self) -> frozenset[str]:
        """Keys of the letters that it is working on."""
        return frozenset()

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Ask for its end at the next good point."""
        self.stop_wanted.set()

    def join(self) -> None:
        self._thread.join(_LONGEST_END)

    def _run(self) -> None:
        try:
            self.work()
        except FAULTS as fault:
            self.fault = str(fault)
        except Exception as error:  # without its words, which may hold an order
            self.fault = f"it broke: {type(error).__name__}"


class Jobs:
    """The last ones by id. For any thread."""

    def __init__(self) -> None:
        self._jobs: dict[str, Job] = {}
        self._starting = threading.Lock()

    def start(self, make: Callable[[frozenset[str]], Job]) -> Job:
        """Start the job that is made, given the keys of the letters that others work on."""
        with self._starting:
            claimed = frozenset[str]().union(*(one.claimed for one in self._jobs.values()))
            job = make(claimed)
            over = [one for one in self._jobs.values() if one.is_over][-_KEPT:]
            running = [one for one in self._jobs.values() if not one.is_over]
            self._jobs = {one.id: one for one in (*over, *running, job)}
            job.start()
            return job

    def get(self, job_id: str) -> Job | None:
        return self._jobs.get(job_id)

    def newest_first(self) -> list[Job]:
        return sorted(self._jobs.values(), key=lambda job: job.began_at, reverse=True)

    def running(self) -> list[Job]:
        return [job for job in self.newest_first() if not job.is_over]

    def claimed(self) -> frozenset[str]:
        """Keys of the letters that jobs are working on."""
        return frozenset[str]().union(*(job.claimed for job in self._jobs.values()))

    def end(self) -> None:
        """Stop all, and wait for them: the current letter of each is finished."""
        running = self.running()
        for job in running:
            job.stop()
        for job in running:
            job.join()
