"""What ``replay`` and ``discard`` have in common: a question, a pace, one letter after another, a report."""

from __future__ import annotations

import select
import sys
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

import typer
from pika.exceptions import AMQPError, NackError, UnroutableError

from worker.cli.letter_access import DeadLetters, Pass, dead_letters
from worker.cli.output import Column, Table, json_line, note
from worker.rabbit.dead_letter_queue import LookThrough
from worker.rabbit.letters import Letter, Wanted
from worker.rabbit.topology import DEAD_LETTERS

#: The broker wants a sign of life every 20 s, also while a person thinks.
_SIGN_OF_LIFE = 2.0


@dataclass(frozen=True, slots=True)
class Change:
    """What is done to each letter, and in which words."""

    command: str
    done: str
    #: Takes the letter in hand out of the queue. May raise pika's ``UnroutableError`` or ``NackError``.
    apply: Callable[[LookThrough, Letter, DeadLetters], None]
    #: Letters that were replayed so often before are left alone.
    max_replays: int | None = None

    def withholds(self, letter: Letter) -> bool:
        return self.max_replays is not None and letter.replays >= self.max_replays


@dataclass(slots=True)
class Report:
    """What became of the letters so far."""

    done: int = 0
    failed: int = 0
    withheld: int = 0
    #: In a dry run.
    would: int = 0


def replaying(max_replays: int | None) -> Change:
    """Sending letters back; None sends them however often they came back."""
    return Change("replay", "replayed", _send_back, max_replays)


def _send_back(look: LookThrough, letter: Letter, letters: DeadLetters) -> None:
    """Gone from here only when it is there."""
    look.send(letter.queue or letters.settings.queue, letter.delivery.body, letter.replay_properties())
    look.remove()


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
        note("the letter in hand may be both")
        raise
    if look.stopping():
        note(f"stopped: {report.done} {what.done}, all others are still in {DEAD_LETTERS}")
        raise typer.Exit(1)
    return report


def change_each(
    what: Change,
    letters: DeadLetters,
    look: Pass,
    limit: int | None,
    rate: float,
    report: Report,
    as_json: bool,
) -> None:
    """Do it to the letters of a pass, ``rate`` a second; ``report`` counts as it goes."""
    due = time.monotonic()
    for letter in look.letters():
        if what.withholds(letter):
            report.withheld += 1
            continue
        look.wait(due)
        if look.stopping():
            return
        due = max(due, time.monotonic() - 1 / rate) + 1 / rate if rate else 0.0
        try:
            what.apply(look.queue, letter, letters)
        except (UnroutableError, NackError) as refusal:
            report.failed += 1
            why = "the broker refused it" if isinstance(refusal, NackError) else "its queue is not there"
            note(f"{letter.doc_number or letter.order or 'a letter'}: not {what.done}, {why}")
        else:
            report.done += 1
            if as_json:
                json_line(letter.line())
        if report.done + report.failed == limit:
            return


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
