"""What the pages show."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

from config import settings as configuration
from worker.console.html import Child, Html, tag
from worker.console.jobs import CashierLook, Job, Replay
from worker.console.layout import (
    address,
    described,
    facts,
    form,
    letters_of,
    notice,
    page,
    paragraphs,
    query,
    table,
)
from worker.console.letters import MAX_REPLAYS, RATE, SHOWN, Group
from worker.console.sign_in import BrowserSession
from worker.operators.dead_letters.letter import Filter, Letter
from worker.operators.dead_letters.masking import message_json
from worker.operators.dead_letters.next_steps import entry, next_step
from worker.operators.doctor.finding import State

#: What is wrong is what one came for.
_FIRST = (State.WRONG, State.WARNING, State.OK)


def sign_in(problem: str | None) -> str:
    field = tag(
        "input", type="password", id="token", name="token", required=True, autocomplete="current-password"
    )
    return page(
        "Sign in",
        (
            notice(problem) if problem else None,
            tag("p", "The token was printed when the console started, or is in its token file."),
            tag(
                "form",
                tag("div", tag("label", "Token", for_="token"), field),
                tag("button", "Sign in", class_="primary"),
                method="post",
                action="/sign-in",
                class_="row",
            ),
        ),
    )


def problem(text: str, session: BrowserSession | None) -> str:
    return page("That did not work", notice(text), session=session)


def overview(groups: Sequence[Group], session: BrowserSession) -> str:
    """All letters by code, with the next step for each."""
    total = sum(group.count for group in groups)
    body: list[Child] = [
        tag("p", f"Waiting for a person: {letters_of(total)}." if total else "No letter waits for a person."),
        _search(),
    ]
    for group in groups:
        body += [
            tag("h2", group.code),
            _what_to_do(group.code),
            tag(
                "p", f"{letters_of(group.count)}, the oldest since {group.oldest or 'unknown'}", class_="dim"
            ),
            table(
                f"Letters with {group.code} by cashier",
                ("integration", "cashier", "letters"),
                (_row(group.code, *row, count) for row, count in sorted(group.rows.items())),
            ),
            _links(Filter(codes=frozenset({group.code}))),
        ]
    return page("Dead letters", body, session=session, at="/")


def _what_to_do(code: str | None) -> Html:
    """The sentence for a dead letter's code, and where the runbook says more."""
    if code is None or entry(code) is None:
        return tag("p", next_step(code))
    runbook = f"{configuration.load().runbook_url}#{code.lower()}"
    return tag("p", next_step(code), " ", tag("a", "Runbook", href=runbook))


def _row(code: str, integration: str, cashier: str, count: int) -> tuple[Child, ...]:
    fields = {"code": code, "integration": integration, "cashier": cashier}
    return integration, cashier, tag("a", letters_of(count), href=address("/letters", fields))


def _links(wanted: Filter) -> Html:
    see = tag("a", "See the letters", class_="button", href=address("/letters", query(wanted)))
    return tag("p", see, " ", _replay_link(wanted))


def _replay_link(wanted: Filter) -> Html:
    return tag("a", "Replay …", class_="button", href=address("/replay", query(wanted)))


def _search() -> Html:
    field = tag("input", id="order", name="order", required=True, autocomplete="off")
    label = tag("label", "Order (uuid or docNumber)", for_="order")
    return tag(
        "form",
        tag("div", label, field),
        tag("button", "Find"),
        action="/letters",
        class_="row",
        role="search",
    )


def letters(found: Sequence[Letter], wanted: Filter, session: BrowserSession) -> str:
    """The letters of a filter; one alone is shown whole."""
    if wanted.order is not None:
        return _whole(found, wanted, session)
    cut = f"The first {SHOWN} are shown." if len(found) == SHOWN else None
    heads = ("failed at", "code", "document", "cashier", "attempts", "replays")
    body = (
        paragraphs(f"Of {described(wanted)}: {letters_of(len(found))}.", cut),
        tag("p", _replay_link(wanted)) if found else None,
        table("Letters, the oldest first", heads, map(_letter_row, found)),
    )
    return page("Letters", body, session=session)


