"""``day``: receipts and sums of a day by the journal, beside Checkbox's own sums of the open shifts."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from config import settings as configuration
from worker.app import read_integrations
from worker.cli.command_options import Day, Integrations
from worker.fiscal.kyiv import KYIV
from worker.operators.day import day_lines, write_csv
from worker.operators.journal_access import JournalAway
from worker.operators.output import Column, Table, json_line, note


def day(
    day: Day = None,
    integration: Integrations = [],  # noqa: B006 - typer copies it
    csv: Annotated[
        Path | None,
        typer.Option("--csv", metavar="FILE", help="Write the day's receipts for Excel, and print nothing."),
    ] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="JSON lines: each cashier, each open shift, the sums.")
    ] = False,
) -> None:
    """Show a day of the journal: receipts and sums by integration, cashier and means of payment.

    Of today also each open shift, by the journal and by Checkbox: they differ by what is on its way, by what
    people sold at the till, and by cash that was rounded. The exit code is 1 where the journal or a shift
    could not be asked.
    """
    settings, wanted, only = configuration.load(), day or datetime.now(KYIV).date(), set(integration)
    shown, failed = _Shown(), False
    try:
        if csv is not None:
            write_csv(settings, wanted, only, csv)
            return
        in_force = read_integrations(settings).integrations.in_force
        chosen = {name: one for name, one in in_force.items() if not only or name in only}
        for line in day_lines(settings, chosen, wanted, only):
            failed = failed or "notAsked" in line
            if as_json:
                json_line(line)
            else:
                shown.line(line)
    except (JournalAway, OSError) as error:
        note(str(error))
        failed = True
    if failed:
        raise typer.Exit(1)


class _Shown:
    """Cashiers by their means of payment, then the open shifts, then the sums."""

    def __init__(self) -> None:
        sums = (Column("sales", 8), Column("", 14), Column("returns", 8), Column("", 14))
        self._cashiers = Table(Column("cashier", 30, "bold"), Column("means of payment", 30), *sums)
        self._shifts = Table(
            Column("open shift", 30, "bold"), Column("register, since", 34), Column("by", 10),
            Column("sales", 14), Column("returns", 14),
        )  # fmt: skip

    def line(self, line: dict[str, Any]) -> None:
        place = f"{line.get('integration') or '?'}/{line.get('cashier') or '?'}"
        if "day" in line:
            sold, back = line["salesCount"], line["returnsCount"]
            note(f"{line['day']}: {sold} sales {line['sales']}, {back} returns {line['returns']}")
        elif "notAsked" in line:
            note(f"{place}: the shift is not known: {line['notAsked']}")
        elif "shift" in line:
            self._shift(place, line)
        else:
            for one in line["payments"]:
                self._cashiers.row(place, one["label"] or "—", *_sums(one))
            self._cashiers.row(place, "in all", *_sums(line))

    def _shift(self, place: str, line: dict[str, Any]) -> None:
        since = f"{line['register'] or ''} {line['openedAt']}".strip()
        for name, whose in (("journal", line["ours"]), ("Checkbox", line["checkbox"] or {})):
            self._shifts.row(place, since, name, whose.get("sales"), whose.get("returns"))


def _sums(line: Mapping[str, Any]) -> tuple[Any, ...]:
    return line["salesCount"], line["sales"], line["returnsCount"], line["returns"]
