"""What the demo's journal has of the day, and that it agrees with the sandbox's books."""

from __future__ import annotations

import time
from collections.abc import Mapping
from contextlib import closing
from datetime import date, datetime

from rich.console import Console
from rich.table import Table
from sqlalchemy import Engine

from config.integrations_watch import load
from worker.checkbox.client import CheckboxClient
from worker.cli.reconcile import Shown
from worker.demo.examples import INTEGRATIONS
from worker.fiscal.kyiv import KYIV
from worker.fiscal.money import hryvnias
from worker.journal import database
from worker.journal.day import Day, day_of
from worker.journal.finding import JournalUnreadable
from worker.journal.reconciliation.comparing import SETTLED
from worker.journal.reconciliation.day import counted, reconcile_day

#: Seconds for the journal to hear of all receipts.
_PATIENCE = 10.0


def show_books(settings: Mapping[str, str], receipts: int) -> bool:
    """Print both; so many ``receipts`` were issued. Whether nothing differs."""
    engine, today = database.reading(settings["FISCAL_JOURNAL_URL"]), datetime.now(KYIV).date()
    _show_day(_heard(engine, today, receipts))
    agrees = _show_differences(engine, today, settings["FISCAL_CHECKBOX_URL"])
    engine.dispose()
    return agrees


def _heard(engine: Engine, today: date, receipts: int) -> Day:
    give_up_at = time.monotonic() + _PATIENCE
    while True:
        try:
            day = day_of(engine, today)
        except JournalUnreadable:
            if time.monotonic() > give_up_at:
                raise
        else:
            if day.sums.sales_count + day.sums.returns_count >= receipts or time.monotonic() > give_up_at:
                return day
        time.sleep(0.1)


def _show_day(day: Day) -> None:
    table = Table("cashier", "means of payment", "receipts", "sales", "returns", title="The journal's day")
    for cashier in day.cashiers:
        for (_, label), sums in cashier.means.items():
            count = str(sums.sales_count + sums.returns_count)
            place = f"{cashier.integration}/{cashier.cashier}"
            table.add_row(place, label or "—", count, hryvnias(sums.sales), hryvnias(sums.returns))
    Console().print(table)


def _show_differences(engine: Engine, today: date, checkbox_url: str) -> bool:
    """As it will be in five minutes: `reconcile` leaves younger receipts out."""
    integrations = load(INTEGRATIONS, checkbox_url, {}).integrations.in_force
    console = Console(highlight=False, soft_wrap=True)
    console.print("\nIts reconciliation, as it will be once all receipts are five minutes old:")
    with closing(CheckboxClient()) as client:
        reports = list(reconcile_day(engine, client, integrations, today, time.time() + SETTLED))
    shown = Shown()
    for report in reports:
        shown.line(report.data())
    differences = ", ".join(f"{kind} {count}" for kind, count in sorted(counted(reports).items()))
    console.print(f"{len(reports)} shifts, {differences or 'no differences'}")
    return not differences
