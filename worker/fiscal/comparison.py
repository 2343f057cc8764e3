"""A receipt held against what Checkbox has issued: the same sale, or a return of too much of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from worker.fiscal.money import hryvnias, plain
from worker.fiscal.outcomes import IssuedLine, IssuedReceipt
from worker.fiscal.receipt import Receipt, ReceiptLine

#: Entries of a list in a detail.
_SHOWN = 20
_ONE_UNIT = 1000

_Content = tuple[str, int, int, tuple[int, ...] | None]


def same_content(receipt: Receipt, issued: IssuedReceipt) -> dict[str, Any] | None:
    """None when the total (before cash is rounded) and the lines are the same, else both contents.

    Lines are compared by code, quantity, price and tax, in any order; lines or taxes that the answer does not
    tell are not held against it.
    """
    ours, theirs = _contents(receipt.lines), _contents(issued.lines)
    if receipt.total == issued.total and (not theirs or _same_lines(Counter(ours), Counter(theirs))):
        return None
    return {"expected": _told(receipt.total, ours), "found": _told(issued.total, theirs)}


def check_return(
    receipt: Receipt, sale: IssuedReceipt, earlier: Sequence[IssuedReceipt]
) -> dict[str, Any] | None:
    """None when no more is returned than was sold, else what is too much.

    ``earlier`` are the sale's other returns. Each code counts by money, and by quantity where the sale's line
    kept its own; all of it together counts by the totals, which order discounts lower.
    """
    sold = _by_code(sale.lines)
    returned = _by_code((*receipt.lines, *(line for other in earlier for line in other.lines)))
    total = receipt.total + sum(other.total for other in earlier)
    codes = [
        _excess(code, sold.get(code, _Sum()), back)
        for code, back in returned.items()
        if back.exceeds(sold.get(code, _Sum()))
    ]
    if total <= sale.total and not (codes and sale.lines):
        return None
    return {
        "reason": "more is returned than was sold",
        "saleReceiptId": sale.id,
        "sold": hryvnias(sale.total),
        "returned": hryvnias(total),
        "codes": codes[:_SHOWN],
    }


class _Sum:
    """What the lines of one code come to, earlier and present ones together."""

    def __init__(self) -> None:
        self.money = 0
        self.quantity = 0
        self.lines: set[tuple[int, int]] = set()

    def add(self, line: IssuedLine | ReceiptLine) -> None:
        gross = line.price * line.quantity // _ONE_UNIT
        self.money += gross if line.total is None else line.total
        self.quantity += line.quantity
        self.lines.add((line.quantity, line.price))

    def exceeds(self, sold: _Sum) -> bool:
        return self.money > sold.money or (self.counts_against(sold) and self.quantity > sold.quantity)

    def counts_against(self, sold: _Sum) -> bool:
        """A sold quantity of one may be a line that was turned into one unit, if it is priced otherwise."""
        prices = {price for _, price in self.lines}
        return all(quantity != _ONE_UNIT or prices == {price} for quantity, price in sold.lines)


def _by_code(lines: Sequence[IssuedLine | ReceiptLine]) -> Mapping[str, _Sum]:
    sums: dict[str, _Sum] = {}
    for line in lines:
        sums.setdefault(line.code, _Sum()).add(line)
    return sums


def _excess(code: str, sold: _Sum, back: _Sum) -> dict[str, str]:
    return {
        "code": code,
        "soldAmount": hryvnias(sold.money),
        "soldQuantity": plain(sold.quantity, 3),
        "returnedAmount": hryvnias(back.money),
        "returnedQuantity": plain(back.quantity, 3),
    }


def _contents(lines: Sequence[IssuedLine | ReceiptLine]) -> list[_Content]:
    return [(line.code, line.quantity, line.price, _taxes(line)) for line in lines]


def _taxes(line: IssuedLine | ReceiptLine) -> tuple[int, ...] | None:
    if isinstance(line, IssuedLine):
        return line.tax_codes
    return () if line.tax_code is None else (line.tax_code,)


def _same_lines(ours: Counter[_Content], theirs: Counter[_Content]) -> bool:
    untold = Counter({content: count for content, count in theirs.items() if content[3] is None})
    told = theirs - untold
    if told - ours:
        return False
    return _without_taxes(ours - told) == _without_taxes(untold)


def _without_taxes(contents: Counter[_Content]) -> Counter[tuple[str, int, int]]:
    left: Counter[tuple[str, int, int]] = Counter()
    for (code, quantity, price, _), count in contents.items():
        left[code, quantity, price] += count
    return left


def _told(total: int, contents: Sequence[_Content]) -> dict[str, Any]:
    return {
        "total": hryvnias(total),
        "lineCount": len(contents),
        "lines": [
            {
                "code": code,
                "quantity": plain(quantity, 3),
                "price": hryvnias(price),
                "tax": None if taxes is None else list(taxes),
            }
            for code, quantity, price, taxes in contents[:_SHOWN]
        ],
    }
