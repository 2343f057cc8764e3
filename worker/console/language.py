"""Which language a page is in: the one that was chosen, or else the browser's."""

from __future__ import annotations

from starlette.requests import Request

from worker.fiscal.languages import LANGUAGES, SOURCE

COOKIE = "fiscal_language"
#: A year.
LIFETIME = 365 * 86400
NAMES = {"uk": "Українська", "ru": "Русский", "en": "English"}


def language_of(request: Request) -> str:
    """English where neither says a language of ours."""
    chosen = request.cookies.get(COOKIE)
    return chosen if chosen in LANGUAGES else preferred(request.headers.get("accept-language", ""))


def preferred(accepted: str) -> str:
    """The language of ours that an ``Accept-Language`` header prefers (RFC 9110, section 12.5.4)."""
    weighed: list[tuple[float, str]] = []
    for part in accepted.split(","):
        name, _, parameter = part.strip().partition(";")
        try:
            weight = float(parameter.strip().removeprefix("q=") or 1)
        except ValueError:
            continue
        language = name.strip().lower().partition("-")[0]
        if language in LANGUAGES and weight > 0:
            weighed.append((weight, language))
    return max(weighed, key=lambda one: one[0])[1] if weighed else SOURCE
