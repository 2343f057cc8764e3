"""What may come of one pass over a request.

    Fiscalized                  the receipt has a fiscal number
    Verdict (exception)
    ├── Rejected                a definite no: dead letter (most codes) and a failed event
    ├── Postponed               not a fault: the tax service, the register or a shift needs time
    └── Unavailable             a fault of somebody else, or an unknown outcome: tried again with backoff

Verdicts are raised anywhere in the core and the partners' packages, and are turned into
messages in one place, ``worker.rabbit.settlement``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum
from typing import Any

from worker.fiscal.attempt_state import AttemptState
from worker.fiscal.reasons import Wait


class Code(StrEnum):
    """Why a request was not fiscalized; the names are part of the contract with Bimp."""

    INVALID_MESSAGE = "INVALID_MESSAGE"
    UNKNOWN_INTEGRATION = "UNKNOWN_INTEGRATION"
    UNKNOWN_CASHIER = "UNKNOWN_CASHIER"
    CONFIGURATION_INVALID = "CONFIGURATION_INVALID"
    ORDER_ARCHIVED = "ORDER_ARCHIVED"
    CURRENCY_NOT_SUPPORTED = "CURRENCY_NOT_SUPPORTED"
    TOTALS_MISMATCH = "TOTALS_MISMATCH"
    TAX_RATE_NOT_MAPPED = "TAX_RATE_NOT_MAPPED"
    TAX_RATE_MISMATCH = "TAX_RATE_MISMATCH"
    CASHIER_CREDENTIALS_REJECTED = "CASHIER_CREDENTIALS_REJECTED"
    SUBSCRIPTION_ENDED = "SUBSCRIPTION_ENDED"
    WRONG_REGISTER = "WRONG_REGISTER"
    SHIFT_NOT_OPEN = "SHIFT_NOT_OPEN"
    SHIFT_OPEN_OVER_24H = "SHIFT_OPEN_OVER_24H"
    REGISTER_BUSY = "REGISTER_BUSY"
    RECEIPT_MISMATCH = "RECEIPT_MISMATCH"
    RECEIPT_RETURNED = "RECEIPT_RETURNED"
    PREPAYMENT_MISMATCH = "PREPAYMENT_MISMATCH"
    RETURN_WITHOUT_SALE = "RETURN_WITHOUT_SALE"
    RECEIPT_REJECTED = "RECEIPT_REJECTED"
    CHECKBOX_UNAVAILABLE = "CHECKBOX_UNAVAILABLE"
    INTERNAL_ERROR = "INTERNAL_ERROR"


#: Codes that the user puts right in Bimp, where the request is made anew: no operator has to look.
NOT_DEAD_LETTERED = frozenset({Code.ORDER_ARCHIVED, Code.CURRENCY_NOT_SUPPORTED, Code.RECEIPT_RETURNED})


@dataclass(frozen=True, slots=True)
class IssuedReceipt:
    """A receipt as Checkbox reports it, in our terms. Money in kopiykas."""

    id: str
    status: str
    fiscal_code: str | None
    fiscal_date: str | None
    total: int
    lines: tuple[IssuedLine, ...]
    offline: bool
    tax_url: str | None
    register_number: str | None
    shift_id: str | None
    context: Mapping[str, Any]
    error: str | None
    #: Seconds between Checkbox's creation of the receipt and its number, by Checkbox's own clock.
    seconds_to_number: float | None
    related_receipt_id: str | None = None
    is_return: bool = False
    created_at: str | None = None
    #: The prepayment chain that it belongs to.
    relation_id: str | None = None

    @property
    def is_numbered(self) -> bool:
        """Whether it counts as issued: it has a fiscal number, online or offline, and keeps it."""
        return bool(self.fiscal_code) and not (self.is_refused or self.is_being_cancelled)

    @property
    def is_under_way(self) -> bool:
        """Whether it may still get its number, or be refused."""
        return self.status == "CREATED" or self.is_being_cancelled

    @property
    def is_being_cancelled(self) -> bool:
        """It counts until that has come to its end: nothing may be made in its place, or reported of it."""
        return self.status == "CANCELLATION"

    @property
    def is_refused(self) -> bool:
        """Whether the tax service or Checkbox rejected it: it counts for nothing."""
        return self.status in ("ERROR", "CANCELLED")


@dataclass(frozen=True, slots=True)
class IssuedLine:
    """A line as Checkbox shows it. Quantity in thousandths, money in kopiykas."""

    code: str
    quantity: int
    price: int
    #: None where the answer shows no taxes.
    taxes: tuple[IssuedTax, ...] | None
    #: What the line costs after its own discounts; None where the answer does not say.
    total: int | None = None
    name: str = ""


@dataclass(frozen=True, slots=True)
class IssuedTax:
    """A tax of a line: its code, and its percent where the answer shows one."""

    code: int
    percent: Decimal | None


@dataclass(frozen=True, slots=True)
class Relation:
    """A prepayment chain as Checkbox shows it. Money in kopiykas; ids of receipts, oldest first."""

    id: str
    status: str
    total: int
    paid: int
    left: int
    payments: tuple[str, ...]
    #: The payment that closed the chain.
    closing: str | None
    returns: tuple[str, ...]
    #: Payment to return, as far as Checkbox says.
    returned_by: Mapping[str, str] = field(default_factory=dict)
    #: Receipts of payments that the answer shows whole, by id.
    shown: Mapping[str, IssuedReceipt] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Fiscalized:
    """The receipt exists and has its number; of a chain's return all receipts."""

    #: None for the return of a chain.
    receipt: IssuedReceipt | None
    #: Made by an earlier request, as far as is known.
    already: bool
    #: Where the receipt's pages are.
    checkbox_url: str
    #: The receipts of a chain's return, in the order of its payments.
    returns: tuple[IssuedReceipt, ...] = ()
    #: The chain as it is now, for a payment or the return of one.
    relation: Relation | None = None

    @property
    def receipts(self) -> tuple[IssuedReceipt, ...]:
        return self.returns if self.receipt is None else (self.receipt,)

    @property
    def total(self) -> int:
        """What the receipts come to, before cash is rounded."""
        return sum(receipt.total for receipt in self.receipts)


@dataclass(eq=False, kw_only=True)
class Verdict(Exception):
    """Why this pass ended without a fiscal number."""

    #: What the next pass shall know; None leaves it as it was.
    state: AttemptState | None = None
    #: Whether a receipt of this document is known; None where Checkbox was not, or could not be, asked.
    receipt_made: bool | None = None


@dataclass(eq=False)
class Rejected(Verdict):
    """A definite no; never tried again by itself.

    ``detail`` must be free of secrets and personal data: it goes into an event and a header.
    """

    code: Code
    detail: Mapping[str, Any] = field(default_factory=dict)


@dataclass(eq=False)
class Postponed(Verdict):
    """To be looked at again after ``after`` seconds; no attempt is counted and no event published."""

    after: float
    reason: Wait


@dataclass(eq=False)
class Unavailable(Verdict):
    """No answer, or one that leaves the outcome unknown: again with backoff, same receipt id."""

    #: What was met, e.g. ``{"endpoint": ..., "status": 503}``; free of secrets.
    detail: Mapping[str, Any] = field(default_factory=dict)
    #: Seconds that the other side asked for (Retry-After).
    retry_after: float | None = None
    #: A receipt was asked for, and may have been made.
    may_have_sold: bool = False
