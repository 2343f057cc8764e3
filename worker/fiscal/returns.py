"""What may still be returned of a sale, and under which tax codes.

All returns of a sale together give back no more than was sold: in all, for each code, and for each code's
quantity in the order's own units.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from worker.fiscal.money import hryvnias, plain
from worker.fiscal.order import Order, OrderLine
from worker.fiscal.outcomes import IssuedReceipt, IssuedTax
from worker.fiscal.receipt_lines import ordered_count
from worker.fiscal.tax_rates import TaxRates

#: Entries of a list in a detail.
_SHOWN = 20


@dataclass(frozen=True, slots=True)
class _Sum:
    """Kopiykas and thousandths of one code."""

    money: int = 0
    count: int = 0

    def __add__(self, other: _Sum) -> _Sum:
        return _Sum(self.money + other.money, self.count + other.count)

    def exceeds(self, sold: _Sum) -> bool:
        return self.money > sold.money or self.count > sold.count


def excess(order: Order, sale: IssuedReceipt, earlier: Sequence[IssuedReceipt]) -> dict[str, Any] | None:
    """What the return of ``order`` would give back beyond the sale; None where it fits.

    ``earlier`` are the sale's other returns. Lines that cost nothing are not on the sale's receipt and do not
    count. A receipt whose lines cannot be read counts by its total alone.
    """
    sold = _by_code(_issued(sale))
    back = _by_code(
        [*_ordered(order), *(pair for receipt in earlier for pair in _issued(receipt))],
    )
    total = order.total + sum(receipt.total for receipt in earlier)
    codes = [
        _shown(code, sold.get(code, _Sum()), returned)
        for code, returned in back.items()
        if sale.lines and returned.exceeds(sold.get(code, _Sum()))
    ]
    if total <= sale.total and not codes:
        return None
    return {
        "reason": "more is returned than was sold",
        "saleReceiptId": sale.id,
        "sold": hryvnias(sale.total),
        "returned": hryvnias(total),
        "codes": codes[:_SHOWN],
    }


def is_full(sale: IssuedReceipt, returns: Iterable[IssuedReceipt]) -> bool:
    """Whether the totals of these returns come to the sale's; not where that is not shown."""
    return not sale.is_refused and 0 < sale.total <= sum(one.total for one in returns)


def tax_codes(line: OrderLine, sale: IssuedReceipt, table: TaxRates) -> tuple[int, ...] | None:
    """The codes that the sale's receipt shows for this code of goods and percent, else the table's.

    None where neither has any. The table may have changed since the sale.
    """
    if line.vat is None:
        return ()
    percent = Decimal(0) if line.vat.not_accountable else line.vat.percent_rate
    shown = [
        tuple(tax.code for tax in sold.taxes)
        for sold in sale.lines
        if sold.code == line.code and sold.taxes and _main_percent(sold.taxes) == percent
    ]
    mapped = table.code_for(line.vat)
    # Two codes may have 0 percent: the table's own is taken where the receipt has it.
    return next((codes for codes in shown if mapped in codes), None) or (
        shown[0] if shown else None if mapped is None else (mapped,)
    )


def _main_percent(taxes: Sequence[IssuedTax]) -> Decimal | None:
    return taxes[0].percent


def _ordered(order: Order) -> Iterable[tuple[str, _Sum]]:
    return ((line.code, _Sum(line.amount, line.count)) for line in order.lines if line.amount)


def _issued(receipt: IssuedReceipt) -> Iterable[tuple[str, _Sum]]:
    for line in receipt.lines:
        gross = line.price * line.quantity // 1000
        yield line.code, _Sum(gross if line.total is None else line.total, ordered_count(line))


def _by_code(pairs: Iterable[tuple[str, _Sum]]) -> Mapping[str, _Sum]:
    sums: dict[str, _Sum] = {}
    for code, one in pairs:
        sums[code] = sums.get(code, _Sum()) + one
    return sums


def _shown(code: str, sold: _Sum, back: _Sum) -> dict[str, str]:
    return {
        "code": code,
        "soldAmount": hryvnias(sold.money),
        "soldQuantity": plain(sold.count, 3),
        "returnedAmount": hryvnias(back.money),
        "returnedQuantity": plain(back.count, 3),
    }
