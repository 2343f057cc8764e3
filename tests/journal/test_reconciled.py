"""What comparisons of shifts came to is kept: of each shift the newest."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Engine

from tests.journal.messages import a_comparison
from worker.journal.heard import rows_of_event
from worker.journal.reconciled import reconciled_shifts
from worker.journal.writer import Writer

NOW = 1_800_000_000_000
CLOSED = datetime(2026, 11, 24, 19, 0, 4, tzinfo=UTC)


def kinds(engine: Engine, **selection: Any) -> list[list[str]]:
    shifts = reconciled_shifts(engine, 10, **selection)
    return [[one["kind"] for one in shift.report["differences"]] for shift in shifts]


def test_the_newest_comparison_of_a_shift_counts(engine: Engine, writer: Writer) -> None:
    """In whatever order they are heard, and however often; another integration's is its own."""
    first, agrees = a_comparison(), a_comparison(time="2026-11-24T19:15:00Z", differences=[])
    for body in (agrees, first, agrees):
        writer.write(rows_of_event(body, NOW))
    (shift,) = reconciled_shifts(engine, 10)
    assert shift.compared_at == datetime(2026, 11, 24, 19, 15, tzinfo=UTC)
    assert (shift.report["ok"], shift.report["differences"]) == (True, [])
    assert shift.report["register"]["fiscalNumber"] == "TEST102567"
    writer.write(rows_of_event(a_comparison(integration="another"), NOW))
    assert sorted(kinds(engine)) == [[], ["receipt_untold"]]


def test_the_shift_that_was_closed_last_stands_first(engine: Engine, writer: Writer) -> None:
    """As many as are asked for, since a time."""
    for hour in (17, 19, 18):
        closed = f"2026-11-24T{hour}:00:04Z"
        difference = [{"kind": f"closed at {hour}"}]
        body = a_comparison(shift=f"shift {hour}", closed=closed, differences=difference)
        writer.write(rows_of_event(body, NOW))
    assert kinds(engine) == [["closed at 19"], ["closed at 18"], ["closed at 17"]]
    assert kinds(engine, since=CLOSED.timestamp()) == [["closed at 19"]]
    assert len(reconciled_shifts(engine, 2)) == 2


def test_old_ones_are_forgotten(engine: Engine, writer: Writer) -> None:
    """Like all that the journal has."""
    writer.write(rows_of_event(a_comparison(), NOW))
    writer.forget(NOW)
    assert len(kinds(engine)) == 1
    writer.forget(NOW + 1)
    assert kinds(engine) == []


def test_other_notices_are_not_kept() -> None:
    """A closed shift, for one."""
    notice = json.loads(a_comparison())
    notice["type"] = "ua.bimp.shift.closed.v1"
    assert rows_of_event(json.dumps(notice).encode(), NOW) == []
