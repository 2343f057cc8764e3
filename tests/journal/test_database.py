"""The way to PostgreSQL, as the kernel has it."""

from __future__ import annotations

import socket
from collections.abc import Callable

import pytest
from sqlalchemy import Engine

from tests.postgresql import PrivatePostgreSQL
from worker.journal import database


@pytest.mark.parametrize("way", [database.reading, database.writing])
def test_a_host_that_dies_in_mid_query_is_noticed(
    postgresql: PrivatePostgreSQL, way: Callable[[str], Engine]
) -> None:
    """Within half a minute: the system's own patience is two hours."""
    engine = way(postgresql.url)
    connection = engine.raw_connection()
    descriptor = connection.driver_connection.pgconn.socket
    with socket.fromfd(descriptor, socket.AF_INET, socket.SOCK_STREAM) as own:
        assert own.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE) == 1
        idle, pause, count = (
            own.getsockopt(socket.IPPROTO_TCP, option)
            for option in (socket.TCP_KEEPIDLE, socket.TCP_KEEPINTVL, socket.TCP_KEEPCNT)
        )
    assert idle + pause * count <= 30
    connection.close()
    engine.dispose()
