"""The places that know something of an order: the dead letters, a running worker, Checkbox."""

from __future__ import annotations

import json
import time
import urllib.request
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote
from uuid import UUID

import pika
from pika.exceptions import ChannelClosedByBroker

from config.settings import Settings
from worker.app import topology_of
from worker.checkbox.client import CheckboxClient
from worker.checkbox.receipt_search import (
    FoundReceipt,
    as_fiscal_code,
    by_fiscal_code,
    by_receipt_id,
    receipts_of,
)
from worker.checkbox.signed_in import signed_in
from worker.fiscal.context import document_of
from worker.fiscal.integrations import Cashier, Integration
from worker.fiscal.outcomes import Relation, Verdict
from worker.fiscal.ports import Refusal
from worker.fiscal.typed_names import is_named
from worker.journal.found_order import FoundOrder
from worker.operators.dead_letters.lock import Locked, locked
from worker.operators.dead_letters.look_through import LookThrough, NoDeadLetterQueue, depth
from worker.operators.fleet_inquiry import ask_fleet
from worker.rabbit.dead_letter import DeadLetter

#: Integrations that are asked where the order's own is unknown.
_AT_MOST = 20
_PAGE_TIMEOUT = 10.0
#: No proxy of the environment's stands between us and our own address.
_DIRECT = urllib.request.build_opener(urllib.request.ProxyHandler({}))


@dataclass(slots=True)
class Explanation:
    """What is known of an order; ``not_asked`` are sentences about sources that did not answer."""

    order: str
    letters: list[DeadLetter] = field(default_factory=list)
    waiting: list[dict[str, Any]] = field(default_factory=list)
    receipts: list[FoundReceipt] = field(default_factory=list)
    #: Messages that no worker has taken yet; None where unknown.
    ready: int | None = None
    not_asked: list[str] = field(default_factory=list)
    #: The workers answered over the broker.
    is_fleet_asked: bool = False
    #: As the journal knows the order.
    found: FoundOrder | None = None

    @property
    def names(self) -> tuple[str, ...]:
        """What the order's messages may be known by."""
        names = [self.order]
        if self.found is not None:
            names += [str(one) for one in (self.found.order, self.found.doc_number) if one]
        return tuple(names)

    def is_meant(self, order: str | None, doc_number: str | None, request: str | None) -> bool:
        """Whether a message that bears these names may be told of.

        Another order may bear the same docNumber. So where the text names one order of the journal, its
        messages and those without an order are meant; else also whatever bears the text as a whole.
        """
        names = (order, doc_number, request)
        if not any(is_named(name, *names) for name in self.names):
            return False
        if self.found is None or order is None or order == str(self.found.order):
            return True
        return self.is_by_number and is_named(self.order, *names)

    def is_meant_letter(self, letter: DeadLetter) -> bool:
        """The same of a dead letter."""
        return self.is_meant(letter.order, letter.doc_number, letter.request)

    @property
    def is_by_number(self) -> bool:
        """The journal found one order by its docNumber, or by the beginning of it."""
        return self.found is not None and self.found.is_numbered(self.order)

    @property
    def uuid(self) -> UUID | None:
        """The order's, where it was given or a source named it."""
        if self.found is not None and self.found.order is not None:
            return self.found.order
        names = [
            *(document_of(one.receipt) for one in self.receipts[:1]),
            *(one.order for one in self.letters),
            *(row.get("order") for row in self.waiting),
            self.order,
        ]
        for text in names:
            try:
                return UUID(text)
            except (TypeError, ValueError, AttributeError):
                continue
        return None

    @property
    def chains(self) -> list[Relation]:
        """Its prepayments, as Checkbox shows them; the oldest first."""
        return list({one.relation.id: one.relation for one in self.receipts if one.relation}.values())

    def rows(self) -> set[tuple[str, str]]:
        """Integration and cashier of its messages."""
        rows = [(one.integration, one.cashier) for one in self.letters]
        rows += [(row.get("integration"), row.get("cashier")) for row in self.waiting]
        rows += [(self.found.integration, self.found.cashier)] if self.found else []
        return {(integration, cashier) for integration, cashier in rows if integration and cashier}


