"""What a register's books are made of: taxes, balances and turnovers.

Plain mutable objects. Times are seconds since the epoch, money is kopiykas.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from typing import TYPE_CHECKING
from uuid import UUID, uuid5

if TYPE_CHECKING:
    pass

_NAMESPACE = UUID("5b7a2a3e-7f0e-5a68-9c55-2f1c1d9d0b57")


def stable_id(*names: str) -> str:
    """The same id after each restart, so that a configuration with ids in it stays valid."""
    return str(uuid5(_NAMESPACE, "/".join(names)))


@dataclass(frozen=True)
class Tax:
    """A tax of an organization: code, letter and rate are free in each. Rates in percent."""

    id: str
    code: int
    label: str
    symbol: str
    rate: Fraction
    extra_rate: Fraction | None = None
    no_vat: bool = False

    @cached_property
    def share(self) -> Fraction:
        """Of a price that contains the tax."""
        return self.rate / (100 + self.rate)

    @cached_property
    def extra_share(self) -> Fraction:
        extra_rate = self.extra_rate or Fraction(0)
        return extra_rate / (100 + extra_rate)


@dataclass(slots=True, eq=False)
class OfflineSession:
    """A stretch of time in manual offline mode."""

    start: float
    end: float | None = None


@dataclass(slots=True, eq=False)
class Balance:
    """Money of a shift. Receipts count from the moment they are accepted, except in their own 201 answer."""

    initial: int
    cash_sales: int = 0
    card_sales: int = 0
    cash_returns: int = 0
    card_returns: int = 0
    service_in: int = 0
    service_out: int = 0
    discounts: int = 0
    extra_charges: int = 0
    round_up: int = 0
    round_down: int = 0

    @property
    def balance(self) -> int:
        return self.initial + self.cash_sales + self.service_in - self.cash_returns - self.service_out


@dataclass(slots=True, eq=False)
class Turnover:
    """What a tax of a shift has seen: tax sums and turnovers, sales and returns."""

    id: str
    tax: Tax
    sales: int = 0
    returns: int = 0
    sales_turnover: int = 0
    returns_turnover: int = 0
