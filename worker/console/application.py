"""The pages' addresses: who may ask, what a form may change, and what is answered where something fails."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from importlib.resources import files
from typing import Any
from urllib.parse import parse_qsl

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

from worker.console import language as languages
from worker.console.asking import Asking
from worker.console.cashier_pages import CashierPages
from worker.console.checks import FleetChecks
from worker.console.job_pages import JobPages
from worker.console.jobs import Jobs
from worker.console.journal_desk import JournalDesk
from worker.console.language import language_of
from worker.console.letter_pages import LetterPages
from worker.console.names import Names
from worker.console.open_shifts import OpenShiftsLook
from worker.console.order_pages import OrderPages
from worker.console.reconciliation_pages import ReconciliationPages
from worker.console.rendering import render, worded
from worker.console.shift_pages import ShiftPages
from worker.console.sign_in import COOKIE, LIFETIME, Access, SignIns, is_from_here, knows
from worker.console.snapshot import FAULTS, NothingSeen, Snapshot
from worker.console.today import Days
from worker.console.today_pages import TodayPages
from worker.console.visit import Visit, frame_of
from worker.fiscal.languages import LANGUAGES, N_
from worker.operators.audit import Audit

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
_WENT_WRONG = {
    404: N_("There is no such page."),
    405: N_("This page cannot be asked for in this way."),
    500: N_("The console made a mistake; its log says which. Nothing that was not confirmed was done."),
}
Handler = Callable[[Visit], Response]


class Console:
    """One console: its sessions, its picture of the letters, and its jobs."""

    def __init__(self, access: Access, log: Any) -> None:
        self._sign_ins = SignIns(access, time.monotonic)
        self._jobs = Jobs()
        self._snapshot = Snapshot()
        self._shifts = OpenShiftsLook()
        self._log = log

    def application(self) -> Starlette:
        checks, names = FleetChecks(), Names()
        letters = LetterPages(self._snapshot, self._jobs, names, self._audit_of)
        asking = Asking()
        desk = JournalDesk(asking)
        jobs = JobPages(self._jobs, desk)
        cashiers = CashierPages(checks, names)
        shifts = ShiftPages(self._jobs, self._snapshot, checks, names, self._audit_of)
        routes = [
            Route("/style.css", _asset("style.css", "text/css"), methods=["GET"]),
            Route("/page.js", _asset("page.js", "text/javascript"), methods=["GET"]),
            Route("/sign-in", self._sign_in, methods=["GET", "POST"]),
            Route("/language", _choose_language, methods=["GET"]),
            self._changing("/sign-out", self._sign_out, by_anybody=True),
            self._looking("/", letters.overview),
            self._looking("/letters", letters.letters),
            self._looking("/replay", letters.confirm_replay),
            self._changing("/replay", letters.replay),
            self._looking("/discard", letters.confirm_discard),
            self._changing("/discard", letters.discard),
            self._changing("/export", letters.export),
            self._looking("/cashiers", cashiers.cashiers),
            self._changing("/cashiers", cashiers.check, by_anybody=True),
            self._changing("/shifts", shifts.look),
            self._changing("/shifts/close", shifts.close),
            self._changing("/shifts/open", shifts.open),
            self._looking("/shifts/{job}", shifts.job),
            self._looking("/jobs", jobs.jobs),
            self._looking("/done", jobs.done),
            self._looking("/jobs/{job}.json", jobs.progress),
            self._looking("/jobs/{job}", jobs.job),
            self._changing("/jobs/{job}/stop", jobs.stop),
            *self._of_journal(names, asking, desk),
        ]
        handlers = {404: self._went_wrong, 405: self._went_wrong, 500: self._went_wrong}
        return Starlette(routes=routes, exception_handlers=handlers, lifespan=self._lifespan)

    def _audit_of(self, actor: str) -> Audit:
        return Audit(self._log, actor)

    def _of_journal(self, names: Names, asking: Asking, desk: JournalDesk) -> list[Route]:
        today = TodayPages(Days(self._snapshot, desk, asking, self._shifts.last), names)
        orders = OrderPages(self._snapshot, desk, asking, names)
        books = ReconciliationPages(desk, self._jobs, names)
        return [
            self._looking("/today", today.today),
            self._looking("/today.csv", today.file),
            self._looking("/orders", orders.orders),
            self._looking("/reconciliation", books.reconciliation),
            self._changing("/reconciliation", books.compare, by_anybody=True),
        ]

    @asynccontextmanager
    async def _lifespan(self, _: Starlette) -> AsyncIterator[None]:
        self._snapshot.start()
        yield
        await run_in_threadpool(self._jobs.end)
        await run_in_threadpool(self._snapshot.end)
        await run_in_threadpool(self._shifts.end)

    def _looking(self, path: str, handler: Handler) -> Route:
        return Route(path, self._guarded(handler), methods=["GET"])

    def _changing(self, path: str, handler: Handler, *, by_anybody: bool = False) -> Route:
        """Only by a form of a page of ours, and by who may change things."""

        def checked(visit: Visit) -> Response:
            if not (is_from_here(visit.request) and knows(visit.session, dict(visit.form))):
                text = N_("This form was not sent by a page of this console. Load the page anew.")
                return visit.problem(text, 403)
            if not (visit.session.may_change or by_anybody):
                return visit.problem(N_("Your token is read-only."), 403)
            return handler(visit)

        return Route(path, self._guarded(checked), methods=["POST"])

    def _guarded(self, handler: Handler) -> Callable[[Request], Awaitable[Response]]:
        """Only for who is signed in. Handlers run in a thread: they may wait."""

        async def endpoint(request: Request) -> Response:
            session = self._sign_ins.session(request)
            if session is None:
                return _headed(RedirectResponse("/sign-in", 303))
            form = await _form(request) if request.method == "POST" else {}
            visit = Visit(
                request,
                session,
                form,
                language_of(request),
                self._sign_ins.actor(request),
                running=len(self._jobs.running()),
            )
            return _headed(await run_in_threadpool(self._answered, handler, visit))

        return endpoint

    def _answered(self, handler: Handler, visit: Visit) -> Response:
        try:
            return handler(visit)
        except (*FAULTS, NothingSeen) as fault:
            return visit.page("problem.html", 503, text=str(fault))
        except Exception as mistake:
            # Not left to the web server: it would log the mistake's words, which may hold an order.
            self._log.error("page_failed", exc_info=mistake)
            return visit.problem(_WENT_WRONG[500], 500)

    async def _sign_in(self, request: Request) -> Response:
        if request.method == "GET":
            return _sign_in_page(request, None)
        form = await _form(request)
        session = self._sign_ins.open(form.get("token", "").strip()) if is_from_here(request) else None
        if session is None:
            await asyncio.sleep(_WRONG_TOKEN)
            return _sign_in_page(request, N_("That is not the token."))
        response = RedirectResponse("/", 303)
        # A proxy in front may have ended TLS; the origin is what the browser sees.
        is_safe = request.headers.get("origin", "").startswith("https:")
        response.set_cookie(
            COOKIE, session.id, max_age=LIFETIME, secure=is_safe, httponly=True, samesite="strict"
        )
        return _headed(response)

    def _sign_out(self, visit: Visit) -> Response:
        self._sign_ins.close(visit.session)
        return visit.redirect("/sign-in")

    async def _went_wrong(self, request: Request, error: Exception) -> Response:
        status = getattr(error, "status_code", 500)
        language = language_of(request)
        frame = frame_of(request, self._sign_ins.session(request))
        text = worded(_WENT_WRONG[status], language)
        return _headed(HTMLResponse(render("problem.html", language, {**frame, "text": text}), status))


def _sign_in_page(request: Request, problem: str | None) -> Response:
    language = language_of(request)
    text = worded(problem, language) if problem else None
    page = render("sign_in.html", language, {**frame_of(request, None), "text": text})
    return _headed(HTMLResponse(page, 403 if problem else 200))


async def _choose_language(request: Request) -> Response:
    """Remember a language, and go back to a page of ours."""
    to, back = request.query_params.get("to", ""), request.query_params.get("back", "/")
    response = RedirectResponse(back if back.startswith("/") and back[1:2] not in ("/", "\\") else "/", 303)
    if to in LANGUAGES:
        response.set_cookie(
            languages.COOKIE, to, max_age=languages.LIFETIME, httponly=True, samesite="strict"
        )
    return _headed(response)


async def _form(request: Request) -> dict[str, str]:
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
