"""The totals of a receipt, computed from the request alone.

Deliberately not the worker's own arithmetic: the sandbox exists to find the worker's mistakes. Kopiykas and
thousandths; fractions of a kopiyka are kept exact until they are rounded the way the options say.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from worker.sandbox.entities import Paid, Tax
from worker.sandbox.ledger import Organization
from worker.sandbox.options import Options
from worker.sandbox.payments import less_change
from worker.sandbox.refusals import card_overpayment, mixed_return, negative_total, underpayment, unknown_tax

Money = int | Fraction
_STEPS = {"ROUND_10": 10, "ROUND_50": 50}


@dataclass(frozen=True, slots=True)
class Discounted:
    """A discount or extra charge with its amount, negative for a discount."""

    payload: Mapping[str, Any]
    sum: Money


@dataclass(frozen=True, slots=True)
class Line:
    payload: Mapping[str, Any]
    #: Price times quantity.
    gross: Money
    discounts: Sequence[Discounted]
    #: After the line's own discounts.
    net: Money
    taxes: Sequence[Tax]


@dataclass(frozen=True, slots=True)
class TaxSum:
    tax: Tax
    turnover: Fraction
    value: Fraction
    extra_value: Fraction


@dataclass(frozen=True, slots=True)
class Totals:
    lines: Sequence[Line]
    discounts: Sequence[Discounted]
    total: int
    round_sum: int
    paid: int
    rest: int
    cash: int
    card: int
    payments: Sequence[Paid]
    taxes: Sequence[TaxSum]
    is_return: bool

    @property
    def discounts_sum(self) -> Money:
        return -sum(d.sum for d in self._all_discounts() if d.sum < 0)

    @property
    def extra_charge_sum(self) -> Money:
        return sum(d.sum for d in self._all_discounts() if d.sum > 0)

    def _all_discounts(self) -> list[Discounted]:
        return [*self.discounts, *(d for line in self.lines for d in line.discounts)]


def rounding(options: Options) -> Callable[[Money], int]:
    """ASSUMED A4: half up; truncation and half to even are as plausible."""
    return lambda money: int(money) if money.denominator == 1 else _ROUNDINGS[options.rounding](money)


def total_up(body: Mapping[str, Any], organization: Organization, options: Options) -> Totals:
    """Raises ``Refusal`` if taxes, discounts or payments are inconsistent."""
    to_kopiykas = rounding(options)
    lines, discounts, exact = _due(body, organization, options)
    returned = [bool(line.payload.get("is_return")) for line in lines]
    if any(returned) and not all(returned):
        raise mixed_return()
    goods: Money = sum(line.net for line in lines)
    total = to_kopiykas(exact)
    cash, card = paid(body.get("payments"))
    round_sum = cash_rounding(body, total - card) if cash else 0
    _check_payments(total + round_sum, cash, card, options)
    share = Fraction(exact) / goods if goods else Fraction(1)
    rest = to_kopiykas(cash + card - round_sum - exact)
    return Totals(
        lines=lines,
        discounts=discounts,
        total=total,
        round_sum=round_sum,
        paid=cash + card,
        rest=rest,
        cash=cash - rest,
        card=card,
        payments=less_change(body.get("payments"), rest),
        taxes=_tax_sums(lines, share),
        is_return=returned[0],
    )


def goods_total(body: Mapping[str, Any], organization: Organization, options: Options) -> int:
    """What the goods come to after all discounts, whatever is paid. Raises ``Refusal``."""
    return rounding(options)(_due(body, organization, options)[2])


def _due(
    body: Mapping[str, Any], organization: Organization, options: Options
) -> tuple[list[Line], list[Discounted], Money]:
    to_kopiykas = rounding(options)

    def early(money: Money) -> Money:
        is_kept = money.denominator == 1 or options.round_at == "total"
        return money if is_kept else to_kopiykas(money)

    lines = [_line(item, organization, options, early) for item in body["goods"]]
    goods: Money = sum(line.net for line in lines)
    discounts = _discounts(body.get("discounts"), goods, early)
    exact: Money = goods + sum(d.sum for d in discounts)
    if exact < 0:
        raise negative_total()
    return lines, discounts, exact


def line_taxes(line: Line) -> list[TaxSum]:
    return [_tax_sum(tax, Fraction(line.net)) for tax in line.taxes]


def _line(
    item: Mapping[str, Any], organization: Organization, options: Options, early: Callable[[Money], Money]
) -> Line:
    good = item["good"]
    thousandths = good["price"] * item["quantity"]
    gross = thousandths // 1000 if thousandths % 1000 == 0 else early(Fraction(thousandths, 1000))
    discounts = _discounts(item.get("discounts"), gross, early)
    net = gross + sum(d.sum for d in discounts)
    if net < 0:
        raise negative_total()
    taxes = []
    for key in good.get("tax") or good.get("taxes") or ():
        tax = organization.tax(key)
        if tax is None:
            raise unknown_tax(options, key)
        taxes.append(tax)
    return Line(payload=item, gross=gross, discounts=discounts, net=net, taxes=taxes)


def _discounts(
    payloads: Sequence[Mapping[str, Any]] | None, base: Money, early: Callable[[Money], Money]
) -> list[Discounted]:
    """ASSUMED: a percentage applies to the sum before any other discount at the same level."""
    result = []
    for payload in payloads or ():
        value = _exact(payload["value"])
        money = value if payload["mode"] == "VALUE" else Fraction(value * base, 100)
        sign = 1 if payload["type"] == "EXTRA_CHARGE" else -1
        result.append(Discounted(payload=payload, sum=sign * early(money)))
    return result


def _exact(number: int | float) -> Money:
    return number if isinstance(number, int) else Fraction(str(number))


def paid(payments: Sequence[Mapping[str, Any]] | None) -> tuple[int, int]:
    cash = card = 0
    for payment in payments or ():
        if payment.get("type", "CASH") == "CASH":
            cash += payment["value"]
        else:
            card += payment["value"]
    return cash, card


def cash_rounding(body: Mapping[str, Any], due: int) -> int:
    """What rounding adds to the part paid in cash.

    ASSUMED: halves go up, and the old boolean ``rounding`` means ten kopiykas.
    """
    mode = body.get("rounding_mode") or ("ROUND_10" if body.get("rounding") else None)
    if mode is None:
        return 0
    step = _STEPS[mode]
    return (due + step // 2) // step * step - due


def _check_payments(due: int, cash: int, card: int, options: Options) -> None:
    if cash + card < due:
        raise underpayment(options)
    if card > due and options.card_overpayment == "refuse":
        raise card_overpayment()


def _tax_sums(lines: Sequence[Line], share: Fraction) -> list[TaxSum]:
    """A discount on the whole receipt reduces the turnover of each tax proportionally."""
    turnovers: dict[int, tuple[Tax, Fraction]] = {}
    for line in lines:
        for tax in line.taxes:
            _, before = turnovers.get(tax.code, (tax, Fraction(0)))
            turnovers[tax.code] = (tax, before + (line.net if share == 1 else line.net * share))
    return [_tax_sum(tax, turnover) for tax, turnover in turnovers.values()]


def _tax_sum(tax: Tax, turnover: Fraction) -> TaxSum:
    """The price includes the tax: 20.00 of 120.00 at 20 %. Excise is calculated on the price less VAT."""
    value = turnover * tax.share
    extra_value = (turnover - value) * tax.extra_share if tax.extra_rate else Fraction(0)
    return TaxSum(tax=tax, turnover=turnover, value=value, extra_value=extra_value)


def half_up(money: Money) -> int:
    if isinstance(money, int):
        return money
    doubled = 2 * money.denominator
    magnitude = (2 * abs(money.numerator) + money.denominator) // doubled
    return magnitude if money >= 0 else -magnitude


def _truncate(money: Money) -> int:
    return int(money)


def _half_even(money: Money) -> int:
    return round(money)


_ROUNDINGS: Mapping[str, Callable[[Money], int]] = {
    "half_up": half_up,
    "truncate": _truncate,
    "half_even": _half_even,
}
