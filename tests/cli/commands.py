"""Runs commands, in this process where that is enough and as a real one where signals or streams matter."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import typer
from typer.testing import CliRunner, Result

from worker.cli import dead_letters, events, publish


def start(url: str, *arguments: str, **options: Any) -> subprocess.Popen[str]:
    """A process of the program."""
    environment = {**os.environ, "FISCAL_RABBITMQ_URL": url, "COVERAGE_PROCESS_START": ""}
    pipes = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    command = [sys.executable, "-m", "worker", *arguments]
    return subprocess.Popen(command, env=environment, text=True, **{**pipes, **options})


def run(url: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """A process of the program, to its end."""
    process = start(url, *arguments)
    out, err = process.communicate(timeout=60)
    return subprocess.CompletedProcess(arguments, process.returncode, out, err)


def _single(function: Callable[..., None]) -> typer.Typer:
    app = typer.Typer()
    app.command()(function)
    return app


_APPS = {
    "dead-letters": dead_letters.app,
    "publish": _single(publish.publish),
    "events": _single(events.events),
}


def invoke(url: str, command: str, *arguments: str, stdin: bytes = b"") -> Result:
    """A command in this process."""
    return CliRunner().invoke(_APPS[command], arguments, input=stdin, env={"FISCAL_RABBITMQ_URL": url})
