"""``publish``: messages as Bimp would send them."""

from __future__ import annotations

import base64
import json
import os
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Annotated, Any

import pika
import typer
from pika.adapters.blocking_connection import BlockingChannel
from pika.exceptions import ChannelClosedByBroker, NackError, UnroutableError

from worker.operators.connection import broker
from worker.operators.output import Column, Table, json_line, note
from worker.rabbit.message.reading import identify
from worker.rabbit.topology import CLOUD_EVENT, ORDERS_EXCHANGE, order_key

_STDIN = "-"


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A message, and where it was read."""

    source: str
    body: bytes
    content_type: str | None = CLOUD_EVENT


class NotPublishable(Exception):
    """A file cannot be read, or a line of it holds no message."""


def publish(
    files: Annotated[list[str], typer.Argument(metavar="FILE…", help="Files with messages; - is stdin.")],
    as_json: Annotated[bool, typer.Option("--json", help="JSON lines.")] = False,
) -> None:
    """Publish messages as Bimp would.

    A file is one message, byte for byte. A file that begins with a line of `dead-letters export`, and any
    *.jsonl, holds a message on each line.
    """
    for name in files:
        if name != _STDIN and not (os.access(name, os.R_OK) and not Path(name).is_dir()):
            raise typer.BadParameter(f"{name} is no file that can be read")
    with broker() as (_, connection):
        channel = connection.channel()
        channel.confirm_delivery()
        table = Table(Column("from", 32), Column("document", 16), Column("routing key", 48))
        try:
            failed = sum(not _publish(channel, message, table, as_json) for message in _messages(files))
        except NotPublishable as problem:
            note(str(problem))
            raise typer.Exit(1) from None
        except ChannelClosedByBroker as refusal:
            if refusal.reply_code != 404:
                raise
            note(f"there is no exchange {ORDERS_EXCHANGE}: no worker has run on this virtual host")
            raise typer.Exit(1) from None
    if failed:
        raise typer.Exit(1)


def _publish(channel: BlockingChannel, message: Outgoing, table: Table, as_json: bool) -> bool:
    known = identify(message.body)
    key = order_key(known.integration, known.cashier)
    properties = pika.BasicProperties(content_type=message.content_type, delivery_mode=2)
    try:
        channel.basic_publish(ORDERS_EXCHANGE, key, message.body, properties, mandatory=True)
    except (NackError, UnroutableError) as refusal:
        why = "the broker refused it" if isinstance(refusal, NackError) else f"no queue is bound for {key}"
        note(f"{message.source}: not published, {why}")
        return False
    if as_json:
        order = str(known.order) if known.order else None
        json_line(
            {
                "file": message.source,
                "request": known.request_id,
                "order": order,
                "docNumber": known.doc_number,
                "routingKey": key,
            }
        )
    else:
        table.row(message.source, known.doc_number, key)
    return True


def _messages(files: list[str]) -> Iterator[Outgoing]:
    for name in files:
        with ExitStack() as stack:
            try:
                file = sys.stdin.buffer if name == _STDIN else stack.enter_context(Path(name).open("rb"))
                yield from _of_file(name, file)
            except OSError as error:
                raise NotPublishable(f"{name}: {error.strerror}") from None


def _of_file(name: str, file: IO[bytes]) -> Iterator[Outgoing]:
    first = file.readline()
    if name.endswith(".jsonl") or _is_letter(_object(first)):
        yield from _of_lines(name, first, file)
    elif first or name != _STDIN:  # an export of nothing, through a pipe, is no message
        yield Outgoing(name, first + file.read())


def _of_lines(name: str, first: bytes, rest: IO[bytes]) -> Iterator[Outgoing]:
    line, number = first, 1
    while line:
        if line.strip():
            yield _of_line(f"{name}:{number}", line.rstrip(b"\r\n"))
        line, number = rest.readline(), number + 1


def _of_line(source: str, line: bytes) -> Outgoing:
    row = _object(line)
    if not _is_letter(row):
        return Outgoing(source, line)
    body, encoded, content_type = row.get("body"), row.get("bodyBase64"), row.get("contentType")
    try:
        if isinstance(body, str):
            return Outgoing(source, body.encode(), content_type)
        if isinstance(encoded, str):
            return Outgoing(source, base64.b64decode(encoded, validate=True), content_type)
    except ValueError:
        raise NotPublishable(f"{source}: the body cannot be decoded") from None
    raise NotPublishable(f"{source}: has no body; `dead-letters export` writes lines with one")


def _is_letter(row: dict[str, Any]) -> bool:
    """Whether it is a line of the dead-letter commands; a message has other members."""
    return "failedAt" in row and "code" in row and "specversion" not in row


def _object(line: bytes) -> dict[str, Any]:
    try:
        row = json.loads(line)
    except (ValueError, RecursionError):
        return {}
    return row if isinstance(row, dict) else {}