def _letter_row(letter: Letter) -> tuple[Child, ...]:
    line = letter.line()
    name = letter.doc_number or letter.order
    link = tag("a", name, href=address("/letters", {"order": letter.order or name})) if name else "?"
    where = f"{letter.integration or '?'}/{letter.cashier or '?'}"
    return line["failedAt"], letter.code, link, where, line["attempts"], letter.replays


def _whole(found: Sequence[Letter], wanted: Filter, session: BrowserSession) -> str:
    if not found:
        return page("Letters", tag("p", f"No letter of order {wanted.order} is there."), session=session)
    body: list[Child] = [tag("p", _replay_link(wanted))]
    for letter in found:
        line = letter.line()
        detail = json.dumps(line.pop("detail"), ensure_ascii=False, indent=2)
        body += [
            tag("h2", letter.code or "?"),
            _what_to_do(letter.code),
            facts((name, value) for name, value in line.items()),
            tag("h3", "Detail"),
            tag("pre", detail, tabindex=0),
            tag("h3", "Message (buyer and card are masked)"),
            tag("pre", message_json(letter, reveal=False, indent=True), tabindex=0),
        ]
    return page(f"Order {found[0].doc_number or wanted.order}", body, session=session)


def dry_run(counts: Mapping[str, int], withheld: int, wanted: Filter, session: BrowserSession) -> str:
    """What would go, and the button."""
    total = sum(counts.values())
    left = f"{withheld} stay: they came back {MAX_REPLAYS} times and more." if withheld else None
    if not total:
        return page("Replay", paragraphs("Nothing would be replayed.", left), session=session)
    agreed = {**query(wanted), "agreed": str(total)}
    body = (
        paragraphs(
            f"Of {described(wanted)}: {letters_of(total)} would be replayed, {RATE:g} a second.", left
        ),
        table("What would be replayed", ("code", "letters"), counts.items()),
        tag("p", "A replay is safe: a receipt that exists is found, and not made again."),
        form(
            "/replay", session, tag("button", f"Replay {letters_of(total)}", class_="primary"), fields=agreed
        ),
    )
    return page("Replay", body, session=session)


def job(one: Job, session: BrowserSession) -> str:
    """How far it is, and what came of it."""
    state = notice(one.fault) if one.fault else None
    bar = tag(
        "progress", id="progress", value=one.done, max=max(one.total, 1), aria_label="Progress of the job"
    )
    stop = None
    if not one.is_over:
        stop = form(f"/jobs/{one.id}/stop", session, tag("button", "Stop"))
    again = tag("noscript", tag("p", tag("a", "Look again", href=f"/jobs/{one.id}"))) if stop else None
    outcome: Child = None
    if isinstance(one, CashierLook):
        outcome = _findings(one)
    elif isinstance(one, Replay) and one.is_over:
        outcome = tag("p", "Done. ", tag("a", "Back to the dead letters", href="/"))
    status = tag("p", one.status, id="status", role="status")
    running = None if one.is_over else f"/jobs/{one.id}.json"
    return page(
        one.title, tag("div", state, status, bar, stop, again, outcome, data_job=running), session=session
    )


def cashiers(last: CashierLook | None, session: BrowserSession) -> str:
    """The last look, and a button for a new one."""
    body: list[Child] = [
        tag(
            "p", "A look signs each cashier in, reads his shift, key, register and taxes, and signs him out."
        ),
        form("/cashiers", session, tag("button", "Look now", class_="primary")),
    ]
    if last is not None:
        body += [tag("p", last.status), _findings(last)]
    return page("Cashiers and shifts", body, session=session, at="/cashiers")


def _findings(look: CashierLook) -> Html:
    heads = ("state", "check", "of", "seen", "what to do")
    rows = (
        (tag("span", one.state, class_=one.state), one.check, one.subject, one.seen, one.advice)
        for one in sorted(look.findings, key=lambda one: _FIRST.index(one.state))
    )
    return table("What was seen", heads, rows)
