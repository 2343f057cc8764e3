"""Figures as people read them, and the rounding of cash. Money in kopiykas, quantities in thousandths."""

from __future__ import annotations

from worker.fiscal.integrations import CashRounding

#: Kopiykas; Checkbox takes sums below it only (``exclusiveMaximum`` of prices and payments).
SUM_LIMIT = 100_000_000_000

_STEPS = {CashRounding.ROUND_10: 10, CashRounding.ROUND_50: 50}


def plain(value: int, places: int, least: int = 0) -> str:
    """``value`` / 10**``places`` without zeros at the end, but with at least ``least`` places."""
    whole, fraction = divmod(abs(value), 10**places)
    digits = f"{fraction:0{places}d}".rstrip("0").ljust(least, "0")
    return f"{'-' if value < 0 else ''}{whole}{'.' if digits else ''}{digits}"


def hryvnias(kopiykas: int) -> str:
    """E.g. 270.00."""
    return plain(kopiykas, 2, 2)


def cash_to_pay(total: int, rounding: CashRounding) -> int:
    """The total as it is paid in cash.

    With ROUND_50 (the 10 kopiyka coin was withdrawn on 1 October 2025) 1 to 24 kopiykas become 0, 25 to 74
    become 50, and 75 to 99 the next hryvnia.
    """
    step = _STEPS.get(rounding, 1)
    return (total + step // 2) // step * step
