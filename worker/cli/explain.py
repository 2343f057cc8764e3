"""``explain``: why an order is not fiscalized, from everybody who knows something of it."""

from __future__ import annotations

import json
import sys
from contextlib import closing
from typing import Annotated, Any

import typer

from config import settings as configuration
from config.errors import ConfigurationError
from config.settings import Settings
from worker.app import read_integrations
from worker.checkbox.client import CheckboxClient
from worker.checkbox.receipt_search import FoundReceipt
from worker.cli.command_options import Integrations
from worker.operators.connection import BrokerUnreachable, broker
from worker.operators.explain.sources import Explanation, ask_broker, ask_checkbox, ask_worker
from worker.operators.explain.verdict import verdict
from worker.operators.output import json_line, printable
from worker.rabbit.dead_letter import DeadLetter

_NOTHING_KNOWN = 3


def explain(
    order: Annotated[str, typer.Argument(metavar="ORDER", help="The order's uuid or docNumber.")],
    integration: Integrations = [],  # noqa: B006 - typer copies it
    as_json: Annotated[bool, typer.Option("--json", help="One line of JSON.")] = False,
) -> None:
    """Tell what is known of an order, and what to do next: dead letters, a running worker, Checkbox.

    Nothing is changed. The exit code is 3 when nobody knows the order, 1 when somebody could not be asked and
    the others know nothing.
    """
    settings = configuration.load()
    known = _ask(settings, order, set(integration))
    if as_json:
        json_line(_document(known))
    else:
        _tell(known)
    if not (known.letters or known.waiting or known.receipts):
        raise typer.Exit(1 if known.not_asked else _NOTHING_KNOWN)


def _ask(settings: Settings, order: str, integrations: set[str]) -> Explanation:
    known = Explanation(order)
    try:
        with broker() as (_, connection):
            ask_broker(known, settings, connection)
    except BrokerUnreachable as error:
        known.not_asked.append(f"the broker: {error}")
    ask_worker(known, settings.metrics_port)
    try:
        loaded = read_integrations(settings)
    except ConfigurationError as error:
        known.not_asked.append(f"Checkbox: {error.lines[0]}")
        return known
    with closing(CheckboxClient()) as client:
        ask_checkbox(known, loaded.integrations.in_force, integrations, client)
    return known


def _document(known: Explanation) -> dict[str, Any]:
    stands, step = verdict(known)
    return {
        "order": str(known.uuid) if known.uuid else None,
        "asked": known.order,
        "verdict": stands,
        "next": step,
        "deadLetters": [letter.line() for letter in known.letters],
        "waiting": known.waiting,
        "receipts": [_receipt(found) for found in known.receipts],
        "ready": known.ready,
        "notAsked": known.not_asked,
    }


def _receipt(found: FoundReceipt) -> dict[str, Any]:
    receipt = found.receipt
    return {
        "operation": found.operation.value,
        "id": receipt.id,
        "status": receipt.status,
        "fiscalCode": receipt.fiscal_code,
        "fiscalDate": receipt.fiscal_date,
        "createdAt": receipt.created_at,
        "total": f"{receipt.total // 100}.{receipt.total % 100:02}",
        "registerNumber": receipt.register_number,
        "taxUrl": receipt.tax_url,
        "error": receipt.error,
    }


def _tell(known: Explanation) -> None:
    stands, step = verdict(known)
    _line("order", known.uuid or known.order)
    _line("stands", stands)
    _line("next", step)
    for letter in known.letters:
        _line("dead letter", _of_letter(letter))
    for row in known.waiting:
        where = f"{row['queue']}, attempt {row['attempts']}, due {row['due']}"
        _line("in a worker", f"{row['reason']} ({where}, first seen {row['firstSeen']})")
    for found in known.receipts:
        told = _receipt(found)
        number = told["fiscalCode"] or told["error"] or "no number"
        parts = (told["operation"], told["status"], number, told["total"], told["fiscalDate"], told["taxUrl"])
        _line("receipt", "  ".join(str(part) for part in parts if part))
    for source in known.not_asked:
        _line("not asked", source)


def _of_letter(letter: DeadLetter) -> str:
    line = letter.line()
    detail = json.dumps(line["detail"], ensure_ascii=False) if line["detail"] else ""
    since = f"since {line['failedAt']}, first seen {line['firstSeen']}"
    counts = f"attempts {line['attempts']}, replays {line['replays']}"
    return f"{line['code']}  {line['integration']}/{line['cashier']}  {since}, {counts}  {detail}"


def _line(name: str, value: object) -> None:
    sys.stdout.write(printable(f"{name:<12} {value}") + "\n")
