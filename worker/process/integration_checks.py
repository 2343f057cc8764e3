"""The chore of checking integrations: those that are new or changed at once, each again once a day.

A check holds back no sale: it takes the token of the running session, and asks beside it.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from queue import Empty, SimpleQueue
from typing import Any

from worker.checkbox.client import CheckboxClient
from worker.checkbox.sessions import Sessions
from worker.checks.cashier import Row
from worker.checks.finding import Severity
from worker.checks.integration import Checked, judge
from worker.checks.reading import Seen, read_row
from worker.checks.report import report
from worker.fiscal.configured import IntegrationRow
from worker.process.check_schedule import Check, CheckSchedule, Watched
from worker.process.checked_gauges import CheckedGauges
from worker.process.checked_notice import checked_notice, identity
from worker.process.running_tokens import RunningTokens
from worker.rabbit.publisher import Publisher
from worker.rabbit.publishing_connection import Publication
from worker.telemetry.logs import logger

_log = logger(__name__)
#: Cashiers that are asked for side by side: at two a second, each may take 15 s to find no answer.
_SIDE_BY_SIDE = 32
#: Seconds until a notice that the broker refused is published again.
_PUBLISH_AGAIN = 30.0


@dataclass(slots=True)
class _Notice:
    """The newest notice of an integration on its way to the broker."""

    notice: Publication
    confirmed: Future[None]
    again_at: float = field(default=0.0)


class IntegrationChecks:
    """Run as a chore; the cashiers are asked for in threads of its own."""

    def __init__(
        self,
        rows: Callable[[], Mapping[str, IntegrationRow]],
        sessions: Sessions,
        client: CheckboxClient,
        publisher: Publisher,
        clock: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._rows = rows
        self._sessions = sessions
        self._client = client
        self._publisher = publisher
        self._clock = clock
        self._monotonic = monotonic
        self._threads = ThreadPoolExecutor(_SIDE_BY_SIDE, "check")
        self._gauges = CheckedGauges()
        self._schedule: CheckSchedule | None = None
        self._answers: SimpleQueue[tuple[Check, Row, Seen]] = SimpleQueue()
        self._notices: dict[str, _Notice] = {}
        #: Of the last check of each integration.
        self._reports: dict[str, dict[str, Any]] = {}
        #: Integrations that people want checked now; empty: those whose check is old.
        self._asked: SimpleQueue[str] = SimpleQueue()

    def reports(self, wanted: str) -> list[dict[str, Any]]:
        """What is known, where this process checks; and look anew at what is wanted. For any thread."""
        self._asked.put(wanted)
        return list(self._reports.values())

    def work(self, _: Callable[[], None]) -> None:
        """Begin the checks that are due, and publish what the finished ones found."""
        if self._schedule is None:
            self._gauges.withdraw_all()
            self._schedule, self._answers = CheckSchedule(self._monotonic), SimpleQueue()
        schedule = self._schedule
        for gone in schedule.look(self._rows()):
            self._gauges.withdraw(gone)
            self._notices.pop(gone, None)
            self._reports.pop(gone, None)
        self._take_questions(schedule)
        self._take_answers(schedule)
        for check, row in schedule.next():
            self._threads.submit(self._ask, self._answers, check, row)
        for one in schedule.finished():
            try:
                self._finish(schedule, one)
            except Exception as error:  # whatever it is, it is this integration's alone
                _log.error("check_broke", integration=one.row.id, exc_info=error)
                schedule.give_up(one)
        self._publish_again()

    def rest(self) -> None:
        """Another process checks, and exports what it knows."""
        self._schedule = None
        self._notices.clear()
        self._reports.clear()
        self._gauges.withdraw_all()
        while not self._asked.empty():
            self._asked.get_nowait()

    def _take_questions(self, schedule: CheckSchedule) -> None:
        while not self._asked.empty():
            wanted = self._asked.get_nowait()
            if wanted:
                schedule.ask(wanted)
            else:
                schedule.ask_old()

    def _take_answers(self, schedule: CheckSchedule) -> None:
        while True:
            try:
                schedule.answered(*self._answers.get_nowait())
            except Empty:
                return

    def _ask(self, answers: SimpleQueue[tuple[Check, Row, Seen]], check: Check, row: Row) -> None:
        seen = Seen(unanswered="internal error")
        try:
            tokens = RunningTokens(self._sessions, row.integration, row.cashier)
            seen = read_row(self._client, row.integration, row.cashier, tokens)
        except Exception as error:  # whatever it is, it is this cashier's alone
            _log.error("check_broke", integration=row.integration.id, cashier=row.cashier.id, exc_info=error)
        finally:
            answers.put((check, row, seen))

    def _finish(self, schedule: CheckSchedule, one: Watched) -> None:
        assert one.check is not None
        now = self._clock()
        checked = judge(one.check.row, one.check.seen, now)
        self._gauges.show(checked)
        self._reports[checked.integration] = report(checked, now)
        if not schedule.end(one, checked, identity(checked)):
            return
        self._log(checked)
        notice = checked_notice(checked, one.row, now).publication()
        self._notices[checked.integration] = _Notice(notice, self._publisher.send(*notice))

    def _log(self, checked: Checked) -> None:
        _log.info(
            "integration_checked",
            integration=checked.integration,
            errors=checked.count(Severity.ERROR),
            warnings=checked.count(Severity.WARNING),
        )

    def _publish_again(self) -> None:
        now = self._monotonic()
        for name, pending in list(self._notices.items()):
            if not pending.confirmed.done():
                continue
            if pending.confirmed.exception() is None:
                del self._notices[name]
            elif not pending.again_at:
                pending.again_at = now + _PUBLISH_AGAIN
            elif pending.again_at <= now:
                self._notices[name] = _Notice(pending.notice, self._publisher.send(*pending.notice))