def ask_broker(known: Explanation, settings: Settings, connection: pika.BlockingConnection) -> None:
    """The dead letters, and how many messages wait unseen."""
    try:
        with (
            locked(connection, f"explain {known.order}", changes=False, clock=time.monotonic),
            LookThrough(connection, known.is_meant_letter, depth(connection)) as look,
        ):
            known.letters = list(look.letters())
    except (Locked, NoDeadLetterQueue) as refusal:
        known.not_asked.append(f"the dead letters: {refusal}")
    with suppress(ChannelClosedByBroker):  # not there: no worker has run
        found = connection.channel().queue_declare(topology_of(settings).queue, passive=True)
        known.ready = found.method.message_count
    _ask_fleet(known, connection, topology_of(settings).queue)


def _ask_fleet(known: Explanation, connection: pika.BlockingConnection, queue: str) -> None:
    """What all workers hold, whatever machine they run on."""
    uuid = known.found.order if known.found is not None else None
    held = ask_fleet(connection, queue, str(uuid or known.names[-1]))
    rows = held.waiting
    if uuid is not None and known.is_by_number:
        others = ask_fleet(connection, queue, known.order).waiting
        rows = rows + [row for row in others if row["order"] != str(uuid)]
    known.waiting = _meant(known, rows)
    known.is_fleet_asked = held.answered > 0
    if held.silent and held.answered:
        known.not_asked.append(f"{held.silent} of {held.silent + held.answered} processes of the workers")


def _meant(known: Explanation, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [row for row in rows if known.is_meant(row["order"], row["docNumber"], row["request"])]


def ask_worker(known: Explanation, port: int) -> None:
    """What the processes of a worker on this machine hold, where the broker led to none."""
    if known.is_fleet_asked:
        return
    url = f"http://127.0.0.1:{port}/orders/{quote(known.order, safe='')}"
    try:
        with _DIRECT.open(url, timeout=_PAGE_TIMEOUT) as answer:
            page = json.loads(answer.read())
        known.waiting = _meant(known, page["waiting"])
        silent = page["processes"] - page["answered"]
    except (OSError, ValueError, LookupError, TypeError):
        known.not_asked.append(
            f"a running worker: none answers on port {port} of this machine (FISCAL_METRICS_PORT)"
        )
        return
    if silent:
        known.not_asked.append(f"{silent} of {page['processes']} processes of the worker")


def ask_checkbox(
    known: Explanation, integrations: Mapping[str, Integration], only: set[str], client: CheckboxClient
) -> None:
    """Its receipts, from the integrations that its messages name, or else from all."""
    is_known = known.uuid is not None or as_fiscal_code(known.order) is not None
    rows = _rows(known, integrations, only) if is_known else []
    if len(rows) > _AT_MOST:
        left = f"Checkbox for {len(rows) - _AT_MOST} integrations: name yours with --integration"
        known.not_asked.append(left)
    for integration, cashier in rows[:_AT_MOST]:
        try:
            with signed_in(client, integration, cashier) as token:
                known.receipts += _receipts(known, client, token, integration, cashier)
        except (Verdict, Refusal) as fault:
            why = getattr(fault, "detail", {})
            words = why.get("message") or why.get("reason") or type(fault).__name__
            known.not_asked.append(f"Checkbox as {integration.id}/{cashier.id}: {words}")
        if not all(found.receipt.is_refused for found in known.receipts):
            return
    if known.uuid is None:
        known.not_asked.append(
            "Checkbox: it knows orders by uuid or fiscal number, and this one's are unknown"
        )


def _receipts(
    known: Explanation, client: CheckboxClient, token: str, integration: Integration, cashier: Cashier
) -> list[FoundReceipt]:
    if (order := known.uuid) is None:
        code = as_fiscal_code(known.order)
        return by_fiscal_code(client, token, integration, cashier, code) if code else []
    of_order = list(receipts_of(client, token, integration, cashier, order))
    if of_order or known.found is not None:
        return of_order
    return by_receipt_id(client, token, integration, cashier, order)


def _rows(
    known: Explanation, integrations: Mapping[str, Integration], only: set[str]
) -> list[tuple[Integration, Cashier]]:
    """The cashiers of its messages, or else one of each integration: he sees his whole organization's."""
    asked = [integration for name, integration in integrations.items() if not only or name in only]
    named = known.rows()
    own = [
        (one, cashier) for one in asked for cashier in one.cashiers.values() if (one.id, cashier.id) in named
    ]
    return own or [(one, next(iter(one.cashiers.values()))) for one in asked if one.cashiers]
