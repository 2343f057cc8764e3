"""The pages on dead letters."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import partial
from typing import Any

from starlette.responses import Response

from worker.console.jobs import Job, Jobs
from worker.console.letter_jobs import RATE, Discard, LetterJob, Replay
from worker.console.names import Names
from worker.console.rows import MAX_REPLAYS, Row
from worker.console.selection import Page, Selection, by_cause, by_sum
from worker.console.snapshot import Snapshot, View
from worker.console.visit import Visit, runbook
from worker.fiscal.languages import N_
from worker.operators.audit import Audit
from worker.operators.dead_letters.changes import Report
from worker.operators.dead_letters.masking import message_json
from worker.operators.dead_letters.next_steps import next_step

AuditOf = Callable[[str], Audit]


class LetterPages:
    """Read from the snapshot; what changes anything is a job."""

    def __init__(self, snapshot: Snapshot, jobs: Jobs, names: Names, audit_of: AuditOf) -> None:
        self._snapshot = snapshot
        self._jobs = jobs
        self._audit_of = audit_of
        self._names = names

    def overview(self, visit: Visit) -> Response:
        """All letters by cause, with the next step for each."""
        view = self._snapshot.view()
        return self._page(visit, "overview.html", view, groups=by_cause(view.rows), chosen=Selection())

    def letters(self, visit: Visit) -> Response:
        """The letters of a selection; one alone is shown whole."""
        view, chosen = self._snapshot.view(), Selection.of(visit.query)
        rows = chosen.among(view.rows)
        if chosen.key or (chosen.text and len({row.letter.order for row in rows}) == 1):
            return self._whole(visit, view, chosen, rows)
        is_by_sum = visit.query.get("sort") == "sum"
        page = Page.of(by_sum(rows) if is_by_sum else rows, visit.query.get("page", ""))
        values = {"chosen": chosen, "page": page, "rows": rows, "is_by_sum": is_by_sum}
        return self._page(visit, "letters.html", view, **values)

    def _whole(self, visit: Visit, view: View, chosen: Selection, rows: list[Row]) -> Response:
        messages = {
            row.key: message_json(row.letter, reveal=False, indent=True) if row.is_whole else None
            for row in rows
        }
        details = {row.key: json.dumps(row.detail, ensure_ascii=False, indent=2) for row in rows}
        return self._page(
            visit, "letter.html", view, chosen=chosen, rows=rows, messages=messages, details=details
        )

    def confirm_replay(self, visit: Visit) -> Response:
        """What would go, and the button."""
        view, chosen = self._snapshot.view(), Selection.of(visit.query)
        rows = chosen.among(view.rows)
        going = self._replayable(rows, self._jobs.claimed())
        counts = {group.first.code: (group.rows, group.total) for group in by_cause(going)}
        withheld = sum(row.may_replay and row.is_withheld for row in rows)
        hopeless = sum(not row.may_replay for row in rows)
        values = {"chosen": chosen, "going": going, "counts": counts, "rate": RATE}
        others = {"withheld": withheld, "hopeless": hopeless, "most": MAX_REPLAYS}
        return self._page(visit, "replay.html", view, **values, **others)

    def replay(self, visit: Visit) -> Response:
        """No more letters than the page has shown."""
        return self._start(visit, Replay, self._replayable)

    def confirm_discard(self, visit: Visit) -> Response:
        """What would go; the copy comes first."""
        view, chosen = self._snapshot.view(), Selection.of(visit.query)
        going = self._discardable(chosen.among(view.rows), self._jobs.claimed())
        counts = {group.first.code: (group.rows, group.total) for group in by_cause(going)}
        is_kept = {row.key for row in going} <= visit.session.exported
        values = {"chosen": chosen, "going": going, "counts": counts, "is_kept": is_kept}
        return self._page(visit, "discard.html", view, **values)

    def export(self, visit: Visit) -> Response:
        """The letters that may be discarded, whole, as JSON lines that `publish` reads."""
        chosen = Selection.of(visit.form)
        rows = self._discardable(chosen.among(self._snapshot.view().rows), self._jobs.claimed())
        lines = [json.dumps(row.letter.export_line(), ensure_ascii=False) for row in rows]
        visit.session.exported.update(row.key for row in rows)
        self._audit_of(visit.actor).letters(
            "dead_letters_exported", chosen.described(), Report(done=len(rows))
        )
        headers = {"Content-Disposition": 'attachment; filename="dead-letters.jsonl"'}
        content = "".join(f"{line}\n" for line in lines)
        return Response(content, media_type="application/x-ndjson", headers=headers)

    def discard(self, visit: Visit) -> Response:
        """Only what this browser has a copy of."""

        def kept(rows: list[Row], claimed: frozenset[str]) -> list[Row]:
            going = self._discardable(rows, claimed)
            return [row for row in going if row.key in visit.session.exported]

        return self._start(visit, Discard, kept)

    def _start(
        self,
        visit: Visit,
        kind: type[LetterJob],
        going: Callable[[list[Row], frozenset[str]], list[Row]],
    ) -> Response:
        agreed = visit.form.get("agreed", "")
        if not (agreed.isascii() and agreed.isdigit() and int(agreed[:9])):
            return visit.problem(N_("The form does not say how many letters you confirmed."), 400)
        chosen = Selection.of(visit.form)
        rows = chosen.among(self._snapshot.view().rows)

        def make(claimed: frozenset[str]) -> Job:
            these = going(rows, claimed)[: int(agreed[:9])]
            audit = self._audit_of(visit.actor)
            return kind(visit.actor, these, chosen.described(), self._snapshot, audit)

        if not going(rows, self._jobs.claimed()):
            return visit.problem(
                N_(
                    "None of these letters can be changed now: they are gone, another job has them, "
                    "or you have no copy of them."
                ),
                409,
            )
        return visit.redirect(f"/jobs/{self._jobs.start(make).id}")

    @staticmethod
    def _replayable(rows: list[Row], claimed: frozenset[str]) -> list[Row]:
        return [row for row in rows if row.may_replay and not row.is_withheld and row.key not in claimed]

    @staticmethod
    def _discardable(rows: list[Row], claimed: frozenset[str]) -> list[Row]:
        return [row for row in rows if row.may_discard and row.key not in claimed]

    def _page(self, visit: Visit, template: str, view: View, **values: Any) -> Response:
        self._names.refresh()
        return visit.page(
            template,
            view=view,
            names=self._names,
            claimed=self._jobs.claimed(),
            runbook=runbook(visit.language),
            next_step=partial(next_step, language=visit.language),
            **values,
        )
