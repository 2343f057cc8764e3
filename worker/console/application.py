"""The pages' addresses: who may ask, what a form may change, and what is answered where something fails."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from importlib.resources import files
from urllib.parse import parse_qsl

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from worker.console import letters, pages
from worker.console.jobs import FAULTS, CashierLook, Job, Jobs, Replay
from worker.console.layout import asked
from worker.console.sign_in import COOKIE, LIFETIME, BrowserSession, SignIns, is_from_here, knows

_FORM_LIMIT = 16 * 1024
#: Seconds that a wrong token costs.
_WRONG_TOKEN = 1.0
_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self';"
    " form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cache-Control": "no-store",
}
Form = dict[str, str]
Handler = Callable[[Request, BrowserSession, Form], Response]


class Console:
    """One console: its sessions and its jobs."""

    def __init__(self, token: str) -> None:
        self._access = SignIns(token, time.monotonic)
        self._jobs = Jobs()

    def application(self) -> Starlette:
        get, post = ["GET"], ["POST"]
        routes = [
            Route("/style.css", _asset("style.css", "text/css"), methods=get),
            Route("/progress.js", _asset("progress.js", "text/javascript"), methods=get),
            Route("/sign-in", self._sign_in, methods=["GET", "POST"]),
            Route("/sign-out", self._guarded(self._sign_out), methods=post),
            Route("/", self._guarded(self._overview), methods=get),
            Route("/letters", self._guarded(self._letters), methods=get),
            Route("/replay", self._guarded(self._dry_run), methods=get),
            Route("/replay", self._guarded(self._replay), methods=post),
            Route("/cashiers", self._guarded(self._cashiers), methods=get),
            Route("/cashiers", self._guarded(self._look), methods=post),
            Route("/jobs/{job}.json", self._guarded(self._progress), methods=get),
            Route("/jobs/{job}", self._guarded(self._job), methods=get),
            Route("/jobs/{job}/stop", self._guarded(self._stop), methods=post),
        ]
        return Starlette(routes=routes, lifespan=self._lifespan)

    @asynccontextmanager
    async def _lifespan(self, _: Starlette) -> AsyncIterator[None]:
        yield
        await run_in_threadpool(self._jobs.end)

    def _guarded(self, handler: Handler) -> Callable[[Request], Awaitable[Response]]:
        """Only for who is signed in; a form only from a page of ours. Handlers run in a thread: they wait."""

        async def endpoint(request: Request) -> Response:
            session = self._access.session(request)
            if session is None:
                return _headed(RedirectResponse("/sign-in", 303))
            form: Form = {}
            if request.method == "POST":
                form = await _form(request)
                if not (is_from_here(request) and knows(session, form)):
                    text = "This form was not sent by a page of this console. Load the page anew."
                    return _headed(HTMLResponse(pages.problem(text, session), 403))
            try:
                return _headed(await run_in_threadpool(handler, request, session, form))
            except FAULTS as fault:
                return _headed(HTMLResponse(pages.problem(str(fault), session), 503))

        return endpoint

    async def _sign_in(self, request: Request) -> Response:
        if request.method == "GET":
            return _headed(HTMLResponse(pages.sign_in(None)))
        form = await _form(request)
        session = self._access.open(form.get("token", "").strip()) if is_from_here(request) else None
        if session is None:
            await asyncio.sleep(_WRONG_TOKEN)
            return _headed(HTMLResponse(pages.sign_in("That is not the token."), 403))
        response = RedirectResponse("/", 303)
        response.set_cookie(COOKIE, session.id, max_age=LIFETIME, httponly=True, samesite="strict")
        return _headed(response)

    def _sign_out(self, request: Request, session: BrowserSession, form: Form) -> Response:
        self._access.close(session)
        return RedirectResponse("/sign-in", 303)

    def _overview(self, request: Request, session: BrowserSession, form: Form) -> Response:
        return HTMLResponse(pages.overview(letters.groups(), session))

    def _letters(self, request: Request, session: BrowserSession, form: Form) -> Response:
        wanted = asked(request.query_params)
        return HTMLResponse(pages.letters(letters.chosen(wanted), wanted, session))

    def _dry_run(self, request: Request, session: BrowserSession, form: Form) -> Response:
        wanted = asked(request.query_params)
        return HTMLResponse(pages.dry_run(*letters.counted(wanted), wanted, session))

    def _replay(self, request: Request, session: BrowserSession, form: Form) -> Response:
        """No more letters than the page has shown."""
        agreed = form.get("agreed", "")
        if not (agreed.isascii() and agreed.isdigit() and int(agreed[:9])):
            return HTMLResponse(pages.problem("How many letters were agreed to is missing.", session), 400)
        return self._started(Replay(asked(form), int(agreed[:9])))

    def _cashiers(self, request: Request, session: BrowserSession, form: Form) -> Response:
        return HTMLResponse(pages.cashiers(self._jobs.last_look(), session))

    def _look(self, request: Request, session: BrowserSession, form: Form) -> Response:
        last = self._jobs.last_look()
        if last is not None and not last.is_over:
            return RedirectResponse(f"/jobs/{last.id}", 303)  # one at a time for a cashier
        return self._started(CashierLook())

    def _started(self, job: Job) -> Response:
        return RedirectResponse(f"/jobs/{self._jobs.start(job).id}", 303)

    def _job(self, request: Request, session: BrowserSession, form: Form) -> Response:
        job = self._jobs.get(request.path_params["job"])
        if job is None:
            return HTMLResponse(pages.problem("There is no such job any more.", session), 404)
        return HTMLResponse(pages.job(job, session))

    def _progress(self, request: Request, session: BrowserSession, form: Form) -> Response:
        job = self._jobs.get(request.path_params["job"])
        if job is None:
            return JSONResponse({}, 404)
        over = job.is_over  # before the figures: those of the end are told with it
        return JSONResponse({"done": job.done, "status": job.status, "over": over})

    def _stop(self, request: Request, session: BrowserSession, form: Form) -> Response:
        job = self._jobs.get(request.path_params["job"])
        if job is not None:
            job.stop()
        return RedirectResponse(f"/jobs/{request.path_params['job']}", 303)


async def _form(request: Request) -> Form:
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > _FORM_LIMIT:
            return {}
    return dict(parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True))


def _asset(name: str, kind: str) -> Callable[[Request], Awaitable[Response]]:
    content = files("worker.console").joinpath(name).read_bytes()

    async def endpoint(_: Request) -> Response:
        return _headed(Response(content, media_type=kind))

    return endpoint


def _headed(response: Response) -> Response:
    response.headers.update(_HEADERS)
    return response
