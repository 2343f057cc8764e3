"""``console``: the dead letters as pages in a browser."""

from __future__ import annotations

import ipaddress
import secrets
import socket
from pathlib import Path
from typing import Annotated

import typer

from config import settings as configuration
from worker.operators.output import note

_SHORTEST_TOKEN = 16


def console(
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port; 0 takes a free one.")] = 9192,
    token_file: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="The token to sign in with; without it one is printed."),
    ] = None,
) -> None:
    """Serve a page to look at dead letters, replay them, and see the state of cashiers and shifts.

    It has no TLS: on another address than loopback, put a proxy with TLS in front of it.
    """
    try:
        from worker.console.server import Server
    except ModuleNotFoundError as missing:
        note(f"{missing.name} is not installed: pip install 'fiscal-worker[console]'")
        raise typer.Exit(1) from None
    configuration.load()  # a wrong setting ends it here, and not on the first page
    token = _token(token_file)
    try:
        listening = socket.create_server((host, port))
    except OSError as error:
        note(f"{host}:{port} cannot be listened on: {error.strerror}")
        raise typer.Exit(1) from None
    if not _is_loopback(host):
        note("not on loopback: put a proxy with TLS in front, and let nobody else reach the port")
    note(f"http://{host}:{listening.getsockname()[1]}/")
    if token_file is None:
        note(f"token: {token}")
    Server(token).serve_on(listening)


def _token(file: Path | None) -> str:
    """Raises ``typer.BadParameter`` where the file holds none."""
    if file is None:
        return secrets.token_urlsafe(24)
    try:
        token = file.read_text("utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise typer.BadParameter(f"{file} cannot be read: {type(error).__name__}") from None
    if len(token) < _SHORTEST_TOKEN:
        raise typer.BadParameter(f"{file} holds less than {_SHORTEST_TOKEN} characters")
    return token


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
