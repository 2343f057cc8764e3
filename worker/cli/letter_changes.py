"""What the commands ``replay`` and ``discard`` have in common: a question, and the report in words."""

from __future__ import annotations

import select
import sys
from collections import Counter
from dataclasses import dataclass, replace

import typer
from pika.exceptions import AMQPError

from config.settings import Settings
from worker.cli.letter_access import dead_letters, end_if_stopped, held, looked_through
from worker.operators.audit import Audit
from worker.operators.connection import broker
from worker.operators.dead_letters.access import DeadLetters, person
from worker.operators.dead_letters.changes import Change, Heard, Report, change_each
from worker.operators.dead_letters.filter import Filter
from worker.operators.dead_letters.outcomes import WAIT, Outcomes
from worker.operators.interruption import Interruption
from worker.operators.output import Column, Table, json_line, note
from worker.rabbit.dead_letter import DeadLetter
from worker.rabbit.topology import DEAD_LETTERS
from worker.telemetry import logs

#: The broker wants a sign of life every 20 s, also while a person thinks.
_SIGN_OF_LIFE = 2.0


@dataclass(frozen=True, slots=True)
class Asked:
    """The options that both commands have."""

    limit: int | None
    #: Letters a second; 0 is no limit.
    rate: float
    dry_run: bool
    yes: bool
    as_json: bool
    #: Whether to stay for what becomes of the letters.
    waits: bool = False


def change(what: Change, wanted: Filter, asked: Asked) -> None:
    """Do it to every wanted letter. Raises ``typer.Exit`` with the contract's code unless all is done."""
    if not (asked.dry_run or asked.yes or (sys.stdin.isatty() and sys.stderr.isatty())):
        note(f"{what.command} asks for confirmation, but there is no terminal: pass --yes")
        raise typer.Exit(2)
    if asked.dry_run:
        _dry_run(what, wanted, asked)
        return
    report = Report()
    with broker() as (settings, connection):
        outcomes = Outcomes(connection) if what.command == "replay" else None
        try:
            with held(settings, connection, what.command, wanted, changes=True) as (letters, meant):
                if not asked.yes:
                    # No more than was said yes to.
                    asked = replace(asked, limit=_ask(what, letters, meant, asked.limit))
                stopped = _run(what, letters, meant, asked, report, _heard(what, outcomes, asked))
            if outcomes and asked.waits and not stopped:
                with Interruption() as stopping:
                    outcomes.wait(settings, stopping, WAIT)
        finally:
            if report.done or report.failed:
                audit(settings).letters(f"dead_letters_{what.done}", wanted.described(), report, outcomes)
        if outcomes:
            _show_outcomes(outcomes, as_json=asked.as_json)
    if stopped:
        note(f"stopped: {report.done} {what.done}, all others are still in {DEAD_LETTERS}")
        raise typer.Exit(1)
    _end(what, report, outcomes)


def _dry_run(what: Change, wanted: Filter, asked: Asked) -> None:
    with dead_letters(what.command, wanted) as (letters, meant):
        counts, report = _count(what, letters, meant, asked.limit)
    show_counts("code", counts, as_json=asked.as_json)
    _end(what, report, None)


def audit(settings: Settings) -> Audit:
    """The audit log of commands: lines on stderr, in the form of the worker's log."""
    form = "console" if sys.stderr.isatty() else settings.log_format
    return Audit(logs.apart(form, sys.stderr, __name__), person())


def refused(what: Change, letter: DeadLetter, why: str) -> None:
    """Name a letter that the broker did not take to the person at the terminal."""
    note(f"{letter.doc_number or letter.order or letter.request or 'a letter'}: not {what.done}, {why}")


def _heard(what: Change, outcomes: Outcomes | None, asked: Asked) -> Heard:
    def heard(letter: DeadLetter, why: str | None) -> None:
        if why is not None:
            refused(what, letter, why)
            return
        if outcomes:
            outcomes.expect(letter)
        if asked.as_json:
            json_line(letter.line())

    return heard


def _count(
    what: Change, letters: DeadLetters, wanted: Filter, limit: int | None
) -> tuple[Counter[str], Report]:
    """What would go, by code."""
    counts: Counter[str] = Counter()
    report = Report()
    with looked_through(letters, wanted, "counting") as look:
        for letter in look.letters():
            if what.withholds(letter):
                report.withheld += 1
                continue
            counts[letter.code or "?"] += 1
            report.would += 1
            if report.would == limit:
                break
    end_if_stopped(look)
    return counts, report


def _run(
    what: Change, letters: DeadLetters, wanted: Filter, asked: Asked, report: Report, heard: Heard
) -> bool:
    """Whether it was stopped before its end; ``report`` counts as it goes."""
    try:
        with looked_through(letters, wanted, what.command) as look:
            change_each(what, letters, look, report, heard, rate=asked.rate, limit=asked.limit)
    except AMQPError:
        note(f"{report.done} {what.done} before the broker went away; all others are still in {DEAD_LETTERS}")
        note("the current letter may be both sent and still in the queue")
        raise
    return look.stopping()


def _ask(what: Change, letters: DeadLetters, wanted: Filter, limit: int | None) -> int:
    """Ask the person at the terminal; how many letters were agreed to. Raises ``typer.Exit`` where none."""
    counts, report = _count(what, letters, wanted, limit)
    if not counts:
        _end(what, report, None)
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


def _show_outcomes(outcomes: Outcomes, *, as_json: bool) -> None:
    if as_json:
        json_line(outcomes.line())
    if outcomes.sent:
        note(outcomes.described())


def _end(what: Change, report: Report, outcomes: Outcomes | None) -> None:
    """Say what was done; raises ``typer.Exit`` unless it was all that was asked."""
    if report.withheld:
        note(
            f"{report.withheld} left alone: replayed {what.max_replays} times or more; use --force to replay"
        )
    if not (report.done or report.failed or report.withheld or report.would):
        note("no letter matches")
        raise typer.Exit(3)
    if report.would:
        note(f"{report.would} would be {what.done}; nothing was changed")
        return
    failed = f", {report.failed} failed and are still there" if report.failed else ""
    note(f"{report.done} {what.done}{failed}")
    if report.failed or report.withheld or (outcomes and outcomes.came_back):
        raise typer.Exit(1)


def show_counts(by: str, counts: Counter[str], *, as_json: bool) -> None:
    """The most frequent first."""
    table = Table(Column(by, 32), Column("letters", 8))
    for name, count in counts.most_common():
        if as_json:
            json_line({by: name, "count": count})
        else:
            table.row(name, count)
