"""Orders, requests and messages for tests: whole and valid, but for what a test says otherwise."""

from __future__ import annotations

import copy
import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from enum import Enum
from typing import Any
from uuid import UUID

from worker.fiscal.configured import CashierRow, IntegrationRow, Integrations
from worker.fiscal.integrations import Cashier, CashRounding, Environment, Integration, ShiftPolicy
from worker.fiscal.order import Operation, Order, OrderLine, Payment, PaymentForm, Request, Vat
from worker.fiscal.outcomes import IssuedLine, IssuedReceipt, IssuedTax
from worker.fiscal.receipt import Receipt
from worker.fiscal.tax_rates import CheckboxTax, TaxRates

AN_ORDER = UUID("5d0e8a52-6a0c-4a0e-9a35-0b6a3b0f1c01")
NOON = datetime(2026, 11, 24, 10, 20, 5, tzinfo=UTC)
#: When the worker first saw a request, in seconds since the epoch.
FIRST_SEEN = NOON.timestamp()
#: By their codes at Checkbox, as ``an_integration`` maps them.
_PERCENTS = {1: Decimal(20), 2: Decimal(7), 3: Decimal(0), 8: Decimal(0)}
VAT_20 = Vat(Decimal(20), not_accountable=False)

_MESSAGE: Mapping[str, Any] = {
    "specversion": "1.0",
    "type": "ua.bimp.order.ready_to_fiscalize.v1",
    "source": "/companies/000001398",
    "id": "request-1",
    "subject": str(AN_ORDER),
    "time": "2026-11-24T10:20:05Z",
    "data": {
        "integration": "shop-main",
        "cashier": "olena",
        "operation": "SELL",
        "order": {
            "uuid": str(AN_ORDER),
            "docNumber": "ЗП-000482",
            "date": "2026-11-24T10:15:00+02:00",
            "archived": False,
            "currency": "UAH",
            "products": [
                {
                    "code": "00017",
                    "name": "Футболка біла M",
                    "barcode": "4820000000017",
                    "unit": "шт",
                    "count": "2",
                    "cost": "150.00",
                    "discount": "30.00",
                    "amount": "270.00",
                    "vat": {"percentRate": "20", "notAccountable": False},
                }
            ],
            "total": "270.00",
        },
        "payments": [{"form": "CASHLESS", "label": "Картка", "amount": "270.00"}],
    },
}


class LeftOut(Enum):
    """A value of its own, with a name that is the same in every process."""

    LEFT_OUT = "left out"


#: In a message: take the member away.
LEFT_OUT = LeftOut.LEFT_OUT


def a_message(**changes: Any) -> dict[str, Any]:
    """A valid message; ``a_message(data__order__total="1.00")`` replaces a member by its path."""
    message = copy.deepcopy(dict(_MESSAGE))
    for path, value in changes.items():
        *parents, name = (int(step) if step.isdigit() else step for step in path.split("__"))
        place: Any = message
        for step in parents:
            place = place[step]
        if value is LEFT_OUT:
            del place[name]
        else:
            place[name] = value
    return message


def a_body(**changes: Any) -> bytes:
    """``a_message`` as it is published."""
    return json.dumps(a_message(**changes), ensure_ascii=False).encode()


def a_tax(code: int, rate: int | str | None, **changes: Any) -> CheckboxTax:
    """A tax as Checkbox shows it: VAT without excise."""
    percent = None if rate is None else Decimal(rate)
    return replace(CheckboxTax(code, f"ПДВ {rate}", "А", percent, extra_rate=None, no_vat=False), **changes)


def a_line(**changes: Any) -> OrderLine:
    """2 shirts of 150.00, 30.00 off: 270.00."""
    figures: dict[str, Any] = {
        "code": "00017",
        "name": "Футболка біла M",
        "barcode": None,
        "uktzed": None,
        "unit": "шт",
        "excise_barcodes": (),
        "e_excise_barcodes": (),
        "count": 2_000,
        "cost": 1_500_000,
        "discount": 3_000,
        "amount": 27_000,
        "vat": VAT_20,
    }
    return OrderLine(**{**figures, **changes})


