"""A day of the journal: receipts and sums, for the console and for the accountant."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, Engine, RowMapping, and_, func, select

from worker.fiscal.kyiv import KYIV
from worker.fiscal.money import hryvnias
from worker.fiscal.order import PaymentForm
from worker.journal.finding import looking
from worker.journal.tables import RECEIPTS, REQUESTS

_RETURNS = frozenset({"RETURN", "PREPAYMENT_RETURN"})
#: As receipts print them where a payment has no label.
_LABELS = {PaymentForm.CASH: "Готівка", PaymentForm.CASHLESS: "Картка"}
_ROWS_AT_ONCE = 1000
_COLUMNS = (
    "Дата", "Час", "Інтеграція", "Касир", "Операція", "Документ", "Фіскальний номер", "Сума", "Оплата",
    "Номер каси", "Офлайн", "Посилання",
)  # fmt: skip


@dataclass(slots=True)
class Sums:
    """Receipts and money, in kopiykas; returns are positive."""

    sales_count: int = 0
    sales: int = 0
    returns_count: int = 0
    returns: int = 0

    def add(self, operation: str | None, count: int, total: int) -> None:
        if operation in _RETURNS:
            self.returns_count += count
            self.returns += total
        else:
            self.sales_count += count
            self.sales += total


@dataclass(slots=True)
class CashierDay:
    """What one cashier row of an integration made on the day, and by which means it was paid."""

    integration: str | None
    cashier: str | None
    sums: Sums = field(default_factory=Sums)
    #: By form and label; a receipt that was paid by two means counts in both.
    means: dict[tuple[str, str], Sums] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Day:
    """By the receipts' fiscal dates, from midnight to midnight in Kyiv."""

    date: date
    sums: Sums
    cashiers: list[CashierDay]


def day_of(engine: Engine, day: date, integrations: Iterable[str] | None = None) -> Day:
    """Sums of a day; of some integrations only where they are named. Raises ``JournalUnreadable``."""
    cashiers: dict[tuple[str | None, str | None], CashierDay] = {}
    total = Sums()
    with looking(engine) as connection:
        for integration, cashier, operation, means, count, money in _grouped(
            connection, _on(day, integrations)
        ):
            key = integration, cashier
            row = cashiers.setdefault(key, CashierDay(integration, cashier))
            for sums in (total, row.sums):
                sums.add(operation, count, money)
            for form, label, amount in _payments(means, count, money):
                row.means.setdefault((form, label), Sums()).add(operation, count, amount)
    ordered = sorted(cashiers.values(), key=lambda one: (one.integration or "", one.cashier or ""))
    return Day(day, total, ordered)


def sums_of_shifts(engine: Engine, shifts: Iterable[str], until: datetime) -> dict[str, Sums]:
    """What each of these shifts had come to, by its receipts' events. Raises ``JournalUnreadable``."""
    c = RECEIPTS.c
    found = {shift: Sums() for shift in shifts}
    counted = and_(c.shift.in_(list(found)), c.fiscal_at <= int(until.timestamp() * 1000))
    query = select(c.shift, c.operation, func.count(), func.sum(c.total)).where(counted)
    with looking(engine) as connection:
        for shift, *figures in connection.execute(query.group_by(c.shift, c.operation)):
            found[shift].add(*figures)
    return found


def day_as_csv(engine: Engine, day: date, integrations: Iterable[str] | None = None) -> Iterator[bytes]:
    """The day's receipts in parts of a CSV file that Excel opens with a double click.

    UTF-8 with a byte-order mark, semicolons between, and a comma in the sums: as Ukrainian and Russian
    settings expect it.
    """
    yield b"\xef\xbb\xbf" + _line(_COLUMNS)
    with looking(engine) as connection:
        query = select(RECEIPTS, REQUESTS.c.means.label("asked_means"))
        query = query.select_from(_with_means()).where(_on(day, integrations)).order_by(RECEIPTS.c.fiscal_at)
        for part in (
            connection.execution_options(yield_per=_ROWS_AT_ONCE).execute(query).mappings().partitions()
        ):
            yield b"".join(_line(_cells(row)) for row in part)


def bounds(day: date) -> tuple[int, int]:
    """The first millisecond of the Kyiv day, and that of the next; in milliseconds since the epoch."""
    first, following = (
        int(datetime.combine(one, time(), KYIV).timestamp() * 1000) for one in (day, day + timedelta(days=1))
    )
    return first, following


def _on(day: date, integrations: Iterable[str] | None) -> ColumnElement[bool]:
    first, following = bounds(day)
    condition = and_(RECEIPTS.c.fiscal_at >= first, RECEIPTS.c.fiscal_at < following)
    return (
        condition if integrations is None else and_(condition, RECEIPTS.c.integration.in_(list(integrations)))
    )


def _with_means() -> Any:
    """The request itself names the payments where two journals heard it and its outcome at the same time."""
    is_asked = and_(RECEIPTS.c.means.is_(None), REQUESTS.c.key == RECEIPTS.c.request)
    return RECEIPTS.outerjoin(REQUESTS, is_asked)


def _grouped(connection: Connection, condition: ColumnElement[bool]) -> Iterator[Any]:
    c = RECEIPTS.c
    group = (c.integration, c.cashier, c.operation)
    sums = (func.count(), func.sum(c.total))
    known = select(*group, c.means, *sums).where(condition, c.means.is_not(None)).group_by(*group, c.means)
    yield from connection.execute(known)
    means = REQUESTS.c.means
    unknown = select(*group, means, *sums).select_from(_with_means()).where(condition, c.means.is_(None))
    yield from connection.execute(unknown.group_by(*group, means))


def _payments(means: str | None, count: int, money: int) -> Iterator[tuple[str, str, int]]:
    payments = json.loads(means) if means else []
    if not payments:
        yield "", "", money
    for form, label, *amount in payments:
        yield form, label or _LABELS[PaymentForm(form)], amount[0] * count if amount else money


def _cells(row: RowMapping) -> list[str]:
    instant = datetime.fromtimestamp(row["fiscal_at"] / 1000, KYIV)
    paid = _payments(row["means"] or row["asked_means"], 1, row["total"])
    sign = "-" if row["operation"] in _RETURNS else ""
    return [
        f"{instant:%d.%m.%Y}",
        f"{instant:%H:%M:%S}",
        row["integration"] or "",
        row["cashier"] or "",
        row["operation"] or "",
        row["doc_number"] or "",
        row["fiscal_code"],
        sign + _comma(row["total"]),
        ", ".join(f"{label} {sign}{_comma(amount)}" for _, label, amount in paid),
        row["register"] or "",
        "так" if row["offline"] else "ні",
        row["tax_url"] or row["link"] or "",
    ]


def _comma(kopiykas: int) -> str:
    return hryvnias(kopiykas).replace(".", ",")


def _line(cells: Iterable[str]) -> bytes:
    """A cell that begins like a formula would be one in Excel: an apostrophe makes it a text."""
    written = io.StringIO()
    safe = [
        f"'{cell}" if cell[:1] in ("=", "+", "@", "\t") or _is_text_with_minus(cell) else cell
        for cell in cells
    ]
    csv.writer(written, delimiter=";", lineterminator="\r\n").writerow(safe)
    return written.getvalue().encode()


def _is_text_with_minus(cell: str) -> bool:
    return cell.startswith("-") and not cell[1:].replace(",", "").isdigit()
