"""Serving the console until somebody ends it."""

from __future__ import annotations

import contextlib
import signal
import socket
from collections.abc import Iterator
from typing import Any

import uvicorn

from worker.console.application import Console
from worker.console.sign_in import Access


class Server(uvicorn.Server):
    """On a socket that listens already; jobs under way end in good order with it."""

    def __init__(self, access: Access, log: Any) -> None:
        super().__init__(
            uvicorn.Config(
                Console(access, log).application(),
                log_level="warning",
                access_log=False,
                server_header=False,
                proxy_headers=False,
                timeout_graceful_shutdown=5,
            )
        )

    def serve_on(self, listening: socket.socket) -> None:
        self.run(sockets=[listening])

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """An asked-for end is a success; uvicorn's own would let the signal kill the process afterwards."""
        numbers = (signal.SIGINT, signal.SIGTERM)
        handlers = {number: signal.signal(number, self.handle_exit) for number in numbers}
        try:
            yield
        finally:
            for number, handler in handlers.items():
                signal.signal(number, handler)
