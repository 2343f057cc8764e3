"""``reconcile``: holds the journal against Checkbox's shifts and Z-reports."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Annotated, Any

import typer

from config import settings as configuration
from worker.app import read_integrations
from worker.cli.command_options import Integrations, kyiv_day
from worker.fiscal.kyiv import KYIV
from worker.operators.output import Column, Table, json_line, note
from worker.operators.reconciling import reconciliation


def reconcile(
    day: Annotated[
        date | None,
        typer.Option(
            parser=kyiv_day, metavar="YYYY-MM-DD", help="The day in Kyiv; yesterday where it is left out."
        ),
    ] = None,
    integration: Integrations = [],  # noqa: B006 - typer copies it
    as_json: Annotated[
        bool, typer.Option("--json", help="JSON lines: each shift, and what it comes to.")
    ] = False,
) -> None:
    """Hold the journal against each shift of Checkbox's that was open on the day.

    The exit code is 0 where all was compared and nothing differs, 1 where something differs or could not be
    compared.
    """
    settings = configuration.load()
    loaded = read_integrations(settings).integrations.in_force
    unknown = set(integration) - set(loaded)
    if unknown:
        raise typer.BadParameter(f"no such integration: {', '.join(sorted(unknown))}")
    chosen = {name: one for name, one in loaded.items() if not integration or name in integration}
    wanted = day or (datetime.now(KYIV).date() - timedelta(days=1))
    shown = Shown()
    line: dict[str, Any] = {}
    for line in reconciliation(settings, chosen, wanted, all_of_them=not integration):
        if as_json:
            json_line(line)
        else:
            shown.line(line)
    if not line["ok"]:
        raise typer.Exit(1)


class Shown:
    """A table of the differences, line by line."""

    def __init__(self) -> None:
        self._table = Table(
            Column("integration/cashier", 26),
            Column("register", 12),
            Column("shift", 26),
            Column("difference", 18, "bold"),
            Column("document", 16),
            Column("ours", 12),
            Column("Checkbox", 12),
            Column("receipt, reason", 60),
        )

    def line(self, line: dict[str, Any]) -> None:
        if "counts" in line:
            counts = ", ".join(f"{kind} {count}" for kind, count in line["counts"].items())
            note(f"{line['day']}: {line['shifts']} shifts, {counts or 'no differences'}")
        elif "kind" in line:
            certain = "it may wait somewhere" if line.get("certain") is False else None
            words = " ".join(filter(None, (line.get("requestId"), certain, line.get("reason"))))
            self._row((_place(line), None, line.get("heardAt")), {**line, "reason": words})
        else:
            self._shift(line)

    def _shift(self, line: dict[str, Any]) -> None:
        shift, register = line["shift"] or {}, line["register"] or {}
        opened = f"{shift.get('serial') or ''} {shift.get('openedAt') or ''}".strip()
        place = (_place(line), register.get("fiscalNumber"), opened)
        if not line["differences"]:
            self._table.row(*place, "none")
        for one in line["differences"]:
            self._row(place, one)

    def _row(self, place: tuple[Any, ...], one: dict[str, Any]) -> None:
        document = one.get("docNumber") or one.get("orderUuid")
        words = " ".join(filter(None, (one.get("receiptId"), one.get("reason"))))
        self._table.row(*place, one["kind"], document, one.get("ours"), one.get("checkbox"), words)


def _place(line: dict[str, Any]) -> str:
    return f"{line.get('integration') or '?'}/{line.get('cashier') or '?'}"