def an_order(*lines: OrderLine, **changes: Any) -> Order:
    """An order of these lines (one of shirts, if none is given) that adds up."""
    lines = lines or (a_line(),)
    discount = changes.get("discount", 0)
    members: dict[str, Any] = {
        "uuid": AN_ORDER,
        "doc_number": "ЗП-000482",
        "date": NOON - timedelta(minutes=5),
        "archived": False,
        "currency": "UAH",
        "lines": lines,
        "discount": discount,
        "total": sum(line.amount for line in lines) - discount,
    }
    return Order(**{**members, **changes})


def card(amount: int, **changes: Any) -> Payment:
    """Paid by card, in kopiykas."""
    return Payment(**{"form": PaymentForm.CASHLESS, "amount": amount, "label": None, "card": None, **changes})


def cash(amount: int, **changes: Any) -> Payment:
    """Paid in cash, in kopiykas."""
    return card(amount, **{"form": PaymentForm.CASH, **changes})


def a_request(*lines: OrderLine, **changes: Any) -> Request:
    """A request for an order of these lines, paid by card unless ``payments`` says otherwise."""
    order = changes.get("order") or an_order(*lines)
    members: dict[str, Any] = {
        "id": "request-1",
        "source": "/companies/000001398",
        "time": NOON,
        "integration": "shop-main",
        "cashier": "olena",
        "operation": Operation.SELL,
        "order": order,
        "payments": (card(order.total),),
        "buyer": None,
        "return_of": None,
    }
    return Request(**{**members, **changes})


def a_cashier(**changes: Any) -> Cashier:
    """Olena, without secrets."""
    members: dict[str, Any] = {
        "id": "olena",
        "name": "Каса 1",
        "employee": None,
        "login": "olena",
        "password": None,
        "pin_code": None,
        "license_key": None,
    }
    return Cashier(**{**members, **changes})


def an_integration(**changes: Any) -> Integration:
    """The shop of the examples: rates 20, 7, 0 and not accountable; shifts are people's."""
    members: dict[str, Any] = {
        "id": "shop-main",
        "name": "ФОП Приклад",
        "company": None,
        "environment": Environment.TEST,
        "prepayments": False,
        "checkbox_url": "https://api.checkbox.ua",
        "cash_rounding": CashRounding.NONE,
        "shifts": ShiftPolicy.MANUAL,
        "rollover_after": timedelta(hours=23),
        "cashiers": {"olena": a_cashier(), "petro": a_cashier(id="petro", name="Каса 2", login="petro")},
        "tax_rates": TaxRates({Decimal(20): 1, Decimal(7): 2, Decimal(0): 3}, not_accountable=8),
    }
    return Integration(**{**members, **changes})


def configured(*integrations: Integration) -> Integrations:
    """What is in force where these are all, and sound."""
    return Integrations.of(
        {
            one.id: IntegrationRow(
                id=one.id,
                companies=frozenset(() if one.company is None else (one.company,)),
                problems=(),
                cashiers=tuple(CashierRow(cashier.id, cashier.name) for cashier in one.cashiers.values()),
                rates=tuple(one.tax_rates.codes),
                in_force=one,
            )
            for one in integrations
        }
    )


def issued(receipt: Receipt, **changes: Any) -> IssuedReceipt:
    """The receipt as Checkbox tells of it once it is DONE."""
    members: dict[str, Any] = {
        "id": "9f283816-07b1-4bd7-875a-e2339c675ee8",
        "status": "DONE",
        "fiscal_code": "TEST-kV7DlT",
        "fiscal_date": "2026-11-24T10:20:07.512968+00:00",
        "total": receipt.total,
        "lines": tuple(
            IssuedLine(
                code=line.code,
                quantity=line.quantity,
                price=line.price,
                taxes=tuple(IssuedTax(code, _PERCENTS.get(code)) for code in line.tax_codes),
                name=line.name,
                total=line.total,
            )
            for line in receipt.lines
        ),
        "offline": False,
        "tax_url": None,
        "register_number": "TEST102567",
        "shift_id": "066c8c8f-bd67-4661-8766-c7429e15ea27",
        "context": {},
        "error": None,
        "seconds_to_number": 2.0,
    }
    return IssuedReceipt(**{**members, **changes})
