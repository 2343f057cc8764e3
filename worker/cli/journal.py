"""``journal``: keeps the journal of orders."""

from __future__ import annotations

import logging
import signal
import sys
import threading
from typing import Annotated

import typer

from config import settings as configuration
from config.settings import Settings
from worker.operators.connection import broker
from worker.operators.journal_access import journal_url
from worker.operators.output import note
from worker.rabbit.connection import parameters
from worker.telemetry import logs
from worker.telemetry.log_writer import LogWriter

_NO_QUEUE = 3


def journal(
    remove: Annotated[bool, typer.Option("--remove", help="Take its queue away, and end.")] = False,
) -> None:
    """Keep the journal of orders in the database of FISCAL_JOURNAL_URL until SIGTERM.

    A database or a broker that is away is waited for. Several may run. With --remove the exit code is 3 where
    there is no queue.
    """
    if remove:
        _remove()
        return
    settings = configuration.load()
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    log = LogWriter(sys.stdout.fileno())
    logs.configure(settings.log_format, settings.log_level, log)
    try:
        _keep(settings, stop)
    finally:
        log.drain()


def _keep(settings: Settings, stop: threading.Event) -> None:
    url = journal_url(settings)
    logging.getLogger("alembic").setLevel(logging.WARNING)  # it logs each part that it loads
    from worker.journal import database
    from worker.journal.keeper import Keeper
    from worker.journal.writer import Writer

    engine = database.writing(url)
    params = parameters(settings.rabbitmq_url.get_secret_value(), "fiscal-worker journal")
    Keeper(params, Writer(engine), settings.queue, settings.journal_keep).run(stop)
    engine.dispose()


def _remove() -> None:
    from worker.journal import subscription

    with broker() as (_, connection):
        if not subscription.remove(connection):
            note("there is no journal's queue")
            raise typer.Exit(_NO_QUEUE)
