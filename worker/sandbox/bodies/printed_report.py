"""Reports for people, as text. ASSUMED: the wording; «Загальний оборот» is read by a client in production."""

from __future__ import annotations

from collections.abc import Sequence

from worker.sandbox.ledger import Report, Shift


def text(report: Report, width: int) -> str:
    title = "Z-ЗВІТ" if report.is_z_report else "X-ЗВІТ"
    rows = [f"{title} {report.serial}".center(width).rstrip(), *_turnover([report.shift], width)]
    rows.append(_row("ЗАЛИШОК", report.shift.balance.balance, width))
    return "\n".join(rows) + "\n"


def periodical(shifts: Sequence[Shift], width: int, *, is_short: bool) -> str:
    """With ``is_short`` only the totals, otherwise each shift too."""
    rows = ["ПЕРІОДИЧНИЙ ЗВІТ".center(width).rstrip()]
    for shift in () if is_short else shifts:
        rows += [f"Зміна {shift.serial}", *_turnover([shift], width)]
    return "\n".join([*rows, *_turnover(shifts, width)]) + "\n"


def _turnover(shifts: Sequence[Shift], width: int) -> list[str]:
    payments = [row for shift in shifts for row in shift.payments.values()]
    sold, returned = sum(row.sales for row in payments), sum(row.returns for row in payments)
    return [
        _row("Загальний оборот", sold, width),
        _row("Повернення", returned, width),
    ]


def _row(label: str, kopiykas: int, width: int) -> str:
    amount = f"{kopiykas / 100:.2f}"
    return f"{label} {amount.rjust(max(0, width - len(label) - 1))}"
