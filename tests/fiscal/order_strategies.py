"""Orders for property tests: messages as Bimp could send them, and figures that do or do not add up.

Hypothesis draws few integers for an order, so that thousands of orders cost a second.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from hypothesis import strategies as st

from tests.builders import AN_ORDER, NOON
from worker.fiscal.integrations import CashRounding
from worker.fiscal.money import cash_to_pay
from worker.fiscal.order import Operation, Order, OrderLine, Payment, PaymentForm, Request, Vat

#: Parts of a kopiyka in which ``count*cost`` comes.
PARTS = 100_000

_VATS = (Vat(Decimal(20), False), Vat(Decimal(7), False), Vat(Decimal(0), False), Vat(Decimal(0), True), None)
_NAMES = ("Кава", "н" * 990, "н" * 1_000, "н" * 1_100, "Ж\u0301 \x07 🎁")
_UNITS = (None, "шт", "кг", "у" * 256)
_COUNTS = st.one_of(
    st.integers(1, 20).map(lambda pieces: pieces * 1_000), st.integers(1, 5_000), st.integers(1, 10**9)
)
_COSTS = st.one_of(
    st.integers(0, 100_000).map(lambda kopiykas: kopiykas * 100),
    st.integers(0, 10**6),
    st.integers(0, 10**13 - 1),
)
_LINE = st.tuples(_COUNTS, _COSTS, st.integers(0, 10**6), st.integers(0, 10**6), st.integers(0, 10**4))


@dataclass(frozen=True)
class Case:
    """A request that adds up, and the integration's rounding of cash."""

    request: Request
    rounding: CashRounding


def _line(count: int, cost: int, share: int, stray: int, looks: int) -> OrderLine | None:
    """A line whose amount strays within what is allowed; None where no receipt can show it."""
    exact, allowed = count * cost, max(PARTS, 50 * count)
    lowest, highest = -((allowed - exact) // PARTS), (exact + allowed) // PARTS
    gross = lowest + stray % (highest - lowest + 1)
    discount = max(gross, 0) * share // 10**6 if share % 3 else 0
    amount = max(gross, 0) - discount
    if gross >= 10**11 or (amount and not cost):
        return None
    return OrderLine(
        code=f"C{looks}",
        name=_NAMES[looks % 5],
        barcode=None,
        uktzed=None,
        unit=_UNITS[looks % 4],
        excise_barcodes=(),
        count=count,
        cost=cost,
        discount=discount,
        amount=amount,
        vat=_VATS[looks % 5],
    )


def _payments(total: int, rounding: CashRounding, ways: int) -> tuple[Payment, ...]:
    to_pay = cash_to_pay(total, rounding) or total
    first = 1 + (total - 2) * (ways % 97) // 96 if total > 1 else total
    split = (first, total - first) if first < total else (total,)

    def paid(form: PaymentForm, *amounts: int) -> tuple[Payment, ...]:
        return tuple(Payment(form, amount, None, None) for amount in amounts)

    options: tuple[Callable[[], tuple[Payment, ...]], ...] = (
        lambda: paid(PaymentForm.CASHLESS, total),
        lambda: paid(PaymentForm.CASHLESS, *split),
        lambda: (*paid(PaymentForm.CASHLESS, split[0]), *paid(PaymentForm.CASH, *split[1:])),
        lambda: paid(PaymentForm.CASH, total),
        lambda: paid(PaymentForm.CASH, *split),
        lambda: paid(PaymentForm.CASH, min(to_pay, 10**11 - 1)),
        lambda: paid(PaymentForm.CASH, min(total + ways, 10**11 - 1)),
    )
    return options[ways % len(options)]()


def _case(drawn: list[tuple[int, int, int, int, int]], off: int, ways: int, kind: int) -> Case | None:
    lines = tuple(line for figures in drawn if (line := _line(*figures)))
    amounts = sum(line.amount for line in lines)
    # An order's own discount is a sum as well, and something is left to pay.
    discount = min((amounts - 1) * off // 10**6 if off % 2 else 0, 10**11 - 1)
    total = amounts - discount
    if not 0 < total < 10**11:
        return None
    rounding = tuple(CashRounding)[kind % 3]
    order = Order(AN_ORDER, "ЗП-1", NOON, False, "UAH", lines, discount, total)
    return Case(
        Request(
            id="r",
            source="/companies/1",
            time=NOON,
            integration="shop-main",
            cashier="olena",
            operation=Operation.RETURN if kind % 7 == 0 else Operation.SELL,
            order=order,
            payments=_payments(total, rounding, ways),
            buyer=None,
            return_of=None,
        ),
        rounding,
    )


CASES: st.SearchStrategy[Case] = (
    st.builds(
        _case,
        st.lists(_LINE, min_size=1, max_size=4),
        st.integers(0, 10**6),
        st.integers(0, 10**4),
        st.integers(0, 20),
    )
    .filter(lambda case: case is not None)
    .map(lambda case: case)  # type: ignore[return-value]
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
            "returnOf": {"orderUuid": str(request.order.uuid)}
            if request.operation is Operation.RETURN
            else None,
        },
    }
