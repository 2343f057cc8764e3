"""Never twice, never lost: what the ledger and the queues say of a run."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from tests.chaos.bimp import Heard, Letter
from tests.chaos.orders import OrderRequest
from tests.chaos.stage import product_of

_SHOWN = 20


@dataclass(frozen=True, slots=True)
class Evidence:
    """All that is known at the end of a run, from others than the worker."""

    requests: Sequence[OrderRequest]
    ledger: Sequence[Mapping[str, Any]]
    heard: Heard
    #: Dead letters when everything had come to rest, before they were replayed.
    letters: Sequence[Letter]
    #: Receipts that were DONE then, by product.
    done_before_replay: Mapping[str, int]
    letters_left: Sequence[Letter]
    #: Messages by queue after everything.
    waiting: Mapping[str, int]
    rate: int

    @property
    def by_product(self) -> dict[str, list[Mapping[str, Any]]]:
        found: dict[str, list[Mapping[str, Any]]] = defaultdict(list)
        for entry in self.ledger:
            found[product_of(entry)].append(entry)
        return found


def violations(evidence: Evidence) -> list[str]:
    """Every promise that was broken, in words; the first of each kind."""
    found = [
        *_receipts(evidence),
        *_dead_letters(evidence),
        *_events(evidence),
        *_queues(evidence),
        *(f"rate: {text}" for text in over_rate(evidence.ledger, evidence.rate)),
    ]
    return found[:_SHOWN] + ([f"... and {len(found) - _SHOWN} more"] if len(found) > _SHOWN else [])


def done_of(entries: Iterable[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    return [entry for entry in entries if entry["status"] == "DONE"]


def _receipts(evidence: Evidence) -> Iterator[str]:
    by_product = evidence.by_product
    orders = {request.product: request for request in evidence.requests}
    rejected = {letter.request for letter in evidence.letters if letter.code == "RECEIPT_REJECTED"}
    for product, request in orders.items():
        entries = by_product.get(product, [])
        done = done_of(entries)
        if len(done) != 1:
            yield f"{len(done)} DONE receipts for {product}: {[(e['id'], e['status']) for e in entries]}"
        elif done[0]["total"] != request.total:
            yield f"the receipt of {product} comes to {done[0]['total']} and not {request.total}"
        others = {entry["status"] for entry in entries} - {"DONE", "ERROR"}
        if others:
            yield f"a receipt of {product} is {others}"
        if not evidence.done_before_replay.get(product):
            asked = {each.id for each in evidence.requests if each.product == product}
            if not asked & rejected:
                yield f"{product} had neither a receipt nor a dead letter before the replay"
    for product in by_product.keys() - orders.keys():
        yield f"nobody asked for the receipt of {product}"


def _dead_letters(evidence: Evidence) -> Iterator[str]:
    bodies = {request.id: request.body for request in evidence.requests}
    errors = {product_of(entry) for entry in evidence.ledger if entry["status"] == "ERROR"}
    products = {request.id: request.product for request in evidence.requests}
    for letter in evidence.letters:
        name = letter.request or "?"
        if letter.code != "RECEIPT_REJECTED":
            yield f"dead letter {letter.code} of {name}: {letter.headers.get('x-fiscal-detail')}"
        elif products.get(name) not in errors:
            yield f"dead letter of {name}, and no receipt of it is in ERROR"
        if letter.body != bodies.get(name):
            yield f"the dead letter of {name} is not what was published"
    for letter in evidence.letters_left:
        yield f"dead letter {letter.code} of {letter.request} after the replay"


def _events(evidence: Evidence) -> Iterator[str]:
    done = {product: done_of(entries) for product, entries in evidence.by_product.items()}
    for request in evidence.requests:
        succeeded = evidence.heard.of(request.id, "succeeded")
        if not succeeded:
            yield f"no succeeded event for {request.id}"
        for kind in ("succeeded", "delayed"):
            ids = {event["id"] for event in evidence.heard.of(request.id, kind)}
            if len(ids) > 1:
                yield f"{len(ids)} ids of {kind} events for {request.id}"
        for event in succeeded:
            yield from _against_ledger(event, request, done.get(request.product, []))
        for event in evidence.heard.of(request.id, "failed"):
            if event["data"]["code"] != "RECEIPT_REJECTED":
                yield f"failed {event['data']['code']} for {request.id}: {event['data']['detail']}"
    for name in evidence.heard.requests - {request.id for request in evidence.requests}:
        yield f"an event for {name}, which nobody asked"


def _against_ledger(
    event: Mapping[str, Any], request: OrderRequest, done: Sequence[Mapping[str, Any]]
) -> Iterator[str]:
    told = event["data"]["receipt"]
    if not told["fiscalCode"]:
        yield f"success without a fiscal number for {request.id}"
    for entry in done[:1]:
        if (told["id"], told["fiscalCode"]) != (entry["id"], entry["fiscal_code"]):
            yield f"{request.id} was told of receipt {told['id']}, and the ledger has {entry['id']}"
        if round(float(told["total"]) * 100) != entry["total"]:
            yield f"{request.id} was told of {told['total']}, and the ledger has {entry['total']}"


def _queues(evidence: Evidence) -> Iterator[str]:
    for queue, messages in evidence.waiting.items():
        if messages:
            yield f"{messages} messages are left in {queue}"


def over_rate(ledger: Iterable[Mapping[str, Any]], rate: int) -> list[str]:
    """The moments in which a register got more receipts within a second than its rate."""
    moments: dict[str, list[float]] = defaultdict(list)
    for entry in ledger:
        moments[entry["register"]].append(datetime.fromisoformat(entry["created_at"]).timestamp())
    found = []
    for register, times in moments.items():
        times.sort()
        for first, last in zip(times, times[rate:], strict=False):
            if last - first < 1.0:
                found.append(
                    f"{rate + 1} receipts within {last - first:.3f} s on register {register} at {first:.3f}"
                )
    return found


def repeats(heard: Heard, kind: str) -> int:
    """How many events of a kind came once more."""
    told = [heard.of(request, kind) for request in heard.requests]
    return sum(len(events) - len({event["id"] for event in events}) for events in told)
