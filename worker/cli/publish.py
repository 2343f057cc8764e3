"""``publish``: messages as Bimp would send them, and what comes of them."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated, Any

import pika
import typer
from pika.adapters.blocking_connection import BlockingChannel
from pika.exceptions import ChannelClosedByBroker, NackError, UnroutableError

from worker.cli.events import duration, members
from worker.operators.connection import broker
from worker.operators.event_stream import listen, serve
from worker.operators.interruption import Interruption
from worker.operators.message_files import FileMessage, UnreadableFile, check_readable, read_messages
from worker.operators.output import Column, Table, json_line, note
from worker.rabbit.message.reading import RequestIdentity, identify
from worker.rabbit.topology import ORDERS_EXCHANGE, order_key

_WAIT = timedelta(minutes=1)
_WAITING = "waiting"
_FINAL = ("succeeded", "failed")


@dataclass(slots=True)
class _Published:
    """A message that the broker took, and the last event that answered it."""

    file: str
    known: RequestIdentity
    routing_key: str
    event: dict[str, Any] | None = None

    @property
    def outcome(self) -> str:
        return _outcome_of(self.event) if self.event else _WAITING

    def line(self) -> dict[str, Any]:
        return {
            "file": self.file,
            "requestId": self.known.request_id,
            "order": str(self.known.order) if self.known.order else None,
            "docNumber": self.known.doc_number,
            "routingKey": self.routing_key,
            "outcome": self.outcome,
            "code": self.event["data"].get("code") if self.event else None,
            "event": self.event,
        }


def _outcome_of(event: Mapping[str, Any]) -> str:
    """Raises ``LookupError`` and ``AttributeError`` for what is no event of the worker."""
    named = event["type"].split(".")[-2]
    return named if named in _FINAL else _WAITING


def publish(
    files: Annotated[list[str], typer.Argument(metavar="FILE…", help="Files with messages; - is stdin.")],
    wait: Annotated[bool, typer.Option("--wait", help="Show the outcome of each.")] = False,
    for_: Annotated[
        timedelta | None,
        typer.Option(
            "--for", parser=duration, metavar="DURATION", help="Longest wait after the last was sent; PT1M."
        ),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="JSON lines.")] = False,
) -> None:
    """Publish messages as Bimp would.

    A file is one message, byte for byte. A file that begins with a line of `dead-letters export`, and any
    *.jsonl, holds a message on each line.

    With --wait the exit code is 1 where one failed, still waits, or has no id that an event could name.
    """
    if for_ is not None and not wait:
        raise typer.BadParameter("--for goes with --wait")
    try:
        check_readable(files)
    except UnreadableFile as problem:
        raise typer.BadParameter(str(problem)) from None
    shown = _Shown(as_json=as_json, wait=wait)
    with broker() as (_, connection), Interruption() as stopping:
        if wait:
            listen(connection, shown.take)
        refused = _send(connection, files, shown)
        if wait:
            end = time.monotonic() + (for_ or _WAIT).total_seconds()
            serve(connection, lambda: stopping() or not shown.awaited, end)
            shown.finish()
    if refused or (wait and not shown.all_succeeded):
        raise typer.Exit(1)


def _send(connection: pika.BlockingConnection, files: list[str], shown: _Shown) -> int:
    """Publish all; returns how many the broker refused."""
    channel = connection.channel()
    channel.confirm_delivery()
    try:
        return sum(not _publish(channel, message, shown.sent) for message in read_messages(files))
    except UnreadableFile as problem:
        note(str(problem))
        raise typer.Exit(1) from None
    except ChannelClosedByBroker as refusal:
        if refusal.reply_code != 404:
            raise
        note(f"there is no exchange {ORDERS_EXCHANGE}: no worker has run on this virtual host")
        raise typer.Exit(1) from None


def _publish(channel: BlockingChannel, message: FileMessage, sent: Callable[[_Published], None]) -> bool:
    known = identify(message.body)
    key = order_key(known.integration, known.cashier)
    properties = pika.BasicProperties(content_type=message.content_type, delivery_mode=2)
    try:
        channel.basic_publish(ORDERS_EXCHANGE, key, message.body, properties, mandatory=True)
    except (NackError, UnroutableError) as refusal:
        why = "the broker refused it" if isinstance(refusal, NackError) else f"no queue is bound for {key}"
        note(f"{message.source}: not published, {why}")
        return False
    sent(_Published(message.source, known, key))
    return True


class _Shown:
    """Prints a line for each message: at once, or with ``wait`` when its outcome is there."""

    def __init__(self, *, as_json: bool, wait: bool) -> None:
        #: By the request's id and source; a file may hold a message twice.
        self.awaited: dict[tuple[str, str | None], list[_Published]] = {}
        self.all_succeeded = True
        self._as_json = as_json
        self._wait = wait
        last = [Column("outcome", 10), Column("what", 60)] if wait else [Column("routing key", 48)]
        self._table = Table(Column("from", 32), Column("document", 16), *last)

    def sent(self, message: _Published) -> None:
        if self._wait and message.known.request_id is not None:
            self.awaited.setdefault((message.known.request_id, message.known.source), []).append(message)
            return
        if self._wait:
            note(f"{message.file}: without an id of 1 to 128 characters no event answers the message")
        self._show(message)

    def take(self, body: bytes) -> None:
        """An event of the worker, or of somebody else: others wait for theirs at the same time."""
        try:
            event = json.loads(body)
            key = (event["data"]["requestId"], event["data"]["requestSource"])
            answered = self.awaited.get(key, [])
            _outcome_of(event)
        except (ValueError, LookupError, TypeError, AttributeError, RecursionError):
            return
        for message in answered:
            message.event = event
        if any(message.outcome in _FINAL for message in answered):
            self._finish(key)

    def finish(self) -> None:
        """Show those that still wait."""
        for key in list(self.awaited):
            self._finish(key)

    def _finish(self, key: tuple[str, str | None]) -> None:
        for message in self.awaited.pop(key):
            self._show(message)

    def _show(self, message: _Published) -> None:
        self.all_succeeded &= message.outcome == "succeeded"
        line = message.line()
        if self._as_json:
            json_line(line)
        else:
            self._table.row(line["file"], line["docNumber"], *self._last(message))
        sys.stdout.flush()  # somebody may be waiting for it at the other end of a pipe

    def _last(self, message: _Published) -> list[str]:
        if not self._wait:
            return [message.routing_key]
        data = message.event["data"] if message.event else {}
        number = members(data.get("receipt")).get("fiscalCode") or data.get("code") or ""
        return [message.outcome, f"{number}  {members(data.get('message')).get('en', '')}".strip()]
