"""The returns of a run: whole, in parts, more at once than the sale has, one document asked for twice."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid5

from tests.chaos.orders import OrderRequest

#: Every sixth of the orders that are asked for once is returned: some 320 of 2,000. Who asks again for one
#: that was returned meanwhile is told so, and no evidence says which of the two made the receipt.
_EVERY = 6


@dataclass(frozen=True, slots=True)
class _Way:
    #: For each document: the pieces of the first line, those below 1 counted from all of them; and whether
    #: the other lines are returned too.
    documents: Sequence[tuple[int, bool]]
    #: How many of the documents fit into the sale, whichever come first.
    fits: int
    #: Each document is asked for by so many requests.
    requests: int = 1


_WHOLE, _ONE, _REST = (0, True), (1, False), (-1, True)
_WAYS = (
    _Way([_WHOLE], fits=1),
    _Way([_ONE, _REST], fits=2),
    _Way([_WHOLE, _WHOLE], fits=1),
    _Way([_ONE, _REST, _ONE], fits=2),
    _Way([_WHOLE], fits=1, requests=2),
)


@dataclass(frozen=True, slots=True)
class Returned:
    """All returns of one order; they come at once, as soon as the sale is told."""

    sale: OrderRequest
    #: The ``product`` of each is the name of its document, which is the name of its first line: the ledger
    #: shows whose a receipt is without any id of the worker's.
    requests: Sequence[OrderRequest]
    #: How many of the documents have a receipt in the end.
    fits: int

    @property
    def documents(self) -> list[str]:
        return list(dict.fromkeys(request.product for request in self.requests))


def returns_of(requests: Sequence[OrderRequest]) -> Iterator[Returned]:
    """Of every sixth order."""
    asked_for = Counter(request.product for request in requests)
    sales = [request for request in requests if asked_for[request.product] == 1]
    for number, sale in enumerate(sales[_EVERY - 1 :: _EVERY]):
        way = _WAYS[number % len(_WAYS)]
        asked = [
            _request(sale, place, time, *document)
            for place, document in enumerate(way.documents)
            for time in range(way.requests)
        ]
        yield Returned(sale, asked, way.fits)


class Returning:
    """Publishes the returns of each order once its sale was told as made."""

    def __init__(
        self, returned: Sequence[Returned], publish: Callable[[Sequence[OrderRequest]], None]
    ) -> None:
        self._left = list(returned)
        self._publish = publish
        self.asked: set[str] = set()

    @property
    def left(self) -> int:
        return len(self._left)

    def go_on(self, succeeded: set[str]) -> None:
        """Publish the returns of the sales that are among the succeeded requests."""
        due = [one for one in self._left if one.sale.id in succeeded]
        self._left = [one for one in self._left if one.sale.id not in succeeded]
        for one in due:
            self._publish(one.requests)
            self.asked |= {request.id for request in one.requests}


def _request(sale: OrderRequest, place: int, time: int, pieces: int, others: bool) -> OrderRequest:
    message = json.loads(sale.body)
    name = f"R{sale.product}/{place}"
    uuid = uuid5(UUID(str(sale.order)), f"return {place}")
    lines, total = _lines(message["data"]["order"]["products"], name, pieces, others)
    message |= {"id": f"{name}/{time}", "subject": str(uuid)}
    data = message["data"]
    data |= {"operation": "RETURN", "returnOf": {"orderUuid": str(sale.order)}}
    data["order"] |= {"uuid": str(uuid), "docNumber": name, "products": lines, "total": str(total)}
    data["payments"][0]["amount"] = str(total)
    body = json.dumps(message, ensure_ascii=False).encode()
    return OrderRequest(message["id"], uuid, name, int(total * 100), sale.row, body)


def _lines(
    sold: list[dict[str, Any]], name: str, pieces: int, others: bool
) -> tuple[list[dict[str, Any]], Decimal]:
    count = pieces if pieces > 0 else int(sold[0]["count"]) + pieces
    first = {**sold[0], "name": name, "count": str(count), "amount": str(Decimal(sold[0]["cost"]) * count)}
    lines = [first, *(sold[1:] if others else [])]
    return lines, sum((Decimal(line["amount"]) for line in lines), Decimal(0))
