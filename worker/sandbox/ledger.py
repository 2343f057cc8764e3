"""Organizations, registers and shifts, and what goes to the tax service: transactions, receipts and reports.

Plain mutable objects. Times are seconds since the epoch, money is kopiykas. What changes by itself
with time (statuses) is computed from the stored times at the moment of reading.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field

from worker.sandbox.clock import DAY
from worker.sandbox.entities import Balance, OfflineSession, Tax, Turnover


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


#: Where in its processing a document is signed, and where the tax service has received it.
_SIGNED, _DELIVERED = 0.4, 0.7


@dataclass(slots=True, eq=False)
class Transaction:
    """A document on its way to the tax service."""

    id: str
    type: str
    serial: int
    created_at: float
    #: When the tax service answers; infinite while that is not known.
    done_at: float
    previous_hash: str
    #: The tax service's words when it refuses.
    error: str | None = None
    fiscal_code: str | None = None
    offline_id: str | None = None
    original_datetime: float | None = None
    shift: Shift | None = None

    def is_over(self, now: float) -> bool:
        return now >= self.done_at

    def status(self, now: float) -> str:
        if self.is_over(now):
            return "DONE" if self.error is None else "ERROR"
        if now < self.signed_at:
            return "PENDING"
        return "SIGNED" if now < self.delivered_at else "DELIVERED"

    @property
    def signed_at(self) -> float:
        return self._moment(_SIGNED)

    @property
    def delivered_at(self) -> float:
        return self._moment(_DELIVERED)

    def _moment(self, share: float) -> float:
        if math.isinf(self.done_at):
            return self.done_at
        return self.created_at + share * (self.done_at - self.created_at)


@dataclass(frozen=True, slots=True)
class Sums:
    """Kopiykas of a receipt; what cash is given back as change is taken off ``cash``."""

    #: Before cash is rounded.
    total: int
    #: What rounding adds.
    round_sum: int
    cash: int
    card: int


@dataclass(slots=True, eq=False)
class Receipt:
    """A receipt. What never changes is kept as JSON text: a benchmark holds 100,000 of them."""

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
    #: When a look-up by id first found it ended.
    shown_at: float | None = None

    def status(self, now: float) -> str:
        return self.transaction.status(now) if self.transaction.is_over(now) else "CREATED"

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
