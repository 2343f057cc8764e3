"""``fiscal-worker``: the worker itself, and what its operators need.

Each command imports what it needs when it runs: ``run`` has to say where the metrics lie before anything
imports the metrics.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Sequence
from typing import Annotated

import typer

from worker import __version__

app = typer.Typer(
    name="fiscal-worker",
    help="Turns Bimp customer orders into Checkbox fiscal receipts: exactly one for each order.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)
_FAILED, _USAGE = 1, 2


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(__version__)
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print it.")
    ] = False,
) -> None:
    """Options of the program itself."""


#: Each in a module of its own; a sub-app where the name in it is ``app``.
_COMMANDS = {
    "run": "run",
    "demo": "demo",
    "sandbox": "sandbox",
    "validate": "validate",
    "publish": "publish",
    "events": "events",
    "resume": "resume",
    "doctor": "doctor",
    "explain": "explain",
    "journal": "journal",
    "day": "day",
    "reconcile": "reconcile",
    "shifts": "app",
    "console": "console",
    "dead-letters": "app",
}


def _register(arguments: Sequence[str]) -> None:
    """Only the module of the command that is asked for is imported; for a help page all are."""
    asked_for = arguments[0] if arguments and arguments[0] in _COMMANDS else None
    for name in [asked_for] if asked_for else _COMMANDS:
        module = importlib.import_module(f"worker.cli.{name.replace('-', '_')}")
        command = getattr(module, _COMMANDS[name])
        if isinstance(command, typer.Typer):
            app.add_typer(command, name=name)
        else:
            app.command(name)(command)


def main() -> None:
    """The entry point. Wrong configuration and a broker out of reach end it with plain lines."""
    from config.errors import ConfigurationError
    from worker.operators.unreachable import BrokerUnreachable

    for stream in (sys.stdout, sys.stderr):
        # A terminal of another encoding shows an escape for what it lacks.
        stream.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]
    _register(sys.argv[1:])
    try:
        app()
    except ConfigurationError as error:
        for line in error.lines:
            print(line, file=sys.stderr)  # noqa: T201
        sys.exit(_USAGE)
    except BrokerUnreachable as error:
        print(error, file=sys.stderr)  # noqa: T201
        sys.exit(_FAILED)
