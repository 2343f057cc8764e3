"""From a rate of Bimp to the code of a tax in Checkbox, and what Checkbox has under that code."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal

from worker.fiscal.order import Vat

#: A rate of Bimp's in percent; None is ``not_accountable``.
Rate = Decimal | None


@dataclass(frozen=True, slots=True)
class TaxRates:
    """The integration's table: codes are free in each organization, so they are never guessed."""

    codes: Mapping[Decimal, int]
    not_accountable: int | None

    def code_for(self, vat: Vat) -> int | None:
        """The code in Checkbox; None where the table has none. 7, 7.0 and 7.00 are one rate."""
        return self.code_of(None if vat.not_accountable else vat.percent_rate)

    def code_of(self, rate: Rate) -> int | None:
        """The same for a rate."""
        return self.not_accountable if rate is None else self.codes.get(rate)


@dataclass(frozen=True, slots=True)
class CheckboxTax:
    """A tax of the cashier's organization at Checkbox; rates in percent, None where Checkbox shows none."""

    code: int
    label: str
    #: The letter that receipts print.
    symbol: str
    rate: Decimal | None
    #: Excise, on top of the rate.
    extra_rate: Decimal | None
    #: Whether it is «без ПДВ».
    no_vat: bool | None


@dataclass(frozen=True, slots=True)
class Misfit:
    """A code of the integration's table that Checkbox does not know, or has with another percent."""

    rate: Rate
    code: int
    #: None: Checkbox does not know the code.
    checkbox_rate: Decimal | None
    #: The code that Checkbox has for the rate, if any.
    fitting_code: int | None


def misfit(rate: Rate, code: int, taxes: Iterable[CheckboxTax]) -> Misfit | None:
    """Compares the percent alone; ``not_accountable`` is 0. None: it fits, or Checkbox shows no percent."""
    there = list(taxes)
    found = next((tax for tax in there if tax.code == code), None)
    if found is not None and found.rate in (None, rate or Decimal(0)):
        return None
    return Misfit(rate, code, found.rate if found else None, _fitting_code(rate, there))


def _fitting_code(rate: Rate, taxes: Iterable[CheckboxTax]) -> int | None:
    """Of several the most plain one: «без ПДВ» where that is meant, without excise, the lowest code."""
    fitting = (tax for tax in taxes if tax.rate == (rate or Decimal(0)))
    best = min(
        fitting,
        key=lambda tax: ((tax.no_vat is True) != (rate is None), bool(tax.extra_rate), tax.code),
        default=None,
    )
    return best.code if best else None


_NOT_ACCOUNTABLE = "not_accountable"


def shown(rate: Rate) -> str:
    """In plain notation."""
    return _NOT_ACCOUNTABLE if rate is None else f"{rate.normalize():f}"


def read_rate(text: str) -> Rate:
    """What ``shown`` wrote. Raises ``ArithmeticError``."""
    return None if text == _NOT_ACCOUNTABLE else Decimal(text)
