"""A shift is closed and opened by a person: first it is shown, then it is asked, then it is done by a job."""

from __future__ import annotations

import time
from contextlib import suppress
from datetime import UTC, datetime

from starlette.responses import Response

from worker.console.checks import FleetChecks
from worker.console.jobs import Job, Jobs
from worker.console.letter_pages import AuditOf
from worker.console.names import Names
from worker.console.selection import Selection
from worker.console.shift_jobs import Closing, Opening, ShiftChange, ShiftJob, ShiftLook, Whose
from worker.console.snapshot import NothingSeen, Snapshot
from worker.console.visit import Visit
from worker.fiscal.languages import N_

_GONE = N_("There is no such job any more.")


class ShiftPages:
    """Pages of jobs on shifts."""

    def __init__(
        self, jobs: Jobs, snapshot: Snapshot, checks: FleetChecks, names: Names, audit_of: AuditOf
    ) -> None:
        self._jobs = jobs
        self._snapshot = snapshot
        self._checks = checks
        self._audit_of = audit_of
        self._names = names

    def look(self, visit: Visit) -> Response:
        """Ask Checkbox for the cashier's shift; one question at a time for each."""
        whose = Whose(visit.form.get("integration", ""), visit.form.get("cashier", ""))
        job = self._busy(whose) or self._jobs.start(lambda _: ShiftLook(visit.actor, whose))
        return visit.redirect(job.address)

    def job(self, visit: Visit) -> Response:
        """The shift, and what may be done with it; or what came of it."""
        job = self._jobs.get(visit.request.path_params["job"])
        if not isinstance(job, ShiftJob):
            return visit.problem(_GONE, 404)
        self._names.refresh()
        is_over = job.is_over  # read before what came of it
        return visit.page(
            "shift.html",
            job=job,
            result=job.result if isinstance(job, ShiftChange) else None,
            line=job.seen.line(time.time()) if job.seen is not None else None,
            now=datetime.now(UTC),
            may_close=is_over and job.may_close,
            may_open=is_over and job.may_open,
            names=self._names,
            waiting=self._waiting(job.whose) if is_over else 0,
            letters=Selection(integration=job.whose.integration, cashier=job.whose.cashier),
            outcomes=None,
            report=None,
        )

    def close(self, visit: Visit) -> Response:
        return self._change(visit, Closing)

    def open(self, visit: Visit) -> Response:
        return self._change(visit, Opening)

    def _change(self, visit: Visit, kind: type[ShiftChange]) -> Response:
        """Of the shift that the named job has shown, and of no other."""
        shown = self._jobs.get(visit.form.get("shown", ""))
        if not isinstance(shown, ShiftJob) or shown.seen is None:
            return visit.problem(_GONE, 404)
        seen, whose = shown.seen, shown.whose
        audit, after = self._audit_of(visit.actor), lambda: self._checks.again(whose.integration)
        job = self._busy(whose) or self._jobs.start(lambda _: kind(visit.actor, seen, audit, after))
        return visit.redirect(job.address)

    def _busy(self, whose: Whose) -> Job | None:
        """The job on this shift that is under way."""
        running = self._jobs.running()
        return next((job for job in running if isinstance(job, ShiftJob) and job.whose == whose), None)

    def _waiting(self, whose: Whose) -> int:
        """Letters of the cashier that a replay may help."""
        with suppress(NothingSeen):
            chosen = Selection(integration=whose.integration, cashier=whose.cashier)
            return sum(row.may_replay for row in chosen.among(self._snapshot.view().rows))
        return 0
