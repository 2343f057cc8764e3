"""Who may look and change: a token opens a session, and what changes anything comes from a page of ours."""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import urlsplit

from starlette.requests import Request

COOKIE = "fiscal_console"
#: The hidden field of each form.
FIELD = "csrf"
LIFETIME = 12 * 3600
_SESSIONS = 100


@dataclass(frozen=True, slots=True)
class BrowserSession:
    """A browser that has shown the token. ``csrf`` is known to our pages alone."""

    id: str
    csrf: str
    until: float


class SignIns:
    """The sessions of one console; they end with it."""

    def __init__(self, token: str, monotonic: Callable[[], float]) -> None:
        self._token = token
        self._monotonic = monotonic
        self._sessions: dict[str, BrowserSession] = {}

    def open(self, token: str) -> BrowserSession | None:
        """A new session for who knows the token."""
        if not hmac.compare_digest(token.encode(), self._token.encode()):
            return None
        now = self._monotonic()
        live = [one for one in self._sessions.values() if one.until > now][-_SESSIONS + 1 :]
        session = BrowserSession(secrets.token_urlsafe(32), secrets.token_urlsafe(32), now + LIFETIME)
        self._sessions = {one.id: one for one in (*live, session)}
        return session

    def session(self, request: Request) -> BrowserSession | None:
        """The one that the browser is in."""
        session = self._sessions.get(request.cookies.get(COOKIE, ""))
        return session if session is not None and session.until > self._monotonic() else None

    def close(self, session: BrowserSession) -> None:
        self._sessions.pop(session.id, None)


def is_from_here(request: Request) -> bool:
    """Whether a form was sent by a page of ours: browsers tell the origin of each."""
    origin = urlsplit(request.headers.get("origin", ""))
    return bool(origin.netloc) and origin.netloc == request.headers.get("host")


def knows(session: BrowserSession, form: dict[str, str]) -> bool:
    return hmac.compare_digest(form.get(FIELD, "").encode(), session.csrf.encode())
