"""Orders for property tests, whose figures add up in every way that the contract allows.

Hypothesis draws a seed, and a seed makes several orders: drawing each figure by itself would cost a hundred
times more, and thousands of orders are to cost a second. Figures at their bounds come often.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from random import Random
from typing import Any

from hypothesis import strategies as st

from tests.builders import AN_ORDER, NOON
from worker.fiscal.integrations import CashRounding
from worker.fiscal.money import cash_to_pay
from worker.fiscal.order import Operation, Order, OrderLine, Payment, PaymentForm, Request, Vat

#: Parts of a kopiyka in which ``count*cost`` comes.
PARTS = 100_000

_VATS = (Vat(Decimal(20), False), Vat(Decimal(7), False), Vat(Decimal(0), False), Vat(Decimal(0), True), None)
_NAMES = ("Кава", "н" * 990, "н" * 1_000, "н" * 1_100, "Ж\u0301 🎁")
_UNITS = (None, "шт", "кг", "у" * 256)
_MOST = 10**11 - 1

#: Seeds of ``cases``.
SEEDS = st.integers(0, 2**32 - 1)


@dataclass(frozen=True)
class Case:
    """A request that adds up, and the integration's rounding of cash."""

    request: Request
    rounding: CashRounding


def cases(seed: int, number: int = 10) -> Iterator[Case]:
    """Cases that differ in everything; the same seed makes the same ones."""
    random = Random(seed)
    while number:
        case = _case(random)
        if case is not None:
            number -= 1
            yield case


def _count(random: Random) -> int:
    return random.choice(
        (
            1_000,
            1,
            10**9 - 1,
            random.randint(1, 20) * 1_000,
            random.randint(1, 5_000),
            random.randint(1, 10**9),
        )
    )


def _cost(random: Random) -> int:
    return random.choice(
        (
            0,
            1,
            10**13 - 1,
            random.randint(0, 10**5) * 100,
            random.randint(0, 10**5) * 100,
            random.randint(0, 10**6),
            random.randint(0, 10**13 - 1),
        )
    )


def _line(random: Random) -> OrderLine | None:
    """A line whose amount strays as far as is allowed; None where no receipt can show it."""
    count, cost = _count(random), _cost(random)
    exact, allowed = count * cost, max(PARTS, 50 * count)
    lowest, highest = max(-((allowed - exact) // PARTS), 0), (exact + allowed) // PARTS
    gross = random.choice((lowest, highest, (exact + PARTS // 2) // PARTS, random.randint(lowest, highest)))
    discount = random.choice((0, 0, gross, random.randint(0, gross)))
    amount = gross - discount
    if gross > _MOST or (amount and not cost):
        return None
    looks = random.randrange(10**4)
    return OrderLine(
        code=f"C{looks}",
        name=_NAMES[looks % 5],
        barcode=None,
        uktzed=None,
        unit=_UNITS[looks % 4],
        excise_barcodes=(),
        e_excise_barcodes=(),
        count=count,
        cost=cost,
        discount=discount,
        amount=amount,
        vat=_VATS[looks % 5],
    )


def _payments(
    random: Random, total: int, rounding: CashRounding, operation: Operation
) -> tuple[Payment, ...]:
    to_pay = cash_to_pay(total, rounding) or total
    first = random.randint(1, total)
    split = (first, total - first) if first < total else (total,)

    def paid(form: PaymentForm, *amounts: int) -> tuple[Payment, ...]:
        return tuple(Payment(form, amount, None, None) for amount in amounts)

    options: tuple[Callable[[], tuple[Payment, ...]], ...] = (
        lambda: paid(PaymentForm.CASHLESS, total),
        lambda: paid(PaymentForm.CASHLESS, *split),
        lambda: (*paid(PaymentForm.CASHLESS, split[0]), *paid(PaymentForm.CASH, *split[1:])),
        lambda: paid(PaymentForm.CASH, total),
        lambda: paid(PaymentForm.CASH, *split),
        lambda: paid(PaymentForm.CASH, min(to_pay, _MOST)),
        lambda: paid(PaymentForm.CASH, min(total + random.randint(1, 10**5), _MOST)),
    )
    # Only a sale gives change.
    return random.choice(options if operation is Operation.SELL else options[:-1])()


def _case(random: Random) -> Case | None:
    lines = tuple(line for _ in range(random.randint(1, 4)) if (line := _line(random)))
    amounts = sum(line.amount for line in lines)
    if not amounts:
        return None
    # An order's own discount is a sum as well, and something is left to pay.
    discount = random.choice((0, min(amounts - 1, _MOST), random.randint(0, min(amounts - 1, _MOST))))
    total = amounts - discount
    if total > _MOST:
        return None
    rounding = random.choice(tuple(CashRounding))
    operation = random.choice((Operation.SELL, Operation.RETURN))
    order = Order(AN_ORDER, "ЗП-1", NOON, False, "UAH", lines, discount, total)
    return Case(
        Request(
            id="r",
            source="/companies/1",
            time=NOON,
            integration="shop-main",
            cashier="olena",
            operation=operation,
            order=order,
            payments=_payments(random, total, rounding, operation),
            buyer=None,
            return_of=None,
        ),
        rounding,
    )


def as_message(request: Request) -> dict[str, Any]:
    """The message of Bimp that reads as this request."""

    def text(value: int, places: int) -> str:
        return f"{Decimal(value).scaleb(-places):f}"

    return {
        "specversion": "1.0",
        "type": "ua.bimp.order.ready_to_fiscalize.v1",
        "source": request.source,
        "id": request.id,
        "time": NOON.isoformat(),
        "data": {
            "integration": request.integration,
            "cashier": request.cashier,
            "operation": request.operation.value,
            "order": {
                "uuid": str(request.order.uuid),
                "docNumber": request.order.doc_number,
                "date": request.order.date.isoformat(),
                "archived": request.order.archived,
                "currency": request.order.currency,
                "products": [
                    {
                        "code": line.code,
                        "name": line.name,
                        "unit": line.unit,
                        "count": text(line.count, 3),
                        "cost": text(line.cost, 4),
                        "discount": text(line.discount, 2),
                        "amount": text(line.amount, 2),
                        "vat": line.vat
                        and {
                            "percentRate": str(line.vat.percent_rate),
                            "notAccountable": line.vat.not_accountable,
                        },
                    }
                    for line in request.order.lines
                ],
                "discount": text(request.order.discount, 2),
                "total": text(request.order.total, 2),
            },
            "payments": [
                {"form": payment.form.value, "amount": text(payment.amount, 2)}
                for payment in request.payments
            ],
            "returnOf": {"receiptId": str(request.order.uuid)}
            if request.operation is Operation.RETURN
            else None,
        },
    }
