"""From the lines of an order to the lines of a receipt, to the kopiyka.

How Checkbox rounds a fraction of a kopiyka is not documented, so that it never gets one to round.
"""

from __future__ import annotations

import re

from worker.fiscal.money import plain
from worker.fiscal.order import OrderLine
from worker.fiscal.outcomes import IssuedLine
from worker.fiscal.receipt import ReceiptLine

#: Characters of a name on the receipt, and of a line's header and footer (Checkbox's own limit).
NAME_LIMIT = 1000
_NOTE_LIMIT = 1024
_ONE = 1000
#: ``count`` times ``cost`` comes in this part of a kopiyka.
_PARTS = 100_000
_HALF_PARTS_OF_A_THOUSANDTH = _PARTS // 2 // _ONE
#: The end of the name of a line that went out as one unit, as ``receipt_line`` writes it.
_COUNTED = re.compile(r"\((?P<count>\d+(?:\.\d{1,3})?)(?: .*)? x (?P<cost>\d+\.\d{2,4})\)", re.DOTALL)


def strays(line: OrderLine) -> bool:
    """Whether the amount and ``count*cost-discount`` differ by more than rounding can explain.

    Allowed is 1 kopiyka, or half a kopiyka times ``count`` where that is more.
    """
    difference = line.count * line.cost - (line.discount + line.amount) * _PARTS
    return abs(difference) > max(_PARTS, line.count * _HALF_PARTS_OF_A_THOUSANDTH)


def costs_nothing_each(line: OrderLine) -> bool:
    """Whether the line has an amount and a unit price of 0, which no receipt can show."""
    return line.amount > 0 and line.cost == 0


def exact_cost(line: OrderLine) -> str:
    """``count*cost`` in hryvnias, with all its places."""
    return plain(line.count * line.cost, 7, 2)


def receipt_line(line: OrderLine, tax_codes: tuple[int, ...]) -> ReceiptLine:
    """The line as it was ordered where every figure is whole kopiykas, else as one unit."""
    whole = line.cost % 100 == 0 and line.count * line.cost % _PARTS == 0
    suffix = "" if whole else f" ({counted(line)} x {plain(line.cost, 4, 2)})"
    price = line.cost // 100 if whole else line.amount + line.discount
    quantity = line.count if whole else _ONE
    surplus = price * quantity // _ONE - line.amount
    cut = len(line.name) + len(suffix) > NAME_LIMIT
    return ReceiptLine(
        code=line.code,
        name=shortened(line.name, NAME_LIMIT - len(suffix)) + suffix,
        quantity=quantity,
        price=price,
        tax_codes=tax_codes,
        barcode=line.barcode,
        uktzed=line.uktzed,
        excise_barcodes=line.excise_barcodes,
        e_excise_barcodes=line.e_excise_barcodes,
        discount=max(surplus, 0),
        surcharge=max(-surplus, 0),
        header=shortened(line.name, _NOTE_LIMIT) if cut else None,
        footer=f"Од. вим.: {line.unit}" if line.unit and whole else None,
    )


def ordered_count(line: IssuedLine) -> int:
    """The quantity in the order's own units, in thousandths.

    A line that went out as one unit has its count and cost in its name. They count only where they explain
    the line's price: a name of Bimp's may end in the same way.
    """
    if line.quantity != _ONE:
        return line.quantity
    name = line.name[-NAME_LIMIT:]  # of a longer one, which is none of ours, each bracket would be tried
    endings = (name[at:] for at in range(len(name) - 1, -1, -1) if name[at] == "(")
    noted = (_COUNTED.fullmatch(ending) for ending in endings)
    explained = (count for match in noted if match and (count := _explained(match, line.price)))
    return next(explained, line.quantity)


def _explained(noted: re.Match[str], price: int) -> int | None:
    count, cost = _parts(noted["count"], 3), _parts(noted["cost"], 4)
    difference = abs(count * cost - price * _PARTS)
    return count if difference <= max(_PARTS, count * _HALF_PARTS_OF_A_THOUSANDTH) else None


def _parts(text: str, places: int) -> int:
    whole, _, fraction = text.partition(".")
    return int(whole + fraction.ljust(places, "0"))


def gift_note(line: OrderLine) -> str:
    """How the receipt's footer names a line that costs nothing: Checkbox takes no price of 0."""
    return f"Подарунок: {shortened(line.name, NAME_LIMIT)}, {counted(line)}"


def counted(line: OrderLine) -> str:
    """The quantity and its unit, e.g. 0.375 кг."""
    quantity = plain(line.count, 3)
    return f"{quantity} {line.unit}" if line.unit else quantity


def shortened(text: str, limit: int) -> str:
    """At most ``limit`` characters; a cut shows."""
    return text if len(text) <= limit else text[: limit - 1] + "…"
