"""``console``: the operators' pages in a browser."""

from __future__ import annotations

import ipaddress
import secrets
import socket
import sys
from pathlib import Path
from typing import Annotated

import typer
from pydantic import SecretStr

from config import settings as configuration
from worker.operators.output import note
from worker.telemetry import logs

_SHORTEST_TOKEN = 16


def console(
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port; 0 takes a free one.")] = 9192,
    token_file: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="A file with the token, 16 characters or more, in place of FISCAL_CONSOLE_TOKEN.",
        ),
    ] = None,
) -> None:
    """Serve web pages for people without a terminal: the day, orders, dead letters, cashiers and shifts,
    reconciliation.

    It has no TLS: on another address than loopback, put a proxy with TLS in front of it.
    """
    try:
        from worker.console.server import Server
        from worker.console.sign_in import Access
    except ModuleNotFoundError as missing:
        note(f"{missing.name} is not installed: pip install 'fiscal-worker[console]'")
        raise typer.Exit(1) from None
    settings = configuration.load()
    token = _token(token_file, settings.console_token)
    reading = settings.console_read_token
    if reading and reading.get_secret_value() == token:
        raise typer.BadParameter(f"{token_file} holds FISCAL_CONSOLE_READ_TOKEN, which may only look")
    try:
        listening = socket.create_server((host, port))
    except OSError as error:
        note(f"{host}:{port} cannot be listened on: {error.strerror}")
        raise typer.Exit(1) from None
    if not _is_loopback(host):
        note("not on loopback: put a proxy with TLS in front, and let nobody else reach the port")
    note(f"http://{host}:{listening.getsockname()[1]}/")
    if token_file is None and settings.console_token is None:
        note(f"token: {token}")
    access = Access(
        token, reading.get_secret_value() if reading else None, settings.console_trust_forwarded_user
    )
    # A line is to be there at once, also where stdout is a pipe.
    sys.stdout.reconfigure(line_buffering=True)  # type: ignore[union-attr]
    Server(access, logs.apart(settings.log_format, sys.stdout, "worker.console")).serve_on(listening)


def _token(file: Path | None, configured: SecretStr | None) -> str:
    """The file's, the settings', or a new one. Raises ``typer.BadParameter`` where the file has none."""
    if file is None:
        return configured.get_secret_value() if configured else secrets.token_urlsafe(24)
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
