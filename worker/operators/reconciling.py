"""A day's reconciliation, line by line: shifts, requests that nobody answered, and what it comes to."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import closing
from datetime import date
from typing import Any

from config.settings import Settings
from worker.checkbox.client import CheckboxClient
from worker.fiscal.integrations import Integration
from worker.operators.journal_access import journal_url
from worker.operators.still_waiting import Asked, still_waiting


def reconciliation(
    settings: Settings, integrations: Mapping[str, Integration], day: date, *, all_of_them: bool
) -> Iterator[dict[str, Any]]:
    """The last line is ``{day, shifts, ok, counts}``. Raises ``ConfigurationError`` where no journal is kept.

    Requests of integrations that are not configured count where ``all_of_them`` are asked for.
    """
    url = journal_url(settings)
    from worker.journal import database
    from worker.journal.finding import JournalUnreadable
    from worker.journal.reconciliation.day import counted, reconcile_day
    from worker.journal.reconciliation.unanswered import unanswered

    engine, now, reports = database.reading(url), time.time(), []
    with closing(CheckboxClient()) as client:
        for report in reconcile_day(engine, client, integrations, day, now):
            reports.append(report)
            yield report.data()
    counts: Counter[str] = counted(reports)
    older_than = now - settings.retry_max_age.total_seconds()
    try:
        found = unanswered(engine, day, older_than, set() if all_of_them else set(integrations))
    except JournalUnreadable as error:
        found = []
        counts["not_compared"] += 1
        yield {"kind": "not_compared", "reason": str(error)}
    engine.dispose()
    waiting, certain = still_waiting(one.asked for one in found) if found else (set[Asked](), True)
    for one in found:
        if one.asked not in waiting:
            counts["request_unanswered"] += 1
            yield one.line(certain)
    shifts = len({report.shift.id for report in reports if report.shift is not None})
    ok = not set(counts) - {"foreign_receipt"}
    yield {"day": day.isoformat(), "shifts": shifts, "ok": ok, "counts": dict(sorted(counts.items()))}
