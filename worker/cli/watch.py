"""``dead-letters watch``: replays by itself what only waited for a cause to go away."""

from __future__ import annotations

import time
from datetime import timedelta
from typing import Annotated

import typer

from config import settings as configuration
from worker.cli.events import duration
from worker.cli.letter_changes import audit, refused
from worker.operators.dead_letters.changes import replaying
from worker.operators.interruption import Interruption
from worker.operators.output import json_line, note
from worker.rabbit.dead_letter import DeadLetter

_SHORTEST = timedelta(seconds=5)
_TICK = 0.2


def watch(
    once: Annotated[bool, typer.Option("--once", help="One look, for a timer of your own.")] = False,
    interval: Annotated[
        timedelta, typer.Option(parser=duration, metavar="DURATION", help="Between two looks.")
    ] = "PT1M",  # type: ignore[assignment] # typer parses it
    max_replays: Annotated[
        int, typer.Option(min=1, help="Skip letters that were already replayed this many times.")
    ] = 5,
    rate: Annotated[float, typer.Option(min=0, help="Letters a second; 0 is no limit.")] = 5.0,
    as_json: Annotated[bool, typer.Option("--json", help="A line of JSON for each replay.")] = False,
) -> None:
    """Replay letters whose cause is gone, until Ctrl-C.

    Gone is: a row of the integrations is mended, a shift is open again, a sign-in works, Checkbox answers,
    or the receipt has its number. All other letters wait for a person. One that comes back waits longer
    each time.
    """
    from worker.operators.dead_letters.watching import Watching

    def heard(letter: DeadLetter, why: str | None) -> None:
        if why is not None:
            refused(replaying(max_replays), letter, why)
        elif as_json:
            json_line(letter.line())

    if interval < _SHORTEST:
        raise typer.BadParameter("--interval is PT5S or more")
    settings = configuration.load()
    with (
        Watching(settings, interval, max_replays, rate, note, heard, audit(settings)) as watching,
        Interruption() as stopping,
    ):
        while not stopping():
            is_well = watching.round(stopping)
            if once:
                raise typer.Exit(0 if is_well else 1)
            _sleep(interval, stopping)


def _sleep(interval: timedelta, stopping: Interruption) -> None:
    end = time.monotonic() + interval.total_seconds()
    while not stopping() and time.monotonic() < end:
        time.sleep(_TICK)
