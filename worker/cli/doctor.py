"""``doctor``: the configuration against the live services, and what to do about each finding."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from typing import Annotated

import typer

from config import settings as configuration
from worker.cli.command_options import Cashiers, Integrations
from worker.operators.doctor.examination import findings
from worker.operators.doctor.finding import Finding, State
from worker.operators.output import Column, Table, json_line, note


def doctor(
    integration: Integrations = [],  # noqa: B006 - typer copies it
    cashier: Cashiers = [],  # noqa: B006
    as_json: Annotated[bool, typer.Option("--json", help="JSON lines.")] = False,
) -> None:
    """Check the configuration against the live services. Nothing is changed, no secret is shown.

    The exit code is 1 when something is wrong.
    """
    settings = configuration.load()
    counts = dict.fromkeys(State, 0)
    table = Table(
        Column("", 7, "bold"),
        Column("check", 13),
        Column("of", 30),
        Column("seen", 48),
        Column("what to do", 90),
    )
    for finding in _each_once(findings(settings, set(integration), set(cashier), time.time)):
        counts[finding.state] += 1
        if as_json:
            json_line(finding.line())
        else:
            table.row(finding.state, finding.check, finding.subject, finding.seen, finding.advice)
    note(f"{counts[State.WRONG]} wrong, {counts[State.WARNING]} warnings, {counts[State.OK]} ok")
    if counts[State.WRONG]:
        raise typer.Exit(1)


def _each_once(found: Iterable[Finding]) -> Iterator[Finding]:
    """The cashiers of an integration share its tax table, and what is wrong with it."""
    seen: set[Finding] = set()
    for finding in found:
        if finding not in seen:
            seen.add(finding)
            yield finding
