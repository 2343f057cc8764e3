"""What notices and lines say of a shift. Times by RFC 3339 in UTC, money with two places."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from worker.checkbox.shift_answers import ShiftRecord, ZReport
from worker.checkbox.shift_finder import Register
from worker.fiscal.money import hryvnias


def shift_data(
    integration: str, cashier: str | None, register: Register | None, shift: ShiftRecord | None
) -> dict[str, Any]:
    """What every notice of a shift begins with."""
    return {
        "integration": integration,
        "cashier": cashier,
        "register": register and {"fiscalNumber": register.fiscal_number, "isTest": register.is_test},
        "shift": shift
        and {
            "id": shift.id,
            "serial": shift.serial,
            "openedAt": _utc(shift.opened_at),
            "closedAt": None if shift.closed_at is None else _utc(shift.closed_at),
        },
    }


def report_data(report: ZReport | None) -> dict[str, Any] | None:
    """The Z-report of ``shift.closed``."""
    if report is None:
        return None
    return {
        "fiscalCode": report.fiscal_code,
        "sales": hryvnias(report.sales),
        "returns": hryvnias(report.returns),
        "salesCount": report.sales_count,
        "returnsCount": report.returns_count,
        "payments": [
            {
                "label": one.label,
                "form": one.form,
                "sales": hryvnias(one.sales),
                "returns": hryvnias(one.returns),
            }
            for one in report.payments
        ],
        "taxes": [
            {
                "code": one.code,
                "label": one.label,
                "rate": f"{one.rate.normalize():f}",
                "salesTurnover": hryvnias(one.sales_turnover),
                "returnsTurnover": hryvnias(one.returns_turnover),
                "salesTax": hryvnias(one.sales_tax),
                "returnsTax": hryvnias(one.returns_tax),
            }
            for one in report.taxes
        ],
    }


def _utc(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
