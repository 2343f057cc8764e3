"""``events``: what comes back to Bimp, as it happens."""

from __future__ import annotations

import json
import sys
import time
from datetime import timedelta
from typing import Annotated, Any

import typer

from config.values import parse_duration
from worker.operators.connection import broker
from worker.operators.event_stream import listen, serve
from worker.operators.interruption import Interruption
from worker.operators.output import Column, Table, json_line, note
from worker.rabbit.topology import EVENTS_EXCHANGE


def duration(text: str) -> timedelta:
    """An option's ISO 8601 duration. Raises ``typer.BadParameter``."""
    try:
        return parse_duration(text)
    except ValueError as error:
        raise typer.BadParameter(f"{text!r} {error}, such as PT30S") from None


def events(
    limit: Annotated[int | None, typer.Option(min=1, help="End after so many events.")] = None,
    for_: Annotated[
        timedelta | None,
        typer.Option(
            "--for",
            parser=duration,
            metavar="DURATION",
            help="End after this time; PT30S where neither --limit nor --follow is given.",
        ),
    ] = None,
    follow: Annotated[bool, typer.Option("--follow", help="Go on until Ctrl-C.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="The events themselves, as JSON lines.")] = False,
) -> None:
    """Show the events from now on. It has a queue of its own and takes none away from Bimp.

    With both --limit and --for the exit code is 1 when the time was over first.
    """
    if follow and (limit or for_):
        raise typer.BadParameter("--follow has no end, so it goes with neither --limit nor --for")
    if not (follow or limit or for_):
        for_ = timedelta(seconds=30)
    end = time.monotonic() + for_.total_seconds() if for_ is not None else None
    show = _Shown(limit, as_json=as_json)
    with broker() as (_, connection), Interruption() as stopping:
        listen(connection, show)
        note(f"listening to {EVENTS_EXCHANGE}")
        serve(connection, lambda: show.is_complete or stopping(), end)
    if not follow and (stopping() or (limit and show.count < limit)):
        note(f"{show.count} events" + (f" of {limit}" if limit else ""))
        raise typer.Exit(1)


def members(value: Any) -> dict[str, Any]:
    """Those of an object; of anything else, which a message that is not the worker's may have there, none."""
    return value if isinstance(value, dict) else {}


class _Shown:
    """Prints events and counts them, at most ``limit``."""

    def __init__(self, limit: int | None, *, as_json: bool) -> None:
        self.count = 0
        self._limit = limit
        self._as_json = as_json
        self._table = Table(
            Column("time", 20, "dim"),
            Column("outcome", 10, "bold"),
            Column("document", 16),
            Column("integration/cashier", 26),
            Column("what", 60),
        )

    @property
    def is_complete(self) -> bool:
        return self.count == self._limit

    def __call__(self, body: bytes) -> None:
        if self.is_complete:
            return
        try:
            event = json.loads(body)
        except (ValueError, RecursionError):
            event = None
        if not isinstance(event, dict):
            note("a message that is no event came in")
            return
        self.count += 1
        if self._as_json:
            json_line(event)
        else:
            self._row(event)
        sys.stdout.flush()  # somebody may be waiting for it at the other end of a pipe

    def _row(self, event: dict[str, Any]) -> None:
        data = members(event.get("data"))
        outcome = str(event.get("type", "")).removeprefix("ua.bimp.fiscalization.").removesuffix(".v1")
        number = members(data.get("receipt")).get("fiscalCode")
        words = members(data.get("message")).get("en", "")
        self._table.row(
            event.get("time"),
            outcome,
            members(data.get("order")).get("docNumber"),
            f"{data.get('integration') or '?'}/{data.get('cashier') or '?'}",
            f"{number or data.get('code') or ''}  {words}",
        )
