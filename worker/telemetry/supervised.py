"""The background threads of a process: each survives a bad round, and shows when it does none any more."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from worker.telemetry.logs import logger

_log = logger(__name__)
#: Seconds until an error of the same kind is logged again.
_REPORT_AGAIN = 3600.0


class SupervisedLoop:
    """Does ``work`` in a thread of its own, round after round, until ``stop`` is set.

    A round that raises is logged, once for each kind of error in an hour, and the next one follows.
    """

    def __init__(
        self,
        name: str,
        work: Callable[[Callable[[], None]], None],
        stop: threading.Event,
        *,
        pause: Callable[[], float],
        longest: float = 120.0,
        after: Callable[[], None] = lambda: None,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """``work`` is given ``progress``, for rounds with several parts.

        ``pause`` gives the seconds before the next round, and ``longest`` is how many a round may take.

        ``after`` is called in the thread when the last round is over.
        """
        self.name = name
        self._work = work
        self._stop = stop
        self._pause = pause
        self._longest = longest
        self._after = after
        self._monotonic = monotonic
        self._logged_at: dict[type[Exception], float] = {}
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self.progress()

    def start(self) -> None:
        self.progress()
        self._thread.start()

    def join(self, seconds: float) -> None:
        self._thread.join(seconds)

    @property
    def is_alive(self) -> bool:
        return self._thread.is_alive()

    @property
    def is_own_thread(self) -> bool:
        return threading.get_ident() == self._thread.ident

    @property
    def stands(self) -> bool:
        """The thread ended, or its round takes too long."""
        return not self.is_alive or self._monotonic() > self._late_at

    def progress(self) -> None:
        """A part of a long round is done: the time that a round may take begins anew."""
        self._late_at = self._monotonic() + self._longest

    def _run(self) -> None:
        while not self._stop.is_set():
            self.progress()
            self._round()
            pause = self._pause()
            self._late_at = self._monotonic() + pause + self._longest
            self._stop.wait(pause)
        self._after()

    def _round(self) -> None:
        try:
            self._work(self.progress)
        except Exception as error:  # whatever it is, the next round may go well
            self._report(error)

    def _report(self, error: Exception) -> None:
        now, kind = self._monotonic(), type(error)
        if now >= self._logged_at.get(kind, now):
            self._logged_at[kind] = now + _REPORT_AGAIN
            _log.error("background_round_failed", kind=self.name, exc_info=error)
