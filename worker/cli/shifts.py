"""``shifts``: a person looks at the cashiers' shifts, closes and opens them."""

from __future__ import annotations

import sys
import time
from collections import Counter
from collections.abc import Callable
from contextlib import closing
from typing import Annotated

import typer

from config import settings as configuration
from worker.app import read_integrations
from worker.checkbox.client import CheckboxClient
from worker.cli.command_options import Cashiers, Integrations
from worker.operators.audit import Audit
from worker.operators.dead_letters.access import person
from worker.operators.interruption import Interruption
from worker.operators.output import Column, Table, json_line, note
from worker.operators.shifts import Result, ShiftRow, Shifts, shift_rows, side_by_side
from worker.telemetry import logs

app = typer.Typer(help="Look at, close and open the cashiers' shifts.", no_args_is_help=True)

_SHOWN = ("register", "state", "openedAt", "ageHours", "unfinished", "problem")
AsJson = Annotated[bool, typer.Option("--json", help="JSON lines.")]
Yes = Annotated[bool, typer.Option("--yes", help="Do not ask.")]


@app.command("list")
def list_shifts(
    integration: Integrations = [],  # noqa: B006 - typer copies it
    cashier: Cashiers = [],  # noqa: B006
    as_json: AsJson = False,
) -> None:
    """Show each cashier's shift: register, state, age, receipts without a number. Nothing is changed.

    The exit code is 1 when a row could not be asked.
    """
    widths = (12, 8, 27, 8, 10, 90)
    table = Table(Column("cashier", 40, "bold"), *map(Column, _SHOWN, widths))
    failed = False
    chosen = _chosen(integration, cashier)
    with closing(CheckboxClient()) as client:
        for seen in side_by_side(chosen, Shifts(client).look):
            failed = failed or seen.problem is not None
            line = seen.line(time.time())
            if as_json:
                json_line(line)
            else:
                table.row(seen, *(line[name] for name in _SHOWN))
    if failed:
        raise typer.Exit(1)


@app.command("close")
def close_shifts(
    integration: Integrations = [],  # noqa: B006
    cashier: Cashiers = [],  # noqa: B006
    yes: Yes = False,
    as_json: AsJson = False,
) -> None:
    """Close shifts, with their Z-reports. Waits for receipts without a number; asks first.

    The next one is opened by `shifts open`, which needs a license_key in the row. The exit code
    is 1 when a shift could not be closed.
    """
    _change("close", Shifts.close, _chosen(integration, cashier, whose=True), yes, as_json)


@app.command("open")
def open_shifts(
    integration: Integrations = [],  # noqa: B006
    cashier: Cashiers = [],  # noqa: B006
    yes: Yes = False,
    as_json: AsJson = False,
) -> None:
    """Open shifts at the registers of the rows' licence keys; asks first. One that is open already is fine.

    The exit code is 1 when a shift could not be opened.
    """
    _change("open", Shifts.open, _chosen(integration, cashier, whose=True), yes, as_json)


def _chosen(integrations: list[str], cashiers: list[str], *, whose: bool = False) -> list[ShiftRow]:
    """Raises ``typer.BadParameter`` for a name that is not there; with ``whose``, also without any name."""
    if whose and not (integrations or cashiers):
        raise typer.BadParameter("whose shifts? Name an --integration or a --cashier")
    known = shift_rows(read_integrations(configuration.load()).integrations.rows.values())
    chosen = [
        row
        for row in known
        if (not integrations or row.integration in integrations) and (not cashiers or row.cashier in cashiers)
    ]
    unknown = set(integrations) - {row.integration for row in chosen}
    unknown |= set(cashiers) - {row.cashier for row in chosen}
    if unknown:
        raise typer.BadParameter(f"not in the integrations: {', '.join(sorted(unknown))}")
    return chosen


def _agreed(command: str, chosen: list[ShiftRow], client: CheckboxClient, yes: bool) -> list[ShiftRow]:
    """The rows, as the person saw them. Raises ``typer.Exit`` without a yes."""
    if not (yes or (sys.stdin.isatty() and sys.stderr.isatty())):
        note(f"{command} asks for confirmation, but there is no terminal: pass --yes")
        raise typer.Exit(2)
    rows = list(side_by_side(chosen, Shifts(client).look))
    if yes:
        return rows
    for row in rows:
        line = row.line(time.time())
        note(f"{row}: {', '.join(f'{name} {line[name]}' for name in _SHOWN if line[name] is not None)}")
    sys.stderr.write(f"{command} the shifts of these {len(rows)}? [y/N] ")
    sys.stderr.flush()
    if sys.stdin.readline().strip().lower() not in ("y", "yes"):
        note("nothing was changed")
        raise typer.Exit(1)
    return rows


def _change(
    command: str,
    change: Callable[[Shifts, ShiftRow], Result],
    chosen: list[ShiftRow],
    yes: bool,
    as_json: bool,
) -> None:
    """Ask, do it to each row, and log who did. Raises ``typer.Exit`` unless all was done."""
    form = "console" if sys.stderr.isatty() else configuration.load().log_format
    audit, counts = Audit(logs.apart(form, sys.stderr, __name__), person()), Counter[str]()
    with closing(CheckboxClient()) as client:
        rows = _agreed(command, chosen, client, yes)
        with Interruption() as stopping:
            shifts = Shifts(client, stopping)

            def audited(row: ShiftRow) -> Result:
                result = change(shifts, row)
                audit.shift(f"shift_{command}_asked", result)
                return result

            for result in side_by_side(rows, audited):
                counts[result.outcome] += 1
                if as_json:
                    json_line({**result.named, "message": result.message})
                else:
                    note(f"{result.row}: {result.outcome} {result.message or ''}".rstrip())
    note(", ".join(f"{count} {outcome}" for outcome, count in counts.items()))
    if counts["failed"]:
        raise typer.Exit(1)
