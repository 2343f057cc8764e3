"""Who may look and who may change: a token opens a session, and a change comes from a page of ours."""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from starlette.requests import Request

COOKIE = "fiscal_console"
#: The hidden field of each form.
FIELD = "csrf"
LIFETIME = 12 * 3600
_SESSIONS = 100
_LONGEST_NAME = 128


@dataclass(frozen=True, slots=True)
class Access:
    """The tokens, and whether a proxy in front names the users."""

    token: str
    read_token: str | None = None
    trusts_forwarded_user: bool = False


@dataclass(frozen=True, slots=True)
class BrowserSession:
    """A browser that has shown a token. ``csrf`` is known to our pages alone."""

    id: str
    csrf: str
    until: float
    may_change: bool
    #: Keys of the letters that it has downloaded a copy of.
    exported: set[str] = field(default_factory=set)


class SignIns:
    """The sessions of one console; they end with it."""

    def __init__(self, access: Access, monotonic: Callable[[], float]) -> None:
        self._access = access
        self._monotonic = monotonic
        self._sessions: dict[str, BrowserSession] = {}

    def open(self, token: str) -> BrowserSession | None:
        """A new session for a right token."""
        may_change = _is(token, self._access.token)
        may_look = self._access.read_token is not None and _is(token, self._access.read_token)
        if not (may_change or may_look):
            return None
        now = self._monotonic()
        live = [one for one in self._sessions.values() if one.until > now][-_SESSIONS + 1 :]
        words = secrets.token_urlsafe(32), secrets.token_urlsafe(32)
        session = BrowserSession(*words, until=now + LIFETIME, may_change=may_change)
        self._sessions = {one.id: one for one in (*live, session)}
        return session

    def session(self, request: Request) -> BrowserSession | None:
        """The one that the browser is in."""
        session = self._sessions.get(request.cookies.get(COOKIE, ""))
        return session if session is not None and session.until > self._monotonic() else None

    def close(self, session: BrowserSession) -> None:
        self._sessions.pop(session.id, None)

    def actor(self, request: Request) -> str:
        """The user's name for the audit log."""
        if self._access.trusts_forwarded_user:
            # Headers are read as Latin-1, and proxies send UTF-8.
            sent = request.headers.get("x-forwarded-user", "").encode("latin-1").decode("utf-8", "replace")
            name = "".join(filter(str.isprintable, sent)).strip()
            if name:
                return name[:_LONGEST_NAME]
        return f"console at {request.client.host if request.client else 'an unknown address'}"


def is_from_here(request: Request) -> bool:
    """Whether a form was sent by a page of ours: browsers name the origin of each."""
    origin = urlsplit(request.headers.get("origin", ""))
    return bool(origin.netloc) and origin.netloc == request.headers.get("host")


def knows(session: BrowserSession, form: dict[str, str]) -> bool:
    return hmac.compare_digest(form.get(FIELD, "").encode(), session.csrf.encode())


def _is(given: str, token: str) -> bool:
    return hmac.compare_digest(given.encode(), token.encode())
