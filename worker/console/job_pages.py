"""The pages on jobs, and on cashiers, who are looked at by a job."""

from __future__ import annotations

from starlette.responses import JSONResponse, Response

from worker.console.jobs import CashierLook, Job, Jobs
from worker.console.letter_jobs import LetterJob, Replay
from worker.console.visit import Visit
from worker.fiscal.languages import N_
from worker.operators.doctor.finding import Finding, State

#: What is wrong is what one came for.
_FIRST = (State.WRONG, State.WARNING, State.OK)


class JobPages:
    """A job goes on when its page is closed."""

    def __init__(self, jobs: Jobs) -> None:
        self._jobs = jobs

    def jobs(self, visit: Visit) -> Response:
        """All of them, the newest first."""
        return visit.page("jobs.html", jobs=self._jobs.newest_first())

    def job(self, visit: Visit) -> Response:
        """How far it is, and what came of it."""
        job = self._named(visit)
        if job is None:
            return visit.problem(N_("There is no such job any more."), 404)
        findings = _sorted(job.findings) if isinstance(job, CashierLook) else None
        return visit.page(
            "job.html",
            job=job,
            findings=findings,
            outcomes=job.outcomes if isinstance(job, Replay) else None,
            report=job.report if isinstance(job, LetterJob) else None,
        )

    def progress(self, visit: Visit) -> Response:
        """The same for the script of the page."""
        job = self._named(visit)
        if job is None:
            return JSONResponse({}, 404)
        over = job.is_over  # read before the figures, which then are final
        return JSONResponse({"done": job.done, "status": job.status(visit.language), "over": over})

    def stop(self, visit: Visit) -> Response:
        job = self._named(visit)
        if job is not None:
            job.stop()
        return visit.redirect(f"/jobs/{visit.request.path_params['job']}")

    def cashiers(self, visit: Visit) -> Response:
        """The last look, and a button for a new one."""
        last = self._jobs.last_look()
        findings = _sorted(last.findings) if last else None
        return visit.page("cashiers.html", job=last, findings=findings)

    def look(self, visit: Visit) -> Response:
        """One look at a time for a cashier."""
        last = self._jobs.last_look()
        if last is not None and not last.is_over:
            return visit.redirect(f"/jobs/{last.id}")
        return visit.redirect(f"/jobs/{self._jobs.start(lambda _: CashierLook(visit.actor)).id}")

    def _named(self, visit: Visit) -> Job | None:
        return self._jobs.get(visit.request.path_params["job"])


def _sorted(findings: list[Finding]) -> list[Finding]:
    return sorted(findings, key=lambda one: _FIRST.index(one.state))
