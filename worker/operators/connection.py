"""The commands' way to the broker."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress

import pika
from pika.exceptions import AMQPError

from config import settings as configuration
from config.settings import Settings
from worker.operators.unreachable import BrokerUnreachable
from worker.rabbit.connection import LOST, parameters


@contextmanager
def broker() -> Iterator[tuple[Settings, pika.BlockingConnection]]:
    """The settings and a connection. Raises ``BrokerUnreachable`` in plain words."""
    settings = configuration.load()
    try:
        connection = pika.BlockingConnection(
            parameters(settings.rabbitmq_url.get_secret_value(), "fiscal-worker cli")
        )
    except LOST as error:
        raise BrokerUnreachable(
            f"FISCAL_RABBITMQ_URL: the broker cannot be reached ({type(error).__name__})"
        ) from None
    try:
        yield settings, connection
    except AMQPError as error:
        raise BrokerUnreachable(f"the broker ended the conversation: {type(error).__name__}") from None
    finally:
        with suppress(*LOST):  # it may have ended meanwhile
            connection.close()
