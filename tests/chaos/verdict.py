"""Never twice, never lost: what the ledger and the queues say of a run."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any

from tests.chaos.bimp import Heard, Letter
from tests.chaos.orders import OrderRequest
from tests.chaos.returns import Returned
from tests.chaos.stage import product_of

_SHOWN = 20


@dataclass(frozen=True)
class Evidence:
    """All that is known at the end of a run, from others than the worker."""

    #: The sales.
    requests: Sequence[OrderRequest]
    returned: Sequence[Returned]
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
    #: Requests that are judged elsewhere.
    of_chains: Container[str] = frozenset()

    @property
    def return_requests(self) -> list[OrderRequest]:
        return [request for one in self.returned for request in one.requests]

    @property
    def all_requests(self) -> list[OrderRequest]:
        return [*self.requests, *self.return_requests]

    @property
    def sold_once(self) -> list[OrderRequest]:
        """Those of the sales that nobody asked for again, nor returned."""
        asked_for = Counter(request.product for request in self.requests)
        returned = {one.sale.product for one in self.returned}
        return [one for one in self.requests if asked_for[one.product] == 1 and one.product not in returned]

    @cached_property
    def by_product(self) -> dict[str, list[Mapping[str, Any]]]:
        found: dict[str, list[Mapping[str, Any]]] = defaultdict(list)
        for entry in self.ledger:
            found[product_of(entry)].append(entry)
        return found


def violations(evidence: Evidence) -> list[str]:
    """Every promise that was broken, in words; the first of each kind."""
    found = [
        *_receipts(evidence),
        *(text for one in evidence.returned for text in _returns(one, evidence)),
        *_beyond_sales(evidence.ledger),
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
    asked_for = {request.product for request in evidence.all_requests}
    for product in by_product.keys() - asked_for:
        yield f"nobody asked for the receipt of {product}"


def _returns(returned: Returned, evidence: Evidence) -> Iterator[str]:
    """One receipt of a document at most, as many as fit into the sale, and an outcome for each request."""
    entries = {name: evidence.by_product.get(name, []) for name in returned.documents}
    done = {name: done_of(made) for name, made in entries.items()}
    totals = {request.product: request.total for request in returned.requests}
    for name, made in done.items():
        if len(made) > 1:
            yield f"{len(made)} DONE receipts for the return {name}: {[entry['id'] for entry in made]}"
        if made and made[0]["total"] != totals[name]:
            yield f"the receipt of the return {name} comes to {made[0]['total']} and not {totals[name]}"
        others = {entry["status"] for entry in entries[name]} - {"DONE", "ERROR"}
        if others:
            yield f"a receipt of the return {name} is {others}"
    made_of = sum(bool(made) for made in done.values())
    if made_of != returned.fits:
        yield f"{made_of} returns of {returned.sale.product} have a receipt, and {returned.fits} fit"
    for request in returned.requests:
        succeeded = request.id in evidence.heard.succeeded
        if succeeded != bool(done[request.product]):
            yield f"the return {request.id} was told as made: {succeeded}, and the ledger says otherwise"
        if not succeeded and request.id not in evidence.heard.refused:
            yield f"the return {request.id} has no outcome"


def _beyond_sales(ledger: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """The sales of which more was returned than sold: in all, by the money or the quantity of a code."""
    sales = {entry["id"]: entry for entry in done_of(ledger) if entry["type"] == "SELL"}
    back: dict[str, Counter[str]] = defaultdict(Counter)
    for entry in done_of(ledger):
        if entry["type"] == "RETURN":
            back[entry["related_receipt_id"]].update(_sums(entry))
    for sale, returned in back.items():
        if sale not in sales:
            yield f"a return of {sale}, which is no sale that is DONE"
            continue
        sold = _sums(sales[sale])
        for name, sum_ in returned.items():
            if sum_ > sold[name]:
                yield f"{sum_} of {sold[name]} was returned of {product_of(sales[sale])}: {name}"


def _sums(entry: Mapping[str, Any]) -> Counter[str]:
    sums = Counter({"total": entry["total"]})
    for line in entry["body"]["goods"]:
        code = line["good"]["code"]
        sums[f"quantity of {code}"] += line["quantity"]
        sums[f"money of {code}"] += line["good"]["price"] * line["quantity"] // 1000
    return sums


def _dead_letters(evidence: Evidence) -> Iterator[str]:
    bodies = {request.id: request.body for request in evidence.all_requests}
    returns = {request.id for request in evidence.return_requests}
    errors = {product_of(entry) for entry in evidence.ledger if entry["status"] == "ERROR"}
    products = {request.id: request.product for request in evidence.all_requests}
    for letter in evidence.letters:
        name = letter.request or "?"
        if name in evidence.of_chains:
            continue
        if _is_over_return(letter.code, name, returns):
            continue
        if letter.code != "RECEIPT_REJECTED":
            yield f"dead letter {letter.code} of {name}: {letter.headers.get('x-fiscal-detail')}"
        elif products.get(name) not in errors:
            yield f"dead letter of {name}, and no receipt of it is in ERROR"
        if letter.body != bodies.get(name):
            yield f"the dead letter of {name} is not what was published"
    for letter in evidence.letters_left:
        if letter.request in evidence.of_chains or _is_over_return(letter.code, letter.request, returns):
            continue
        yield f"dead letter {letter.code} of {letter.request} after the replay"


def _is_over_return(code: str, request: str | None, returns: Container[str]) -> bool:
    return code == "RETURN_WITHOUT_SALE" and request in returns


def _events(evidence: Evidence) -> Iterator[str]:
    done = {product: done_of(entries) for product, entries in evidence.by_product.items()}
    returns = {request.id for request in evidence.return_requests}
    for request in evidence.all_requests:
        succeeded = evidence.heard.of(request.id, "succeeded")
        if not succeeded and request.id not in returns:
            yield f"no succeeded event for {request.id}"
        for kind in ("succeeded", "delayed"):
            ids = {event["id"] for event in evidence.heard.of(request.id, kind)}
            if len(ids) > 1:
                yield f"{len(ids)} ids of {kind} events for {request.id}"
        for event in succeeded:
            yield from _against_ledger(event, request, done.get(request.product, []))
        for event in evidence.heard.of(request.id, "failed"):
            code = event["data"]["code"]
            if code != "RECEIPT_REJECTED" and not _is_over_return(code, request.id, returns):
                yield f"failed {code} for {request.id}: {event['data']['detail']}"
    for name in evidence.heard.requests - {request.id for request in evidence.all_requests}:
        if name in evidence.of_chains:
            continue
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
