"""Compares an order with the receipt that Checkbox has issued for it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from worker.fiscal.context import content_of, percent_of
from worker.fiscal.money import hryvnias, plain
from worker.fiscal.order import Order, OrderLine
from worker.fiscal.outcomes import IssuedLine, IssuedReceipt
from worker.fiscal.receipt_lines import receipt_line

#: Entries of a list in a detail.
_SHOWN = 20
#: Code, quantity, price, and the percents; None where they are not shown.
_Content = tuple[str, int, int, tuple[Decimal, ...] | None]


def difference(order: Order, issued: IssuedReceipt) -> dict[str, Any] | None:
    """None where the receipt has the order's content, else both contents.

    The digest in the receipt's context decides. Without one it is what the receipt shows without doubt: the
    total before cash is rounded, and the lines in any order; what is not shown counts as equal.
    """
    content = issued.context.get("content")
    if content == content_of(order):
        return None
    ours, theirs = _ordered(order), _issued(issued)
    if content is None and order.total == issued.total and _same_lines(ours, theirs):
        return None
    return {"expected": _shown(order.total, ours), "found": _shown(issued.total, theirs)}


def _ordered(order: Order) -> list[_Content]:
    lines = [(receipt_line(line, ()), _percents(line)) for line in order.lines if line.amount]
    return [(line.code, line.quantity, line.price, percents) for line, percents in lines]


def _percents(line: OrderLine) -> tuple[Decimal, ...]:
    percent = percent_of(line)
    return () if percent is None else (Decimal(0) if percent == "not_accountable" else Decimal(percent),)


def _issued(issued: IssuedReceipt) -> list[_Content]:
    return [(line.code, line.quantity, line.price, _shown_percents(line)) for line in issued.lines]


def _shown_percents(line: IssuedLine) -> tuple[Decimal, ...] | None:
    if line.taxes is None:
        return None
    percents = [tax.percent for tax in line.taxes]
    return (
        tuple(sorted(percent for percent in percents if percent is not None))
        if None not in percents
        else None
    )


def _same_lines(ours: list[_Content], theirs: list[_Content]) -> bool:
    if not theirs:
        return True
    in_part = Counter(content for content in theirs if content[3] is None)
    whole = Counter(theirs) - in_part
    left = Counter(ours)
    if whole - left:
        return False
    return _without_percents(left - whole) == _without_percents(in_part)


def _without_percents(contents: Counter[_Content]) -> Counter[tuple[str, int, int]]:
    left: Counter[tuple[str, int, int]] = Counter()
    for (code, quantity, price, _), count in contents.items():
        left[code, quantity, price] += count
    return left


def _shown(total: int, contents: Sequence[_Content]) -> dict[str, Any]:
    return {
        "total": hryvnias(total),
        "lineCount": len(contents),
        "lines": [
            {
                "code": code,
                "quantity": plain(quantity, 3),
                "price": hryvnias(price),
                "percents": None
                if percents is None
                else [f"{percent.normalize():f}" for percent in percents],
            }
            for code, quantity, price, percents in contents[:_SHOWN]
        ],
    }
