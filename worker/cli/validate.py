"""``validate``: what message and configuration alone decide, before anything is sent."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from config import settings as configuration
from config.errors import ConfigurationError
from worker.app import read_integrations
from worker.fiscal.configured import Integrations
from worker.operators.message_files import UnreadableFile, check_readable, read_messages
from worker.operators.output import json_line, note, printable
from worker.operators.validation import Finding, findings

_NOT_ACCEPTED, _UNREADABLE = 1, 2


def validate(
    files: Annotated[list[str], typer.Argument(metavar="FILE…", help="Files with messages; - is stdin.")],
    as_json: Annotated[bool, typer.Option("--json", help="JSON lines.")] = False,
) -> None:
    """Check messages without a broker and without Checkbox; files are read as by `publish`.

    The integrations are those of the settings. The exit code is 0 when all are accepted, 1 when not, 2 where
    a file cannot be read.
    """
    try:
        check_readable(files)
        integrations = _integrations()
        accepted = True
        for message in read_messages(files):
            found = findings(message.body, integrations)
            accepted &= not found
            _show(message.source, found, as_json)
    except UnreadableFile as problem:
        note(str(problem))
        raise typer.Exit(_UNREADABLE) from None
    if not accepted:
        raise typer.Exit(_NOT_ACCEPTED)


def _integrations() -> Integrations | None:
    settings = configuration.load()
    try:
        return read_integrations(settings).integrations
    except ConfigurationError as error:
        note(
            f"integrations, cashiers, tax rates and the rounding of cash were not looked at: {error.lines[0]}"
        )
        return None


def _show(source: str, found: list[Finding], as_json: bool) -> None:
    if not as_json:
        for finding in found:
            meant = f" (did you mean {finding.did_you_mean}?)" if finding.did_you_mean else ""
            place = "" if finding.path is None else f"{finding.path or 'the message'} "
            sys.stdout.write(printable(f"{source}: {finding.code}: {place}{finding.problem}{meant}") + "\n")
        if not found:
            sys.stdout.write(printable(f"{source}: accepted") + "\n")
        return
    for finding in found:
        line = {"code": finding.code.value, "path": finding.path, "problem": finding.problem}
        if finding.did_you_mean:
            line["didYouMean"] = finding.did_you_mean
        json_line({"file": source, "ok": False, **line})
    if not found:
        json_line({"file": source, "ok": True, "code": None, "path": None, "problem": None})
