"""Organizations, registers, cashiers, shifts, receipts and reports.

Plain mutable objects. Times are seconds since the epoch, money is kopiykas. What changes by itself
with time (statuses) is computed from the stored times at the moment of reading.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field

from worker.sandbox.clock import DAY
from worker.sandbox.entities import (
    Balance,
    Billing,
    OfflineSession,
    PaymentTurnover,
    Signature,
    Sums,
    Tax,
    Turnover,
    Webhook,
)
from worker.sandbox.transactions import Transaction

SHIFT_STATUSES = ("CREATED", "OPENING", "OPENED", "CLOSING", "CLOSED")
MAIN_BRANCH = "Головна"
#: When the organizations set up their taxes.
TAXES_SINCE = 1_643_367_377.0


@dataclass(slots=True, eq=False)
class Organization:
    id: str
    title: str
    taxes: dict[int, Tax]
    #: In the order of creation.
    receipts: list[Receipt] = field(default_factory=list)
    #: None: derived from the taxes.
    is_vat: bool | None = None
    #: A date, and a time of the day in Kyiv.
    subscription_end: str | None = None
    auto_close_shift_at: str | None = None
    billing: Billing = field(default_factory=Billing)

    @property
    def pays_vat(self) -> bool:
        return any(tax.rate for tax in self.taxes.values()) if self.is_vat is None else self.is_vat

    def tax(self, key: int | str) -> Tax | None:
        """By code, or by letter."""
        if isinstance(key, int):
            return self.taxes.get(key)
        return next((tax for tax in self.taxes.values() if tax.symbol == key), None)


@dataclass(slots=True, eq=False)
class Register:
    """A cash register (ПРРО), identified by its licence key."""

    id: str
    license_key: str
    number: int
    fiscal_number: str
    organization: Organization
    created_at: float
    is_test: bool = True
    branch: str = MAIN_BRANCH
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
    #: Whether Checkbox fetches new codes when few are left.
    refills_codes: bool = True
    used_codes: set[str] = field(default_factory=set)
    webhook: Webhook | None = None


@dataclass(slots=True, eq=False)
class Cashier:
    id: str
    login: str
    full_name: str
    organization: Organization
    #: Where a shift opened by hand opens.
    register: Register
    created_at: float
    password: str | None = None
    pin_code: str | None = None
    branch: str = MAIN_BRANCH
    #: The reason why the cashier is blocked.
    blocked: str | None = None
    signature: Signature = field(default_factory=Signature)
    #: Oldest first; at most ten live.
    tokens: deque[str] = field(default_factory=deque)
    shift: Shift | None = None


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
    #: By type and label, in the order of their first receipt.
    payments: dict[tuple[str, str], PaymentTurnover] = field(default_factory=dict)
    #: The tax service's message if it refused the opening: the shift goes to CLOSED without having been open.
    refusal: str | None = None
    auto_close_at: float | None = None
    #: Whether Checkbox closes the shift itself after a day.
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


@dataclass(slots=True, eq=False)
class Receipt:
    """A receipt. Members that never change are kept as JSON text: a benchmark holds 100,000 receipts."""

    id: str
    type: str
    serial: int
    shift: Shift
    transaction: Transaction
    created_at: float
    fiscal_date: float
    sums: Sums
    related_receipt_id: str | None
    context: dict[str, object] | None
    #: Members of the answer that never change, as JSON without its braces.
    fixed: bytes
    #: What the client sent.
    request: bytes
    #: The lines and payments that it was made of, where the client sent others.
    made_of: Mapping[str, object] | None = None
    control_number: str | None = None
    #: The number was given at once, before the tax service answered.
    is_offline: bool = False
    hide_context: bool = False
    old_names: bool = False
    is_external: bool = False
    #: DONE from this time although not uploaded yet, because the register is in manual offline mode.
    settled_at: float = math.inf
    #: When the receipt was sent to the buyer.
    delivered_at: float | None = None
    #: When a look-up by id first showed the final status.
    shown_at: float | None = None

    @property
    def is_booked(self) -> bool:
        return self.transaction.error is None or self.is_offline

    @property
    def ended_at(self) -> float:
        return min(self.transaction.done_at, self.settled_at)

    def status(self, now: float) -> str:
        if self.transaction.is_over(now):
            return self.transaction.status(now)
        return "DONE" if now >= self.settled_at else "CREATED"

    def fiscal_code(self, now: float) -> str | None:
        if self.is_offline:
            return self.transaction.fiscal_code
        if self.transaction.error is not None or not self.transaction.is_over(now):
            return None
        return self.transaction.fiscal_code


@dataclass(slots=True, eq=False)
class Report:
    """An X report, or the Z report of a closing shift. ``figures`` is the body without status fields."""

    id: str
    serial: int
    is_z_report: bool
    shift: Shift
    created_at: float
    figures: dict[str, object]
    fiscal_code: str | None = None
