"""``resume``: a worker that stopped itself consumes again."""

from __future__ import annotations

import sys

import pika
import typer
from pika.exceptions import UnroutableError

from worker.operators.connection import broker
from worker.rabbit.topology import CONTROL_EXCHANGE, RESUME


def resume() -> None:
    """Let every worker that stopped itself consume again."""
    with broker() as (_, connection):
        channel = connection.channel()
        channel.exchange_declare(CONTROL_EXCHANGE, "fanout", durable=True)
        channel.confirm_delivery()
        try:
            channel.basic_publish(CONTROL_EXCHANGE, "", RESUME, pika.BasicProperties(), mandatory=True)
        except UnroutableError:
            print("no worker is running", file=sys.stderr)  # noqa: T201
            raise typer.Exit(1) from None
