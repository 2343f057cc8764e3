"""``dead-letters``: what waits for a person, and what the person does about it."""

from __future__ import annotations

import json
import os
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from enum import StrEnum
from itertools import islice
from pathlib import Path
from typing import IO, Annotated

import typer

from worker.cli.command_options import filtered
from worker.cli.letter_access import dead_letters, end_if_stopped, looked_through
from worker.cli.letter_changes import Asked, change, show_counts
from worker.cli.letter_files import export_text, kept, whole_or_not_at_all
from worker.cli.watch import watch
from worker.fiscal.languages import of_environment, translated
from worker.operators.dead_letters.access import DeadLetters
from worker.operators.dead_letters.changes import discarding, replaying
from worker.operators.dead_letters.filter import Filter
from worker.operators.dead_letters.next_steps import entry, next_step
from worker.operators.output import Column, Table, json_line, json_text, note, printable
from worker.rabbit.dead_letter import DeadLetter

app = typer.Typer(help="What waits for a person: look, send back, throw away.", no_args_is_help=True)
app.command()(watch)

Limit = Annotated[int | None, typer.Option(min=1, metavar="N", help="Stop after N letters, oldest first.")]
Rate = Annotated[float, typer.Option(min=0, help="Letters a second; 0 is no limit.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Only count the letters, by code; change nothing.")]
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
    with dead_letters("list", wanted) as (letters, meant):
        if group_by:
            _list_counts(letters, meant, group_by, limit, as_json=as_json)
        else:
            _list(letters, meant, limit, as_json=as_json)


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
    with looked_through(letters, wanted, "reading", bar=not sys.stdout.isatty()) as look:
        for letter in islice(look.letters(), limit):
            line = letter.line()
            if as_json:
                json_line(line)
                continue
            where = f"{letter.integration or '?'}/{letter.cashier or '?'}"
            what = line["failedAt"], line["code"], line["docNumber"], line["order"]
            table.row(*what, where, line["attempts"], line["replays"])
    end_if_stopped(look)


def _list_counts(
    letters: DeadLetters, wanted: Filter, by: GroupBy, limit: int | None, *, as_json: bool
) -> None:
    counts: Counter[str] = Counter()
    with looked_through(letters, wanted, "counting") as look:
        for letter in islice(look.letters(), limit):
            counts[letter.line()[by] or "?"] += 1
    end_if_stopped(look)
    show_counts(by, counts, as_json=as_json)


@app.command()
@filtered
def show(
    wanted: Filter,
    name: Annotated[
        str | None, typer.Argument(metavar="ORDER", help="The order's uuid or docNumber; or use a filter.")
    ] = None,
    reveal: Annotated[bool, typer.Option("--reveal", help="Show the data of buyer and card too.")] = False,
    as_json: Json = False,
) -> None:
    """Show letters whole, with their messages. Buyer and card are masked."""
    if name is not None and wanted.order not in (None, name):
        raise typer.BadParameter(f"name one order: {name} or {wanted.order}")
    wanted = replace(wanted, order=name or wanted.order)
    if wanted == Filter():
        raise typer.BadParameter("name an order, or use a filter such as --request")
    found = 0
    with (
        dead_letters("show", wanted) as (letters, meant),
        looked_through(letters, meant, "searching") as look,
    ):
        for letter in look.letters():
            found += 1
            _show(letter, reveal=reveal, as_json=as_json)
    end_if_stopped(look)
    if not found:
        note("no letter matches")
        raise typer.Exit(3)


def _show(letter: DeadLetter, *, reveal: bool, as_json: bool) -> None:
    from worker.operators.dead_letters.masking import message_json

    message = message_json(letter, reveal=reveal, indent=not as_json)
    members = {**letter.line(), "contentType": letter.delivery.content_type}
    if as_json:
        # The message is text already: its numbers shall stay as they were written.
        sys.stdout.write(f'{json_text(members)[:-1]},"message":{message}}}\n')
        return
    for name, value in members.items():
        text = json.dumps(value, ensure_ascii=False, indent=2) if isinstance(value, dict) else value
        sys.stdout.write(printable(f"{name:<12} {'-' if text is None else text}") + "\n")
    for name, text in _advice(letter.code):
        sys.stdout.write(f"{name:<12} {text}\n")
    sys.stdout.write(printable(f"message      {message}") + "\n\n")


