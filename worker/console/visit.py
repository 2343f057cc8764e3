"""One request of somebody, and the answer to it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from config import settings as configuration
from worker.console.rendering import render, worded
from worker.console.sign_in import FIELD, BrowserSession
from worker.fiscal.languages import SOURCE

#: Seconds after which a page that is open looks for news.
REFRESH = 10


@dataclass(frozen=True, slots=True)
class Visit:
    """``actor`` is the user's name for the audit log."""

    request: Request
    session: BrowserSession
    form: Mapping[str, str]
    language: str
    actor: str
    #: Jobs under way.
    running: int

    @property
    def query(self) -> Mapping[str, str]:
        return self.request.query_params

    def page(self, template: str, status: int = 200, **values: Any) -> Response:
        """A page in the language of the visit."""
        frame = frame_of(self.request, self.session, running=self.running)
        return HTMLResponse(render(template, self.language, {**frame, **values}), status)

    def problem(self, text: str, status: int, **values: object) -> Response:
        """A page that says what did not work; ``text`` is marked for the catalogues."""
        return self.page("problem.html", status, text=worded(text, self.language, **values))

    @staticmethod
    def redirect(path: str) -> Response:
        return RedirectResponse(path, 303)


def frame_of(request: Request, session: BrowserSession | None, *, running: int = 0) -> dict[str, Any]:
    """What every page has around it."""
    url = request.url
    return {
        "session": session,
        "csrf": (FIELD, session.csrf) if session else None,
        "path": url.path,
        "here": f"{url.path}?{url.query}" if url.query else url.path,
        "running": running,
        "refresh": REFRESH,
    }


def runbook(language: str) -> str:
    """The runbook in a language: its file lies beside the English one."""
    url = configuration.load().runbook_url
    if language == SOURCE or not url.endswith(".md"):
        return url
    return f"{url.removesuffix('.md')}.{language}.md"
