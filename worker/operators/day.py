"""A day line by line: what each cashier took in and gave back, and what Checkbox has of the open shifts."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import closing
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from config.settings import Settings
from worker.checkbox.client import CheckboxClient
from worker.checkbox.shift_finder import FoundShift
from worker.fiscal.instants import rfc3339
from worker.fiscal.integrations import Integration
from worker.fiscal.kyiv import KYIV
from worker.fiscal.money import hryvnias
from worker.operators.journal_access import journal
from worker.operators.open_shifts import open_shifts

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from worker.journal.day import Sums


def day_lines(
    settings: Settings, integrations: Mapping[str, Integration], day: date, only: set[str]
) -> Iterator[dict[str, Any]]:
    """A line for each cashier, of today one for each open shift, and the day's sums as the last.

    ``only`` are integrations; empty are all, also those that are configured no longer. Raises
    ``ConfigurationError`` where no journal is kept, and ``JournalAway``.
    """
    with journal(settings) as engine:
        from worker.journal.day import day_of

        found = day_of(engine, day, only or None)
        for one in found.cashiers:
            payments = [
                {"form": form, "label": label, **_shown(sums)} for (form, label), sums in one.means.items()
            ]
            cashier = {"integration": one.integration, "cashier": one.cashier}
            yield {**cashier, **_shown(one.sums), "payments": payments}
        if day == datetime.now(KYIV).date():
            yield from _open_shifts(engine, integrations)
        yield {"day": day.isoformat(), **_shown(found.sums)}


def write_csv(settings: Settings, day: date, only: set[str], path: Path) -> None:
    """The day's receipts as a file for Excel. Raises what ``day_lines`` raises, and ``OSError``."""
    with journal(settings) as engine:
        from worker.journal.day import day_as_csv

        content = b"".join(day_as_csv(engine, day, only or None))
    path.write_bytes(content)  # all at once: an older file stays where the journal is away


def _open_shifts(engine: Engine, integrations: Mapping[str, Integration]) -> Iterator[dict[str, Any]]:
    """Each by the journal and by Checkbox; who could not be asked stands there with the reason."""
    from worker.journal.day import sums_of_shifts

    with closing(CheckboxClient()) as client:
        found = open_shifts(client, integrations, time.time())
    sums = sums_of_shifts(engine, [one.record.id for one in found.shifts], datetime.now(UTC))
    for shift in found.shifts:
        yield _shift(shift, sums[shift.record.id])
    for (integration, cashier), reason in sorted(found.not_asked.items()):
        yield {"integration": integration, "cashier": cashier, "notAsked": reason}


def _shift(found: FoundShift, ours: Sums) -> dict[str, Any]:
    integration, cashier = next(iter(found.rows)) if len(found.rows) == 1 else found.told_for[0]
    balance = found.record.balance
    return {
        "integration": integration,
        "cashier": cashier,
        "register": found.register.fiscal_number,
        "shift": found.record.id,
        "openedAt": rfc3339(found.record.opened_at),
        "ours": {"sales": hryvnias(ours.sales), "returns": hryvnias(ours.returns)},
        "checkbox": balance and {"sales": hryvnias(balance.sales), "returns": hryvnias(balance.returns)},
    }


def _shown(sums: Sums) -> dict[str, Any]:
    return {
        "salesCount": sums.sales_count,
        "sales": hryvnias(sums.sales),
        "returnsCount": sums.returns_count,
        "returns": hryvnias(sums.returns),
    }
