"""``resume``: a worker that stopped itself consumes again."""

from __future__ import annotations

from typing import Annotated

import pika
import typer
from pika.exceptions import UnroutableError

from worker.operators.connection import broker
from worker.operators.output import json_line, note
from worker.rabbit.topology import CONTROL_EXCHANGE, RESUME


def resume(
    as_json: Annotated[bool, typer.Option("--json", help="JSON lines.")] = False,
) -> None:
    """Let every worker that stopped itself consume again."""
    with broker() as (_, connection):
        channel = connection.channel()
        channel.exchange_declare(CONTROL_EXCHANGE, "fanout", durable=True)
        channel.confirm_delivery()
        try:
            channel.basic_publish(CONTROL_EXCHANGE, "", RESUME, pika.BasicProperties(), mandatory=True)
            is_heard = True
        except UnroutableError:
            is_heard = False
    if as_json:
        json_line({"resumed": is_heard})
    if not is_heard:
        note("no worker is running")
        raise typer.Exit(1)
