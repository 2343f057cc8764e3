"""What is done for each shift that is seen closed: a notice, and a reconciliation where a journal is kept."""

from __future__ import annotations

import math
import time
from collections import Counter
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from worker.checkbox.shift_finder import Access, FoundShift
from worker.fiscal.instants import rfc3339
from worker.fiscal.integrations import Integration
from worker.journal.shift_data import report_data, shift_data
from worker.process.shift_closings import BACK, Closings
from worker.rabbit.notices import notice_id
from worker.rabbit.shift_notices import ShiftClosed, ShiftNotices, ShiftReconciled, Unpublished
from worker.telemetry import metrics
from worker.telemetry.logs import logger

if TYPE_CHECKING:
    from worker.journal.reconciliation.shift import ShiftReport

_log = logger(__name__)
#: Seconds between two looks at the journal's queue.
_LAG_EVERY = 10.0
#: Seconds until a shift is looked at again whose receipts are too young, or could not be compared.
_AGAIN = 30.0
_NOT_COMPARED_AGAIN = 900.0
#: Seconds that a reconciliation may take, with the end of one before it that nobody waits for.
_LONGEST = 600.0

#: Holds a shift against the journal; a report for each integration.
Reconcile = Callable[[Access, FoundShift, float], "list[ShiftReport]"]


@dataclass(slots=True)
class _Pending:
    """A closed shift that is to be held against the journal. Times are monotonic seconds."""

    found: FoundShift
    given_up_at: float
    at: float = 0.0


@dataclass(frozen=True, slots=True)
class _Running:
    """A reconciliation in its thread."""

    pending: _Pending
    future: Future[list[ShiftReport]]
    late_at: float


class ClosedShifts:
    """The chore; for one thread. Reconciliations run one by one in another."""

    def __init__(
        self,
        integrations: Callable[[], Mapping[str, Integration]],
        access: Callable[[Mapping[str, Integration]], Access],
        notices: ShiftNotices,
        reconcile: Reconcile | None,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """``reconcile`` is None where no journal is kept."""
        self._integrations = integrations
        self._access = access
        self._notices = notices
        self._reconcile = reconcile
        self._monotonic = monotonic
        self._closings = Closings(integrations, access, monotonic)
        self._pending: list[_Pending] = []
        self._running: _Running | None = None
        self._thread = _thread()
        self._lag: int | None = None
        self._lag_at = 0.0
        #: Differences by kind, by shift and integration; and when the shift was closed.
        self._counts: dict[tuple[str, str], tuple[float, Counter[str]]] = {}
        self._shown: set[tuple[str, str]] = set()
        self._is_known_to_rest = False
        # A process that died in this one's place may have left some.
        metrics.RECONCILIATION_DIFFERENCES.withdraw_all()

    def work(self, progress: Callable[[], None]) -> None:
        """One round. A broker that is away leaves what is to be published for the next."""
        self._is_known_to_rest = False
        try:
            self._look_at_lag()
            self._closings.look()
            while self._closings.found:
                self._tell_closed(self._closings.found[0])
                self._closings.found.popleft()
                progress()
            self._hold_against_journal()
        except Unpublished as reason:
            _log.info("notice_not_published", reason=str(reason))
        self._show()

    def rest(self) -> None:
        """Metrics are withdrawn, and what was known is forgotten."""
        if self._is_known_to_rest:
            return
        self._is_known_to_rest = True
        self._closings.forget()
        self._pending, self._running, self._counts, self._lag = [], None, {}, None
        self._show()
        self._notices.close()

    def _look_at_lag(self) -> None:
        now = self._monotonic()
        if now >= self._lag_at:
            self._lag_at = now + _LAG_EVERY
            self._lag = None
            self._lag = self._notices.journal_lag()

    def _tell_closed(self, found: FoundShift) -> None:
        for integration, cashier in found.told_for:
            data = shift_data(integration, cashier, found.register, found.record)
            self._notices.publish(
                ShiftClosed(
                    id=notice_id("shift.closed", integration, found.record.id),
                    time=rfc3339(time.time()),
                    data={**data, "zReport": report_data(found.record.z_report)},
                )
            )
        if self._reconcile is not None:
            self._pending.append(_Pending(found, given_up_at=self._monotonic() + BACK))

    def _hold_against_journal(self) -> None:
        now = self._monotonic()
        if (running := self._running) is not None:
            if running.future.done():
                self._take(running.pending, running.future)
            elif now < running.late_at:
                return
            else:
                self._drop(running.pending)
            self._running = None
        self._pending = [one for one in self._pending if now < one.given_up_at]
        due = [one for one in self._pending if one.at <= now]
        # What still waits for the journal would seem to be missing in it.
        if due and self._lag == 0:
            future = self._thread.submit(self._reconciled, due[0].found)
            self._running = _Running(due[0], future, now + _LONGEST)

    def _drop(self, pending: _Pending) -> None:
        """The database or Checkbox hangs: the thread is left to it, and the next shift gets another."""
        self._thread.shutdown(wait=False, cancel_futures=True)
        self._thread = _thread()
        pending.at = self._monotonic() + _NOT_COMPARED_AGAIN
        _log.error("reconciliation_too_long", reason=f"none came of it in {_LONGEST:g} s; tried again")

    def _reconciled(self, found: FoundShift) -> list[ShiftReport]:
        assert self._reconcile is not None
        return self._reconcile(self._access(self._integrations()), found, time.time())

    def _take(self, pending: _Pending, future: Future[list[ShiftReport]]) -> None:
        error = future.exception()
        if error is not None:
            _log.error("shift_not_reconciled", exc_info=error)
            pending.at = self._monotonic() + _NOT_COMPARED_AGAIN
            return
        reports = future.result()
        if not all(one.is_settled for one in reports):
            pending.at = self._monotonic() + _AGAIN
            return
        for report in reports:
            self._tell_reconciled(report.data())
            self._count(report)
        if any(one.kind.value == "not_compared" for report in reports for one in report.differences):
            pending.at = self._monotonic() + _NOT_COMPARED_AGAIN
        else:
            self._pending.remove(pending)

    def _tell_reconciled(self, data: dict[str, Any]) -> None:
        identity = (data["integration"], data["shift"]["id"], data["differences"])
        now = rfc3339(time.time())
        self._notices.publish(
            ShiftReconciled(id=notice_id("shift.reconciled", *identity), time=now, data=data)
        )

    def _count(self, report: ShiftReport) -> None:
        assert report.shift is not None
        counts = Counter(one.kind.value for one in report.differences)
        self._counts[report.shift.id, report.integration] = report.shift.closed_at or time.time(), counts

    def _show(self) -> None:
        metrics.JOURNAL_LAG.set(math.nan if self._lag is None else self._lag)
        configured, since = self._integrations(), time.time() - BACK
        sums: Counter[tuple[str, str]] = Counter()
        for key, (closed_at, counts) in list(self._counts.items()):
            if closed_at < since or key[1] not in configured:
                del self._counts[key]
                continue
            for kind, count in counts.items():
                sums[key[1], kind] += count
        for label in self._shown - set(sums):
            metrics.RECONCILIATION_DIFFERENCES.labels(*label).set(math.nan)
        for label, count in sums.items():
            metrics.RECONCILIATION_DIFFERENCES.labels(*label).set(count)
        self._shown = set(sums)


def _thread() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(1, "reconciliation")
