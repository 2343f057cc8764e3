"""The frame of every page, and the pieces that several share."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from urllib.parse import urlencode

from worker.console.html import Child, Html, tag, together
from worker.console.sign_in import FIELD, BrowserSession
from worker.operators.dead_letters.filter import Filter

_PLACES = (("/", "Dead letters"), ("/cashiers", "Cashiers and shifts"))


def page(title: str, body: Child, *, session: BrowserSession | None = None, at: str = "") -> str:
    """A whole document."""
    head = tag(
        "head",
        tag("meta", charset="utf-8"),
        tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
        tag("title", f"{title} – fiscal worker"),
        tag("link", rel="stylesheet", href="/style.css"),
        tag("script", src="/progress.js", type="module"),
    )
    header = tag("header", _navigation(at), _sign_out(session)) if session else None
    return "<!doctype html>" + tag(
        "html", head, tag("body", header, tag("main", tag("h1", title), body)), lang="en"
    )


def _navigation(at: str) -> Html:
    links = [tag("a", text, href=path, aria_current="page" if path == at else None) for path, text in _PLACES]
    return tag("nav", links, aria_label="Pages")


def _sign_out(session: BrowserSession) -> Html:
    return form("/sign-out", session, tag("button", "Sign out"))


def form(
    action: str, session: BrowserSession, *children: Child, fields: Mapping[str, str] | None = None
) -> Html:
    """A form that changes something: only a page of ours knows the session's word."""
    hidden = {FIELD: session.csrf, **(fields or {})}
    inputs = [tag("input", type="hidden", name=name, value=value) for name, value in hidden.items()]
    return tag("form", inputs, children, method="post", action=action, class_="row")


def table(caption: str, heads: Sequence[str], rows: Iterable[Sequence[Child]]) -> Html:
    """On a narrow screen each row is a card, and each cell says what it is."""
    cells = (
        tag("tr", (tag("td", cell, data_label=head) for head, cell in zip(heads, row, strict=True)))
        for row in rows
    )
    return tag(
        "table",
        tag("caption", caption, class_="dim"),
        tag("thead", tag("tr", (tag("th", head, scope="col") for head in heads))),
        tag("tbody", cells),
    )


def facts(pairs: Iterable[tuple[str, Child]]) -> Html:
    """Names and values."""
    return tag("dl", ((tag("dt", name), tag("dd", "–" if value is None else value)) for name, value in pairs))


def notice(text: str) -> Html:
    return tag("p", text, class_="notice", role="alert")


def query(wanted: Filter) -> dict[str, str]:
    """A filter as the fields of a form or an address."""
    told = {
        "code": next(iter(wanted.codes), ""),
        "integration": next(iter(wanted.integrations), ""),
        "cashier": next(iter(wanted.cashiers), ""),
        "order": wanted.order or "",
    }
    return {name: value for name, value in told.items() if value}


def asked(fields: Mapping[str, str]) -> Filter:
    """The filter of such fields."""

    def one(name: str) -> frozenset[str]:
        return frozenset({fields[name]}) if fields.get(name) else frozenset()

    return Filter(one("code"), one("integration"), one("cashier"), fields.get("order") or None)


def address(path: str, fields: Mapping[str, str]) -> str:
    return f"{path}?{urlencode(fields)}" if fields else path


def described(wanted: Filter) -> str:
    """A filter in words."""
    return ", ".join(f"{name} {value}" for name, value in query(wanted).items()) or "all letters"


def letters_of(count: int) -> str:
    return f"{count} letter" if count == 1 else f"{count} letters"


def paragraphs(*texts: Child) -> Html:
    return together([tag("p", text) for text in texts])
