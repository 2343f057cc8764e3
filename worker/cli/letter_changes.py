"""What the commands ``replay`` and ``discard`` have in common: a question, and the report in words."""

from __future__ import annotations

import select
import sys
from collections import Counter

import typer
from pika.exceptions import AMQPError

from worker.cli.letter_access import dead_letters
from worker.operators.dead_letters.access import DeadLetters
from worker.operators.dead_letters.changes import Change, Report, change_each
from worker.operators.dead_letters.filter import Wanted
from worker.operators.output import Column, Table, json_line, note
from worker.rabbit.topology import DEAD_LETTERS

#: The broker wants a sign of life every 20 s, also while a person thinks.
_SIGN_OF_LIFE = 2.0


def change(
    what: Change, wanted: Wanted, *, limit: int | None, rate: float, dry_run: bool, yes: bool, as_json: bool
) -> None:
    """Do it to every wanted letter. Raises ``typer.Exit`` with the contract's code unless all is done."""
    if not (dry_run or yes or (sys.stdin.isatty() and sys.stderr.isatty())):
        note(f"{what.command} asks before it changes anything, and here is no terminal: give --yes")
        raise typer.Exit(2)
    with dead_letters(f"dead-letters {what.command}", changes=not dry_run) as letters:
        if dry_run:
            counts, report = _count(what, letters, wanted, limit)
            show_counts("code", counts, as_json=as_json)
        else:
            if not yes:
                # No more than was said yes to.
                limit = _ask(what, letters, wanted, limit)
            report = _run(what, letters, wanted, limit, rate, as_json)
    _end(what, report)


def _count(
    what: Change, letters: DeadLetters, wanted: Wanted, limit: int | None
) -> tuple[Counter[str], Report]:
    """What would go, by code."""
    counts: Counter[str] = Counter()
    report = Report()
    with letters.looked_through(wanted, "counting") as look:
        for letter in look.letters():
            if what.withholds(letter):
                report.withheld += 1
                continue
            counts[letter.code or "?"] += 1
            report.would += 1
            if report.would == limit:
                break
    look.exit_if_stopped()
    return counts, report


def _run(
    what: Change, letters: DeadLetters, wanted: Wanted, limit: int | None, rate: float, as_json: bool
) -> Report:
    report = Report()
    try:
        with letters.looked_through(wanted, what.command) as look:
            change_each(what, letters, look, limit, rate, report, as_json)
    except AMQPError:
        note(f"{report.done} {what.done} before the broker went away; all others are still in {DEAD_LETTERS}")
        note("the current letter may be both sent and still in the queue")
        raise
    if look.stopping():
        note(f"stopped: {report.done} {what.done}, all others are still in {DEAD_LETTERS}")
        raise typer.Exit(1)
    return report


def _ask(what: Change, letters: DeadLetters, wanted: Wanted, limit: int | None) -> int:
    """Ask the person at the terminal; how many letters were agreed to. Raises ``typer.Exit`` where none."""
    counts, report = _count(what, letters, wanted, limit)
    if not counts:
        _end(what, report)
        raise typer.Exit(1)
    codes = ", ".join(f"{code} {count}" for code, count in counts.most_common())
    sys.stderr.write(
        f"{what.command} {counts.total()} letters ({codes}) of queue {DEAD_LETTERS}"
        f" on virtual host {letters.virtual_host}? [y/N] "
    )
    sys.stderr.flush()
    while not select.select([sys.stdin], [], [], _SIGN_OF_LIFE)[0]:
        letters.connection.process_data_events(0)
    if sys.stdin.readline().strip().lower() not in ("y", "yes"):
        note("nothing was changed")
        raise typer.Exit(1)
    return counts.total()


def _end(what: Change, report: Report) -> None:
    """Say what was done; raises ``typer.Exit`` unless it was all that was asked."""
    if report.withheld:
        note(f"{report.withheld} left alone: replayed {what.max_replays} times or more; --force passes that")
    if not (report.done or report.failed or report.withheld or report.would):
        note("no letter matches")
        raise typer.Exit(3)
    if report.would:
        note(f"{report.would} would be {what.done}; nothing was changed")
        return
    failed = f", {report.failed} failed and are still there" if report.failed else ""
    note(f"{report.done} {what.done}{failed}")
    if report.failed or report.withheld:
        raise typer.Exit(1)


def show_counts(by: str, counts: Counter[str], *, as_json: bool) -> None:
    """The most frequent first."""
    table = Table(Column(by, 32), Column("letters", 8))
    for name, count in counts.most_common():
        if as_json:
            json_line({by: name, "count": count})
        else:
            table.row(name, count)
