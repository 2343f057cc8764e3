"""A shift as the lists of shifts show it, with its Z-report."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from worker.checkbox.answers import Document, Unreadable, child, decimal, integer, moment, read_page, text


@dataclass(frozen=True, slots=True)
class ZPayment:
    """What came in and went out by one means of payment, in kopiykas."""

    label: str
    form: str
    sales: int
    returns: int


@dataclass(frozen=True, slots=True)
class ZTax:
    """Turnover and tax of one rate, in kopiykas."""

    code: int | None
    label: str
    rate: Decimal
    sales_turnover: int
    returns_turnover: int
    sales_tax: int
    returns_tax: int


@dataclass(frozen=True, slots=True)
class ZReport:
    """The figures of a shift, as they were reported to the tax service. Money in kopiykas."""

    fiscal_code: str | None
    sales_count: int
    returns_count: int
    payments: tuple[ZPayment, ...]
    taxes: tuple[ZTax, ...]
    #: By how much the rounding of cash raised what was paid in, and what was paid out.
    sales_rounding: int
    returns_rounding: int

    @property
    def sales(self) -> int:
        return sum(one.sales for one in self.payments)

    @property
    def returns(self) -> int:
        return sum(one.returns for one in self.payments)


@dataclass(frozen=True, slots=True)
class Balance:
    """What came in and went out in a shift so far, in kopiykas."""

    sales: int
    returns: int


@dataclass(frozen=True, slots=True)
class ShiftRecord:
    """A shift that is or was open; times in seconds since the epoch."""

    id: str
    serial: int | None
    status: str
    opened_at: float
    closed_at: float | None
    register_number: str | None
    z_report: ZReport | None
    #: None where Checkbox does not show it.
    balance: Balance | None

    @property
    def is_closed(self) -> bool:
        return self.status == "CLOSED" and self.closed_at is not None


@dataclass(frozen=True, slots=True)
class ShiftPage:
    """A page of a list; ``count`` shifts were on it, with those that never were open."""

    shifts: tuple[ShiftRecord, ...]
    count: int


def read_shifts(document: Any) -> ShiftPage:
    """Raises ``Unreadable`` where it is no list of shifts."""
    results = read_page(document)
    return ShiftPage(tuple(one for one in map(_read_shift, results) if one is not None), len(results))


def _read_shift(document: Any) -> ShiftRecord | None:
    """None for one whose opening was refused, or is under way."""
    if not isinstance(document, dict):
        raise Unreadable("no shift")
    shift_id, status = text(document, "id"), text(document, "status")
    if shift_id is None or status is None:
        raise Unreadable("no shift")
    opened, closed = moment(document.get("opened_at")), moment(document.get("closed_at"))
    if opened is None:
        return None
    report = document.get("z_report")
    return ShiftRecord(
        id=shift_id.lower(),
        serial=integer(document.get("serial")),
        status=status,
        opened_at=opened.timestamp(),
        closed_at=closed.timestamp() if closed else None,
        register_number=text(child(document, "cash_register"), "fiscal_number"),
        z_report=_read_report(report) if isinstance(report, dict) else None,
        balance=_read_balance(document.get("balance")),
    )


def _read_balance(balance: Any) -> Balance | None:
    if not isinstance(balance, dict):
        return None
    return Balance(
        sales=_number(balance, "cash_sales") + _number(balance, "card_sales"),
        returns=_number(balance, "cash_returns") + _number(balance, "card_returns"),
    )


def _read_report(report: Document) -> ZReport:
    return ZReport(
        fiscal_code=text(report, "fiscal_code"),
        sales_count=_number(report, "sell_receipts_count"),
        returns_count=_number(report, "return_receipts_count"),
        payments=tuple(_read_payment(one) for one in _objects(report, "payments")),
        taxes=tuple(_read_tax(one) for one in _objects(report, "taxes")),
        sales_rounding=_number(report, "sales_round_up") - _number(report, "sales_round_down"),
        returns_rounding=_number(report, "returns_round_up") - _number(report, "returns_round_down"),
    )


def _read_payment(payment: Document) -> ZPayment:
    return ZPayment(
        label=text(payment, "label") or "",
        form="CASH" if text(payment, "type") == "CASH" else "CASHLESS",
        sales=_number(payment, "sell_sum"),
        returns=_number(payment, "return_sum"),
    )


def _read_tax(tax: Document) -> ZTax:
    return ZTax(
        code=integer(tax.get("code")),
        label=text(tax, "label") or "",
        rate=decimal(tax.get("rate")) or Decimal(0),
        sales_turnover=_number(tax, "sales_turnover"),
        returns_turnover=_number(tax, "returns_turnover"),
        sales_tax=_number(tax, "sell_sum"),
        returns_tax=_number(tax, "return_sum"),
    )


def _objects(document: Document, key: str) -> Sequence[Document]:
    value = document.get(key)
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []


def _number(document: Document, key: str) -> int:
    return integer(document.get(key)) or 0
