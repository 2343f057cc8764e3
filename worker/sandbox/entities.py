"""Building blocks of the ledger: taxes, balances, turnovers, keys, webhooks.

Plain mutable objects. Times are seconds since the epoch, money is kopiykas.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from uuid import UUID, uuid5

_NAMESPACE = UUID("5b7a2a3e-7f0e-5a68-9c55-2f1c1d9d0b57")


def stable_id(*names: str) -> str:
    """The same id after each restart, so that a configuration with ids stays valid."""
    return str(uuid5(_NAMESPACE, "/".join(names)))


def plain(number: Fraction | int | None) -> int | float | None:
    """A JSON number, an integer if it is whole."""
    if number is None or isinstance(number, int):
        return number
    return number.numerator if number.denominator == 1 else float(number)


@dataclass(frozen=True)
class Tax:
    """A tax of an organization, which chooses code, letter and rate. Rates are in percent."""

    id: str
    code: int
    label: str
    symbol: str
    rate: Fraction
    extra_rate: Fraction | None = None
    no_vat: bool = False

    @cached_property
    def share(self) -> Fraction:
        """The share of the tax in a price that includes it."""
        return self.rate / (100 + self.rate)

    @cached_property
    def extra_share(self) -> Fraction:
        extra_rate = self.extra_rate or Fraction(0)
        return extra_rate / (100 + extra_rate)


@dataclass(slots=True, eq=False)
class OfflineSession:
    """A period in offline mode, manual or automatic; ``end`` may lie in the future."""

    start: float
    end: float = math.inf

    def is_over(self, now: float) -> bool:
        return self.end <= now


@dataclass(slots=True, eq=False)
class Billing:
    """An organization's billing. Dates are RFC 3339 strings.

    ASSUMED: the words of ``status``; the document names the member only.
    """

    status: str = "ACTIVE"
    date_to_block: str | None = None
    status_changed_at: str | None = None
    units: int | None = None
    #: Whether Checkbox refuses its service with 402.
    is_blocked: bool = False


@dataclass(slots=True, eq=False)
class Signature:
    """A cashier's signing key."""

    type: str = "TEST"
    is_online: bool = True
    can_open_shift: bool = True
    #: Seconds since the epoch; None if unknown.
    ends_at: float | None = None

    def is_expired(self, now: float) -> bool:
        return self.ends_at is not None and now >= self.ends_at


@dataclass(slots=True, eq=False)
class PaymentTurnover:
    """The sums of a shift for one means of payment."""

    id: str
    type: str
    label: str
    code: int | None
    provider_type: str | None
    sales: int = 0
    returns: int = 0
    service_in: int = 0
    service_out: int = 0

    @property
    def is_used(self) -> bool:
        return any((self.sales, self.returns, self.service_in, self.service_out))


@dataclass(frozen=True, slots=True)
class Sums:
    """Sums of a receipt in kopiykas; change is subtracted from ``cash``."""

    #: Before cash is rounded.
    total: int
    #: What rounding adds.
    round_sum: int
    cash: int
    card: int


@dataclass(frozen=True, slots=True)
class Paid:
    """A payment of a receipt, less the change that was given."""

    type: str
    label: str
    code: int | None
    provider_type: str | None
    value: int


@dataclass(slots=True, eq=False)
class Webhook:
    """Where Checkbox sends a register's receipts and shifts; ``key`` signs the bodies."""

    url: str
    key: str
    created_at: float
    last_error_at: float | None = None
    last_error: str | None = None


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
    sales_round_up: int = 0
    sales_round_down: int = 0
    returns_round_up: int = 0
    returns_round_down: int = 0

    @property
    def balance(self) -> int:
        return self.initial + self.cash_sales + self.service_in - self.cash_returns - self.service_out

    def book_rounding(self, round_sum: int, *, sign: int, is_return: bool) -> None:
        up, down = sign * max(round_sum, 0), sign * max(-round_sum, 0)
        if is_return:
            self.returns_round_up += up
            self.returns_round_down += down
        else:
            self.sales_round_up += up
            self.sales_round_down += down


@dataclass(slots=True, eq=False)
class Turnover:
    """The exact sums of a tax in a shift, excise included, and the turnovers."""

    id: str
    tax: Tax
    sales: Fraction | int = 0
    returns: Fraction | int = 0
    sales_turnover: Fraction | int = 0
    returns_turnover: Fraction | int = 0
