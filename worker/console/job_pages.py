"""The pages on jobs, and what people did before, as far as a journal keeps it."""

from __future__ import annotations

from starlette.responses import JSONResponse, Response

from config import settings as configuration
from config.errors import ConfigurationError
from worker.console.jobs import Job, Jobs
from worker.console.letter_jobs import LetterJob, Replay
from worker.console.selection import page_number
from worker.console.visit import Visit
from worker.fiscal.languages import N_
from worker.operators.journal_access import JournalAway, done_by_people


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
        outcomes = job.outcomes if isinstance(job, Replay) else None
        report = job.report if isinstance(job, LetterJob) else None
        return visit.page("job.html", job=job, outcomes=outcomes, report=report)

    def progress(self, visit: Visit) -> Response:
        """The same for the script of the page."""
        job = self._named(visit)
        if job is None:
            return JSONResponse({}, 404)
        over = job.is_over  # read before the figures, which then are final
        return JSONResponse({"done": job.done, "status": job.status(visit.language), "over": over})

    def stop(self, visit: Visit) -> Response:
        job = self._named(visit)
        if job is None:
            return visit.redirect("/jobs")
        job.stop()
        return visit.redirect(job.address)

    def done(self, visit: Visit) -> Response:
        """Who did what, of all consoles and commands."""
        try:
            page = done_by_people(configuration.load(), page_number(visit.query.get("page", "")))
        except ConfigurationError as error:
            return visit.page("done.html", page=None, problem=error.lines[0])
        except JournalAway as error:
            return visit.page("done.html", 503, page=None, problem=str(error))
        return visit.page("done.html", page=page, problem=None)

    def _named(self, visit: Visit) -> Job | None:
        return self._jobs.get(visit.request.path_params["job"])
