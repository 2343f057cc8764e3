"""``fiscal-worker``: the worker itself, and what its operators need.

Each command imports what it needs when it runs: ``run`` has to say where the metrics lie before anything
imports the metrics.
"""

from __future__ import annotations

import sys
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
DONE, FAILED, USAGE, NOTHING_MATCHED = 0, 1, 2, 3


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


def _register() -> None:
    from worker.cli import dead_letters, demo, events, publish, resume, run, sandbox

    app.command("run")(run.run)
    app.command("demo")(demo.demo)
    app.command("sandbox")(sandbox.sandbox)
    app.command("publish")(publish.publish)
    app.command("events")(events.events)
    app.command("resume")(resume.resume)
    app.add_typer(dead_letters.app, name="dead-letters")


def main() -> None:
    """The entry point. Wrong configuration and a broker out of reach end it with plain lines."""
    from config.errors import ConfigurationError
    from worker.cli.broker import BrokerUnreachable

    _register()
    try:
        app()
    except ConfigurationError as error:
        for line in error.lines:
            print(line, file=sys.stderr)  # noqa: T201
        sys.exit(USAGE)
    except BrokerUnreachable as error:
        print(error, file=sys.stderr)  # noqa: T201
        sys.exit(FAILED)
