"""What the core asks of its partners, in its own words.

A call to Checkbox ends in one of three ways: a sure yes (it returns), a sure no (``Rejected`` or one of the
refusals below), or "don't know" (``Unavailable``), after which only a look-up by id may follow.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Protocol
from uuid import UUID

from worker.fiscal.integrations import Cashier, Integration
from worker.fiscal.outcomes import IssuedReceipt, Relation
from worker.fiscal.receipt import Receipt
from worker.fiscal.tax_rates import CheckboxTax


class Refusal(Exception):
    """A sure no that is not the end: nothing was sold by this call."""

    def __init__(self, words: str = "") -> None:
        super().__init__(words)
        #: The other side's own words, free of secrets.
        self.words = words


class ReceiptExists(Refusal):
    """Checkbox has a receipt of this id already: look it up."""


class ShiftNotOpened(Refusal):
    """The cashier has no open shift."""


class ShiftExpired(Refusal):
    """The shift has been open for more than 24 hours (law 265/95, art. 3 p. 9)."""


class CashierHasShift(Refusal):
    """A shift of this very cashier is open or opening: somebody was faster."""


class TokenRefused(Refusal):
    """The token is no longer valid: sign in again, once."""


@dataclass(frozen=True, slots=True)
class Shift:
    """A cashier's shift. ``opened_at`` is in seconds since the epoch, None until it is open."""

    id: str
    status: str
    opened_at: float | None
    register_id: str | None
    register_number: str | None
    #: Why the opening was refused, where it was.
    refusal: str | None = None
    #: Checkbox refused a sale because of the shift's age, whatever its figures say.
    expired: bool = False

    @property
    def is_open(self) -> bool:
        return self.status == "OPENED"

    @property
    def is_opening(self) -> bool:
        return self.status in ("CREATED", "OPENING")

    @property
    def is_closing(self) -> bool:
        return self.status == "CLOSING"

    @property
    def is_closed(self) -> bool:
        return self.status == "CLOSED"


@dataclass(frozen=True, slots=True)
class KeyRegister:
    """The register that a licence key stands for; each of the two is None where Checkbox does not say."""

    id: str | None
    number: str | None
    organization: str | None = None


@dataclass(frozen=True, slots=True)
class ReturnsPage:
    """What one step of a search for a sale's returns has seen."""

    found: tuple[IssuedReceipt, ...]
    #: Where the search goes on; None: all receipts up to now were seen.
    next_offset: int | None


class CashierSession(Protocol):
    """One cashier at Checkbox: signed in, with what is known of his shift. For one thread at a time.

    Every method may raise ``Unavailable``, and ``Rejected`` with CASHIER_CREDENTIALS_REJECTED.
    """

    def look_up(self, receipt_id: UUID, secrets: Iterable[str] = ()) -> IssuedReceipt | None:
        """The receipt of this id; None when Checkbox is sure to have none.

        ``secrets`` are the request's own (``privacy.private_values``): Checkbox's words must not repeat them.
        """
        ...

    def sell(self, receipt_id: UUID, receipt: Receipt, context: Mapping[str, str | int]) -> IssuedReceipt:
        """Have the receipt issued (sales and returns).

        Raises ``ReceiptExists``, ``ShiftNotOpened``, ``ShiftExpired``, ``Rejected`` (RECEIPT_REJECTED).
        """
        ...

    def chain(self, relation_id: str, secrets: Iterable[str] = ()) -> Relation | None:
        """A prepayment chain; None when Checkbox is sure to have none of this id."""
        ...

    def open_chain(
        self, relation_id: str, receipt_id: UUID, receipt: Receipt, context: Mapping[str, str | int]
    ) -> IssuedReceipt:
        """Have an advance issued, which opens the chain. Raises as ``sell`` does."""
        ...

    def pay_chain(self, relation_id: str, receipt_id: UUID, receipt: Receipt) -> IssuedReceipt:
        """Have a further payment of the chain issued. Raises as ``sell`` does."""
        ...

    def return_chain(self, relation_id: str, receipt: Receipt) -> None:
        """Have a return issued for each of the chain's receipts.

        Raises ``ShiftNotOpened``, ``ShiftExpired``, ``Rejected`` (RECEIPT_REJECTED). It has no id of ours:
        only ``chain`` shows what came of a lost answer.
        """
        ...

    def shift(self, good_for: float) -> Shift | None:
        """The shift as far as known.

        What stands in the way, such as one older than ``good_for`` seconds, is believed for 5 s and then read
        anew.
        """
        ...

    def doubt_shift(self) -> None:
        """Read the shift anew at the next look."""
        ...

    def open_shift(self) -> None:
        """Ask for a shift; raises ``Rejected`` (REGISTER_BUSY, SHIFT_NOT_OPEN with Checkbox's reason)."""
        ...

    def rest_before_opening(self) -> float:
        """Seconds until a new shift may be opened: not while a late close for the last one may arrive."""
        ...

    def close_shift(self, shift: Shift) -> bool:
        """Ask for the end of this very shift and its Z-report; False where it is no longer the open one."""
        ...

    def taxes(self, within: float) -> Sequence[CheckboxTax] | None:
        """The tax table of the cashier's organization; None where it cannot be read.

        Read by each new token and once a day; ``within`` so many seconds where that is less.
        """
        ...

    def key_register(self) -> KeyRegister | None:
        """The register of the row's licence key; None where the row names none."""
        ...

    def youngest_unfinished(self, shift: Shift) -> float | None:
        """When the youngest receipt of the shift without a number was made, in seconds since the epoch.

        By Checkbox's own list; the present while not all of it was seen, None where all have ended.
        """
        ...

    def search_returns(self, sale: IssuedReceipt, offset: int) -> Iterator[ReturnsPage]:
        """One pass over the receipts since the sale, from ``offset`` on: step by step, as they are read.

        Its requests are bounded in number: it may end before all were seen.
        """
        ...

    def acquire_permit(self, again: bool) -> float:
        """Acquire a permit of the register's rate limiter for this pass: 0, or the seconds to wait.

        ``again``: a permit was reserved before. A permit that the pass does not use is given back.
        """
        ...

    def reserve_permit(self) -> float:
        """Seconds until a permit of the register that nobody else has reserved."""
        ...


class CashierSessions(Protocol):
    """All cashiers of this process."""

    def enter(self, integration: Integration, cashier: Cashier) -> AbstractContextManager[CashierSession]:
        """Take the cashier's session for this thread; raises ``Postponed`` while another thread has it."""
        ...


class ArchiveCheck(Protocol):
    """Bimp's own word, right before a sale, whether the order is archived."""

    def is_archived(self, order: UUID) -> bool:
        """Raises ``Unavailable`` when Bimp does not answer."""
        ...
