"""``explain``: why an order is not fiscalized, from everybody who knows something of it."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from contextlib import closing
from decimal import Decimal
from typing import Annotated, Any

import typer

from config import settings as configuration
from config.errors import ConfigurationError
from config.settings import Settings
from worker.app import read_integrations
from worker.checkbox.client import CheckboxClient
from worker.checkbox.receipt_search import FoundReceipt
from worker.cli.command_options import Integrations
from worker.fiscal.money import hryvnias
from worker.fiscal.outcomes import Relation
from worker.journal.found_order import FoundOrder
from worker.operators.connection import broker
from worker.operators.explain.history import history
from worker.operators.explain.several import is_another, several
from worker.operators.explain.sources import Explanation, ask_broker, ask_checkbox, ask_worker
from worker.operators.explain.verdict import verdict
from worker.operators.journal_access import JournalAway, found_in_journal
from worker.operators.output import json_line, printable
from worker.operators.unreachable import BrokerUnreachable
from worker.rabbit.dead_letter import DeadLetter

_NOTHING_KNOWN = 3


def explain(
    order: Annotated[
        str,
        typer.Argument(
            metavar="ORDER",
            help="Its uuid or docNumber, a receipt's id or fiscal number, a request's id.",
        ),
    ],
    integration: Integrations = [],  # noqa: B006 - typer copies it
    as_json: Annotated[bool, typer.Option("--json", help="One line of JSON.")] = False,
) -> None:
    """Tell what is known of an order, and what to do next: the journal, dead letters, workers, Checkbox.

    Nothing is changed. Where several orders bear the name they are listed, at most 20. The exit code is 3
    when nobody knows the order, 1 when somebody could not be asked and the rest know nothing.
    """
    settings = configuration.load()
    known = Explanation(_text(order))
    heard = _ask_journal(settings, known)
    _ask_workers(settings, known)
    if found := several(known, heard):
        for one in found:
            _list(one, as_json=as_json)
        return
    if is_another(known):
        known.found = None
    _ask_checkbox(settings, known, set(integration))
    if as_json:
        json_line(_document(known))
    else:
        _print(known)
    if not (known.letters or known.waiting or known.receipts or known.found):
        raise typer.Exit(1 if known.not_asked else _NOTHING_KNOWN)


def _text(argument: str) -> str:
    """What is no UTF-8 comes as halves of characters, which nothing bears and nobody can be asked for."""
    return argument.encode("utf-8", "surrogatepass").decode("utf-8", "replace")


def _ask_journal(settings: Settings, known: Explanation) -> list[FoundOrder]:
    """All orders that it finds; one alone is noted."""
    if settings.journal_url is None:
        return []
    try:
        found = found_in_journal(settings, known.order)
    except (ConfigurationError, JournalAway) as error:
        known.not_asked.append(str(error))
        return []
    if len(found) == 1:
        known.found = found[0]
    return found


def _list(found: FoundOrder, *, as_json: bool) -> None:
    if as_json:
        json_line(found.line())
        return
    line = found.line()
    last = found.history[-1]["what"] if found.history else ""
    words = (line["time"], line["docNumber"], line["order"], f"{line['integration']}/{line['cashier']}", last)
    _line("order", "  ".join(str(word) for word in words if word))


def _ask_workers(settings: Settings, known: Explanation) -> None:
    """And the dead letters."""
    try:
        with broker() as (_, connection):
            ask_broker(known, settings, connection)
    except BrokerUnreachable as error:
        known.not_asked.append(f"the broker: {error}")
    ask_worker(known, settings.metrics_port)


def _ask_checkbox(settings: Settings, known: Explanation, integrations: set[str]) -> None:
    try:
        loaded = read_integrations(settings)
    except ConfigurationError as error:
        known.not_asked.append(f"Checkbox: {error.lines[0]}")
        return
    with closing(CheckboxClient()) as client:
        ask_checkbox(known, loaded.integrations.in_force, integrations, client)


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
        "chains": [_chain(relation) for relation in known.chains],
        "history": history(known),
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
        "total": hryvnias(receipt.total),
        "registerNumber": receipt.register_number,
        "taxUrl": receipt.tax_url,
        "error": receipt.error,
        "relationId": found.relation.id if found.relation else None,
    }


def _chain(relation: Relation) -> dict[str, Any]:
    """The prepayments of an order, as its events have them."""
    return {
        "relationId": relation.id,
        "status": relation.status,
        "total": hryvnias(relation.total),
        "paid": hryvnias(relation.paid),
        "left": hryvnias(relation.left),
    }


def _print(known: Explanation) -> None:
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
        shown = _receipt(found)
        number = shown["fiscalCode"] or shown["error"] or "no number"
        parts = (
            shown["operation"],
            shown["status"],
            number,
            shown["total"],
            shown["fiscalDate"],
            shown["taxUrl"],
        )
        _line("receipt", "  ".join(str(part) for part in parts if part))
    for relation in known.chains:
        chain = _chain(relation)
        sums = f"paid {chain['paid']} of {chain['total']}, left {chain['left']}"
        _line("prepayment", f"{chain['status']}  {sums}  {chain['relationId']}")
    for entry in known.found.history if known.found else ():
        _line("history", _of_entry(entry))
    for source in known.not_asked:
        _line("not asked", source)


def _of_entry(entry: Mapping[str, Any]) -> str:
    numbers = [one["fiscalCode"] for one in entry.get("receipts") or ()]
    words = [entry["time"], entry["what"], entry.get("operation"), entry.get("docNumber"), _sum(entry)]
    return "  ".join(str(word) for word in [*words, entry.get("code"), *numbers] if word)


def _sum(entry: Mapping[str, Any]) -> str | None:
    """The order's total; of a prepayment also how much of it was paid."""
    total = entry.get("total")
    if not total or not entry.get("paymentUuid"):
        return total
    paid = sum((Decimal(one["amount"]) for one in entry["payments"]), Decimal())
    return f"{paid} of {total}"


def _of_letter(letter: DeadLetter) -> str:
    line = letter.line()
    detail = json.dumps(line["detail"], ensure_ascii=False) if line["detail"] else ""
    since = f"since {line['failedAt']}, first seen {line['firstSeen']}"
    counts = f"attempts {line['attempts']}, replays {line['replays']}"
    return f"{line['code']}  {line['integration']}/{line['cashier']}  {since}, {counts}  {detail}"


def _line(name: str, value: object) -> None:
    sys.stdout.write(printable(f"{name:<12} {value}") + "\n")