def _advice(code: str | None) -> Iterator[tuple[str, str]]:
    """What the catalogue says of a code, in the language of the terminal."""
    language = of_environment(os.environ)
    if known := entry(code):
        yield "means", f"{translated(known.title, language)}. {translated(known.means, language)}"
        yield "check", translated(known.check, language)
    yield "next", next_step(code, language)


@app.command()
@filtered
def export(
    wanted: Filter,
    limit: Limit = None,
    to: Annotated[Path | None, typer.Option(metavar="FILE", help="Write to this file, not stdout.")] = None,
    _json: Annotated[bool, typer.Option("--json", help="JSON lines; it writes nothing else.")] = True,
) -> None:
    """Write the letters with their whole messages as JSON lines, which `publish` reads. Nothing is changed.

    They hold personal data of buyers: a file is made readable for its owner only.
    """
    with dead_letters("export", wanted) as (letters, meant):
        if to is None:
            _export(letters, meant, limit, sys.stdout)
            return
        try:
            with whole_or_not_at_all(to) as file:
                count = _export(letters, meant, limit, file)
        except OSError as error:
            note(f"{to}: {error.strerror}")
            raise typer.Exit(1) from None
    note(f"{count} letters written to {to}")


def _export(letters: DeadLetters, wanted: Filter, limit: int | None, file: IO[str]) -> int:
    count = 0
    bar = not (file is sys.stdout and file.isatty())
    with looked_through(letters, wanted, "exporting", bar=bar) as look:
        for letter in islice(look.letters(), limit):
            file.write(export_text(letter))
            count += 1
    end_if_stopped(look)
    file.flush()
    return count


@app.command()
@filtered
def replay(
    wanted: Filter,
    limit: Limit = None,
    rate: Rate = 5.0,
    max_replays: Annotated[
        int, typer.Option(min=1, help="Skip letters that were already replayed this many times.")
    ] = 10,
    force: Annotated[bool, typer.Option("--force", help="Replay them however often they came back.")] = False,
    no_wait: Annotated[
        bool, typer.Option("--no-wait", help="Do not wait up to a minute for the outcomes.")
    ] = False,
    dry_run: DryRun = False,
    yes: Yes = False,
    as_json: Json = False,
) -> None:
    """Send letters back to the queue that they came from, oldest first, and report the outcome."""
    asked = Asked(limit=limit, rate=rate, dry_run=dry_run, yes=yes, as_json=as_json, waits=not no_wait)
    change(replaying(None if force else max_replays), wanted, asked)


@app.command()
@filtered
def discard(
    wanted: Filter,
    all_: Annotated[bool, typer.Option("--all", help="All letters, where no filter is given.")] = False,
    export_to: Annotated[
        Path | None,
        typer.Option("--export", metavar="FILE", help="Add what is removed to this file, as `export` does."),
    ] = None,
    limit: Limit = None,
    rate: Rate = 0.0,
    dry_run: DryRun = False,
    yes: Yes = False,
    as_json: Json = False,
) -> None:
    """Throw letters away for good. It needs a filter or --all."""
    if wanted == Filter() and not all_:
        raise typer.BadParameter("discard needs a filter, or --all")
    asked = Asked(limit=limit, rate=rate, dry_run=dry_run, yes=yes, as_json=as_json)
    try:
        with kept(None if dry_run else export_to) as keep:
            change(discarding(keep), wanted, asked)
    except OSError as error:
        if export_to is None:
            raise
        note(f"{export_to}: {error.strerror}")
        raise typer.Exit(1) from None
