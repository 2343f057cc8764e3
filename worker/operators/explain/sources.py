"""The places that know something of an order: the dead letters, a running worker, Checkbox."""

from __future__ import annotations

import json
import time
import urllib.request
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
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

    def is_own(self, order: str | None) -> bool:
        """Whether what names this order, or none, may be told of it: another may bear the same docNumber."""
        if self.found is None or order is None:
            return True
        return self.found.order is not None and order == str(self.found.order)

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
            LookThrough(connection, partial(_is_meant, known.names), depth(connection)) as look,
        ):
            known.letters = [letter for letter in look.letters() if known.is_own(letter.order)]
    except (Locked, NoDeadLetterQueue) as refusal:
        known.not_asked.append(f"the dead letters: {refusal}")
    with suppress(ChannelClosedByBroker):  # not there: no worker has run
        found = connection.channel().queue_declare(topology_of(settings).queue, passive=True)
        known.ready = found.method.message_count
    _ask_fleet(known, connection, topology_of(settings).queue)


def _is_meant(names: Iterable[str], letter: DeadLetter) -> bool:
    return any(is_named(name, letter.order, letter.doc_number, letter.line()["request"]) for name in names)


def _ask_fleet(known: Explanation, connection: pika.BlockingConnection, queue: str) -> None:
    """What all workers hold, whatever machine they run on."""
    uuid = known.found.order if known.found is not None else None
    held = ask_fleet(connection, queue, str(uuid or known.names[-1]))
    known.waiting = [row for row in held.waiting if known.is_own(row["order"])]
    known.is_fleet_asked = held.answered > 0
    if held.silent and held.answered:
        known.not_asked.append(f"{held.silent} of {held.silent + held.answered} processes of the workers")


def ask_worker(known: Explanation, port: int) -> None:
    """What the processes of a worker on this machine hold, where the broker led to none."""
    if known.is_fleet_asked:
        return
    url = f"http://127.0.0.1:{port}/orders/{quote(known.order, safe='')}"
    try:
        with _DIRECT.open(url, timeout=_PAGE_TIMEOUT) as answer:
            page = json.loads(answer.read())
        known.waiting = [row for row in page["waiting"] if known.is_own(row["order"])]
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
