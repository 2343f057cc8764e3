"""The page that finds orders, and shows the whole history of one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any
from urllib.parse import urlencode, urlsplit

from starlette.responses import Response

from worker.console.asking import Asking
from worker.console.journal_desk import JournalDesk
from worker.console.names import Names
from worker.console.rendering import Members
from worker.console.snapshot import Snapshot, seen_within
from worker.console.visit import Visit
from worker.fiscal.codes import Entry
from worker.fiscal.outcomes import Code
from worker.fiscal.sentence_facts import facts
from worker.journal.found_order import FoundOrder
from worker.operators.dead_letters.next_steps import entry
from worker.operators.explain.history import history
from worker.operators.explain.several import is_another, several
from worker.operators.explain.sources import Explanation
from worker.operators.journal_access import found_in_journal


@dataclass(frozen=True, slots=True)
class Listed:
    """One of several orders; ``text`` finds it alone, ``total`` is in hryvnias."""

    found: FoundOrder
    text: str
    total: str | None
    last: Members

    @classmethod
    def of(cls, found: FoundOrder) -> Listed:
        request = next((one["requestId"] for one in found.history if one.get("requestId")), "")
        total = next((one["total"] for one in reversed(found.own) if one.get("total")), None)
        last = found.history[-1] if found.history else {}
        return cls(found, _uuid(found) or request, total, Members(last))

    @property
    def address(self) -> str:
        return f"/orders?{urlencode({'q': self.text})}"


class OrderPages:
    """From the journal, and what waits in the dead letters."""

    def __init__(self, snapshot: Snapshot, desk: JournalDesk, asking: Asking, names: Names) -> None:
        self._snapshot = snapshot
        self._desk = desk
        self._asking = asking
        self._names = names

    def orders(self, visit: Visit) -> Response:
        """One order whole; several as a list, each with its uuid."""
        text = visit.query.get("q", "").strip()
        asked = self._desk.ask(partial(found_in_journal, text=text))
        answer = self._asking.ask(self._snapshot.view)
        reply = asked.reply()
        found = reply.value or [] if text else []
        view = seen_within(answer)
        known = Explanation(text, found=found[0] if len(found) == 1 else None)
        rows = [row for row in (view.rows if view else ()) if known.is_meant_letter(row.letter)]
        known.letters = [row.letter for row in rows]
        if is_another(known):
            known.found, found = None, []
        orders = (several(known, found) or found) if found else []
        one = orders[0] if len(orders) == 1 else None
        self._names.refresh()
        return visit.page(
            "orders.html",
            text=text,
            reply=reply,
            view=view,
            orders=[Listed.of(order) for order in orders],
            one=one,
            rows=rows,
            history=[Members(line) for line in history(known)] if one else [],
            names=self._names,
            entry_of=_entry,
            facts_of=partial(_facts, language=visit.language),
            is_web=_is_web,
        )


def _uuid(found: FoundOrder) -> str | None:
    return str(found.order) if found.order else None


def _entry(line: Mapping[str, Any]) -> Entry | None:
    return entry(line.get("code"))


def _facts(line: Mapping[str, Any], language: str) -> str:
    """What helps a person, where an outcome has any."""
    if _entry(line) is None or not line.get("detail"):
        return ""
    return facts(Code(line["code"]), line["detail"]).get(language, "")


def _is_web(url: str | None) -> bool:
    """Whether a page may link there: what an event names comes from elsewhere."""
    return url is not None and urlsplit(url).scheme in ("http", "https")
