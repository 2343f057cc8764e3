"""``dead-letters``: what waits for a person, and what the person does about it."""

from __future__ import annotations

import json
import os
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from itertools import islice
from pathlib import Path
from typing import IO, Annotated

import typer

from worker.cli.command_options import filtered
from worker.cli.letter_access import dead_letters
from worker.cli.letter_changes import change, show_counts
from worker.cli.watch import watch
from worker.operators.dead_letters.access import DeadLetters
from worker.operators.dead_letters.changes import Change, replaying
from worker.operators.dead_letters.filter import Filter
from worker.operators.output import Column, Table, json_line, note, printable
from worker.rabbit.dead_letter import DeadLetter

app = typer.Typer(help="What waits for a person: look, send back, throw away.", no_args_is_help=True)
app.command()(watch)

Limit = Annotated[int | None, typer.Option(min=1, help="At most so many letters, the oldest first.")]
Rate = Annotated[float, typer.Option(min=0, help="Letters a second; 0 is no limit.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Count what would go, by code; change nothing.")]
Yes = Annotated[bool, typer.Option("--yes", help="Do not ask.")]
Json = Annotated[bool, typer.Option("--json", help="JSON lines.")]


class GroupBy(StrEnum):
    """What letters can be counted by."""

    CODE = "code"
    INTEGRATION = "integration"
    CASHIER = "cashier"


@app.command("list")
@filtered
def list_(
    wanted: Filter,
    limit: Limit = None,
    group_by: Annotated[GroupBy | None, typer.Option(help="Count them by this.")] = None,
    as_json: Json = False,
) -> None:
    """List the dead letters, the oldest first. Nothing is changed."""
    with dead_letters("dead-letters list") as letters:
        if group_by:
            _list_counts(letters, wanted, group_by, limit, as_json=as_json)
        else:
            _list(letters, wanted, limit, as_json=as_json)


def _list(letters: DeadLetters, wanted: Filter, limit: int | None, *, as_json: bool) -> None:
    table = Table(
        Column("failed at", 20, "dim"),
        Column("code", 28, "bold"),
        Column("document", 16),
        Column("order", 36, "dim"),
        Column("integration/cashier", 26),
        Column("attempts", 8),
        Column("replays", 7),
    )
    # Where lines scroll by on the same terminal, a bar would only get in their way.
    with letters.looked_through(wanted, "reading", bar=not sys.stdout.isatty()) as look:
        for letter in islice(look.letters(), limit):
            line = letter.line()
            if as_json:
                json_line(line)
                continue
            where = f"{letter.integration or '?'}/{letter.cashier or '?'}"
            what = line["failedAt"], line["code"], line["docNumber"], line["order"]
            table.row(*what, where, line["attempts"], line["replays"])
    look.exit_if_stopped()


def _list_counts(
    letters: DeadLetters, wanted: Filter, by: GroupBy, limit: int | None, *, as_json: bool
) -> None:
    counts: Counter[str] = Counter()
    with letters.looked_through(wanted, "counting") as look:
        for letter in islice(look.letters(), limit):
            counts[letter.line()[by] or "?"] += 1
    look.exit_if_stopped()
    show_counts(by, counts, as_json=as_json)


@app.command()
def show(
    order: Annotated[str, typer.Argument(metavar="ORDER", help="The order's uuid or docNumber.")],
    reveal: Annotated[bool, typer.Option("--reveal", help="Show the data of buyer and card too.")] = False,
    as_json: Json = False,
) -> None:
    """Show all letters of an order whole, with their messages. Buyer and card are masked."""
    found = 0
    with (
        dead_letters("dead-letters show") as letters,
        letters.looked_through(Filter(order=order), "searching") as look,
    ):
        for letter in look.letters():
            found += 1
            _show(letter, reveal=reveal, as_json=as_json)
    look.exit_if_stopped()
    if not found:
        note("no letter matches")
        raise typer.Exit(3)


def _show(letter: DeadLetter, *, reveal: bool, as_json: bool) -> None:
    from worker.operators.dead_letters.masking import message_json

    message = message_json(letter, reveal=reveal, indent=not as_json)
    members = {**letter.line(), "contentType": letter.delivery.content_type}
    if as_json:
        # The message is text already: its numbers shall stay as they were written.
        head = json.dumps(members, ensure_ascii=False, separators=(",", ":"))
        sys.stdout.write(f'{head[:-1]},"message":{message}}}\n')
        return
    for name, value in members.items():
        text = json.dumps(value, ensure_ascii=False, indent=2) if isinstance(value, dict) else value
        sys.stdout.write(printable(f"{name:<12} {'-' if text is None else text}") + "\n")
    sys.stdout.write(printable(f"message      {message}") + "\n\n")


@app.command()
@filtered
def export(
    wanted: Filter,
    limit: Limit = None,
    to: Annotated[Path | None, typer.Option(metavar="FILE", help="Write to this file, not stdout.")] = None,
    _json: Annotated[bool, typer.Option("--json", help="JSON lines; it writes nothing else.")] = True,
) -> None:
    """Write the letters with their whole messages as JSON lines, which `publish` reads. Nothing is changed.

    They hold what buyers told of themselves: a file is made readable for its owner only.
    """
    with dead_letters("dead-letters export") as letters:
        if to is None:
            _export(letters, wanted, limit, sys.stdout)
            return
        try:
            with _whole_or_not_at_all(to) as file:
                count = _export(letters, wanted, limit, file)
        except OSError as error:
            note(f"{to}: {error.strerror}")
            raise typer.Exit(1) from None
    note(f"{count} letters written to {to}")


@contextmanager
def _whole_or_not_at_all(to: Path) -> Iterator[IO[str]]:
    part = to.with_name(f"{to.name}.part")
    try:
        descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            yield file
        part.replace(to)
    finally:
        part.unlink(missing_ok=True)


def _export(letters: DeadLetters, wanted: Filter, limit: int | None, file: IO[str]) -> int:
    count = 0
    bar = not (file is sys.stdout and file.isatty())
    with letters.looked_through(wanted, "exporting", bar=bar) as look:
        for letter in islice(look.letters(), limit):
            file.write(json.dumps(letter.export_line(), ensure_ascii=False, separators=(",", ":")) + "\n")
            count += 1
    look.exit_if_stopped()
    file.flush()
    return count


@app.command()
@filtered
def replay(
    wanted: Filter,
    limit: Limit = None,
    rate: Rate = 5.0,
    max_replays: Annotated[
        int, typer.Option(min=1, help="Leave letters alone that were replayed so often and came back.")
    ] = 10,
    force: Annotated[bool, typer.Option("--force", help="Replay them however often they came back.")] = False,
    dry_run: DryRun = False,
    yes: Yes = False,
    as_json: Json = False,
) -> None:
    """Send letters back to the queue that they came from, one after the other, the oldest first."""
    what = replaying(None if force else max_replays)
    change(what, wanted, limit=limit, rate=rate, dry_run=dry_run, yes=yes, as_json=as_json)


@app.command()
@filtered
def discard(
    wanted: Filter,
    limit: Limit = None,
    rate: Rate = 0.0,
    dry_run: DryRun = False,
    yes: Yes = False,
    as_json: Json = False,
) -> None:
    """Throw letters away for good. With --json the lines say which; `export` first keeps their messages."""
    what = Change("discard", "discarded", lambda look, *_: look.remove())
    change(what, wanted, limit=limit, rate=rate, dry_run=dry_run, yes=yes, as_json=as_json)
