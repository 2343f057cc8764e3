"""What Checkbox keeps: organizations, registers, cashiers and shifts.

Plain mutable objects. Times are seconds since the epoch, money is kopiykas. What changes by itself with time
(statuses) is computed from the stored times at the moment of reading.
"""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cached_property
from typing import TYPE_CHECKING
from uuid import UUID, uuid5

from worker.sandbox.clock import DAY

if TYPE_CHECKING:
    from worker.sandbox.fiscal_documents import Receipt, Report, Transaction

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
class Organization:
    id: str
    title: str
    taxes: dict[int, Tax]
    #: In the order of creation.
    receipts: list[Receipt] = field(default_factory=list)

    def tax(self, key: int | str) -> Tax | None:
        """By code, or by letter."""
        if isinstance(key, int):
            return self.taxes.get(key)
        return next((tax for tax in self.taxes.values() if tax.symbol == key), None)


@dataclass(slots=True, eq=False)
class OfflineSession:
    """A stretch of time in manual offline mode."""

    start: float
    end: float | None = None


@dataclass(slots=True, eq=False)
class Register:
    """A cash register (ПРРО); its licence key is its name to clients."""

    id: str
    license_key: str
    number: int
    fiscal_number: str
    organization: Organization
    created_at: float
    #: Cash in the drawer; outlives shifts.
    till: int = 0
    shift: Shift | None = None
    shifts: list[Shift] = field(default_factory=list)
    receipts: list[Receipt] = field(default_factory=list)
    receipt_serial: int = 0
    transaction_serial: int = 0
    shift_serial: int = 0
    report_serial: int = 0
    last_hash: str = "0" * 64
    #: When the latest receipts were accepted, for the rate.
    accepted: deque[float] = field(default_factory=deque)
    paused_until: float = 0.0
    #: Automatic offline: the tax service is silent until then.
    silent_until: float = 0.0
    #: Manual offline, switched by the client.
    stay_offline: bool = False
    offline_sessions: list[OfflineSession] = field(default_factory=list)
    offline_codes: deque[str] = field(default_factory=deque)
    used_codes: set[str] = field(default_factory=set)


@dataclass(slots=True, eq=False)
class Cashier:
    id: str
    login: str
    full_name: str
    organization: Organization
    #: The register of a shift that a person opens for him.
    register: Register
    created_at: float
    password: str | None = None
    pin_code: str | None = None
    #: Oldest first; at most ten live.
    tokens: deque[str] = field(default_factory=deque)
    shift: Shift | None = None


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


@dataclass(slots=True, eq=False)
class Shift:
    id: str
    serial: int
    register: Register
    cashier: Cashier
    created_at: float
    opened_at: float
    initial: Transaction
    balance: Balance
    turnovers: dict[int, Turnover]
    #: The tax service's words where the opening was refused: it ends CLOSED without having been open.
    refusal: str | None = None
    auto_close_at: float | None = None
    #: Whether Checkbox closes it by itself after a day.
    force_close: bool = False
    closing_at: float = math.inf
    closed_at: float = math.inf
    closing: Transaction | None = None
    z_report: Report | None = None
    client_name: str | None = None
    transactions: int = 0
    receipts: list[Receipt] = field(default_factory=list)

    def status(self, now: float) -> str:
        if now < self.opened_at:
            halfway = self.created_at + (self.opened_at - self.created_at) / 2
            return "CREATED" if now < halfway else "OPENING"
        if self.refusal is not None or now >= min(self.closed_at, self.ends_by_itself_at):
            return "CLOSED"
        return "CLOSING" if now >= self.closing_at else "OPENED"

    @property
    def ends_by_itself_at(self) -> float:
        by_force = self.opened_at + DAY if self.force_close else math.inf
        return by_force if self.auto_close_at is None else min(by_force, self.auto_close_at)

    def is_older_than_a_day(self, now: float) -> bool:
        return now - self.opened_at > DAY
