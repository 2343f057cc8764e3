"""The chains of a run: an advance, further money, the rest; every second one is returned."""

from __future__ import annotations

import json
import random
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any
from uuid import UUID, uuid5

from tests.chaos import orders
from tests.chaos.bimp import Heard, Letter
from tests.chaos.orders import CashierRow, OrderRequest
from worker.fiscal.chain import payment_receipt_id

_PAYMENTS = ("PREPAYMENT", "AFTERPAYMENT", "AFTERPAYMENT")


@dataclass
class Chained:
    """An order that is paid in three parts; each step is asked for once the one before was told as made."""

    order: UUID
    total: int
    parts: Sequence[int]
    #: The requests of each step: one payment, or the document of the return, asked for once or twice.
    steps: Sequence[Sequence[OrderRequest]]
    next_step: int = field(default=0)

    @property
    def requests(self) -> list[OrderRequest]:
        return [request for step in self.steps for request in step]

    @property
    def is_returned(self) -> bool:
        return len(self.steps) > len(self.parts)

    def payment(self, part: int) -> UUID:
        return uuid5(self.order, f"payment {part}")


def chains(count: int, rows: Sequence[CashierRow], generator: random.Random) -> list[Chained]:
    """So many orders in three parts."""
    made = orders.requests(count, rows, generator, pressed_twice=0.0)
    return [_chained(number, request, generator) for number, request in enumerate(made)]


class Chaining:
    """Publishes the steps of each chain, one after the other."""

    def __init__(
        self,
        chained: Sequence[Chained],
        publish: Callable[[Sequence[OrderRequest]], None],
        told: Callable[[str], Sequence[Mapping[str, Any]]],
    ) -> None:
        """``told`` gives the succeeded events of a request."""
        self._chained = chained
        self._publish = publish
        self._told = told
        self.asked: set[str] = set()

    @property
    def left(self) -> int:
        return sum(one.next_step < len(one.steps) for one in self._chained)

    def begin(self, share: float) -> None:
        """Ask for the first step of this share of the chains."""
        for one in self._chained[: round(len(self._chained) * share)]:
            if one.next_step == 0:
                self._ask(one)

    def go_on(self, succeeded: set[str]) -> None:
        """Ask for what is due after these requests."""
        for one in self._chained:
            if 0 < one.next_step < len(one.steps) and _is_told(one.steps[one.next_step - 1], succeeded):
                self._ask(one)

    def _ask(self, one: Chained) -> None:
        requests = one.steps[one.next_step]
        if one.next_step == len(one.parts):
            paid = self._told(one.steps[-2][0].id)[-1]
            requests = [_naming(request, paid["data"]["prepayment"]["relationId"]) for request in requests]
        self._publish(requests)
        self.asked |= {request.id for request in requests}
        one.next_step += 1


def broken(
    chained: Sequence[Chained],
    ledger: Iterable[Mapping[str, Any]],
    heard: Heard,
    left: Sequence[Letter],
) -> Iterator[str]:
    """The promises that were not kept; ``ledger`` are the receipts of chains, ``left`` the last letters."""
    done = {entry["id"]: entry for entry in ledger if entry["status"] == "DONE"}
    returns: dict[str, list[Mapping[str, Any]]] = defaultdict(list)
    for entry in done.values():
        if entry["type"] == "RETURN":
            returns[entry["related_receipt_id"]].append(entry)
    for one in chained:
        yield from _parts(one, done, returns)
        for request in one.requests:
            if request.id not in heard.succeeded:
                yield f"no succeeded event for {request.id}"
    asked = {request.id for one in chained for request in one.requests}
    for letter in left:
        if letter.request in asked:
            yield f"dead letter {letter.code} of {letter.request}: {letter.headers.get('x-fiscal-detail')}"


def _parts(
    one: Chained, done: Mapping[str, Mapping[str, Any]], returns: Mapping[str, Sequence[Mapping[str, Any]]]
) -> Iterator[str]:
    """Each payment is one receipt, and returned once where the chain was."""
    for part, money in enumerate(one.parts):
        ids = [str(payment_receipt_id(one.order, one.payment(part), attempt)) for attempt in range(20)]
        made = [done[receipt_id] for receipt_id in ids if receipt_id in done]
        if [entry["total"] for entry in made] != [money]:
            yield f"part {part} of {one.order} has {[entry['total'] for entry in made]} and not {money}"
        for entry in made:
            back = [found["total"] for found in returns.get(entry["id"], ())]
            if back != ([money] if one.is_returned else []):
                yield f"of part {part} of {one.order} {back} was returned"


def _is_told(step: Sequence[OrderRequest], succeeded: set[str]) -> bool:
    return all(request.id in succeeded for request in step)


def _chained(number: int, sale: OrderRequest, generator: random.Random) -> Chained:
    first = generator.randrange(1, sale.total - 1)
    second = generator.randrange(1, sale.total - first)
    parts = (first, second, sale.total - first - second)
    one = Chained(sale.order, sale.total, parts, ())
    steps = [
        [_payment(number, sale, one, part, time) for time in range(generator.choice((1, 1, 2)))]
        for part in range(3)
    ]
    if number % 2:
        steps.append([_return(number, sale, time) for time in range(generator.choice((1, 2)))])
    one.steps = steps
    return one


def _payment(number: int, sale: OrderRequest, one: Chained, part: int, time: int) -> OrderRequest:
    operation = _PAYMENTS[part]
    members = {"operation": operation, "paymentUuid": str(one.payment(part)), "closes": part == 2}
    payments = [{"form": "CASHLESS", "amount": f"{one.parts[part] // 100}.{one.parts[part] % 100:02}"}]
    return _changed(sale, f"chain-{number:04}/{part}/{time}", {**members, "payments": payments})


def _return(number: int, sale: OrderRequest, time: int) -> OrderRequest:
    message = json.loads(sale.body)
    document = uuid5(sale.order, "return of the chain")
    order = {**message["data"]["order"], "uuid": str(document)}
    members = {"operation": "PREPAYMENT_RETURN", "returnOf": {"orderUuid": str(sale.order)}, "order": order}
    return _changed(sale, f"chain-{number:04}/return/{time}", members, str(document))


def _naming(back: OrderRequest, relation_id: str) -> OrderRequest:
    """The return of this chain: an order whose first advance was refused has had two."""
    message = json.loads(back.body)
    message["data"]["returnOf"]["relationId"] = relation_id
    return replace(back, body=json.dumps(message, ensure_ascii=False).encode())


def _changed(
    sale: OrderRequest, name: str, members: Mapping[str, Any], subject: str | None = None
) -> OrderRequest:
    message = json.loads(sale.body)
    message |= {"id": name, "subject": subject or message["subject"]}
    message["data"] |= members
    body = json.dumps(message, ensure_ascii=False).encode()
    return OrderRequest(name, sale.order, name, sale.total, sale.row, body)
