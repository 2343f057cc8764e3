"""A cashier at a Checkbox that is kept in memory: behaves as the session does, without a network.

`tests/contracts/test_cashier_session.py` runs the same suite on it and on the session at the sandbox.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from uuid import UUID

from tests.builders import issued
from worker.fiscal.integrations import Cashier, Integration
from worker.fiscal.order import Operation
from worker.fiscal.outcomes import IssuedReceipt, Rejected, Unavailable
from worker.fiscal.ports import (
    CashierHasShift,
    KeyRegister,
    ReceiptExists,
    ReturnsPage,
    Shift,
    ShiftExpired,
    ShiftNotOpened,
)
from worker.fiscal.receipt import Receipt
from worker.fiscal.tax_rates import CheckboxTax

NOW = 1_795_000_000.0
DAY = 86400.0
REGISTER = "7e83f1a0-0000-4000-8000-000000000001"


def a_shift(**changes: object) -> Shift:
    """Open for an hour."""
    shift = Shift("066c8c8f-bd67-4661-8766-c7429e15ea27", "OPENED", NOW - 3600, REGISTER, "TEST102567")
    return replace(shift, **changes)  # type: ignore[arg-type]


@dataclass
class FakeCheckbox:
    """The ledger, and the shift of the one cashier; ``now`` moves when a test moves it."""

    now: float = NOW
    current: Shift | None = field(default_factory=a_shift)
    receipts: dict[str, IssuedReceipt] = field(default_factory=dict)
    #: Raised by the next calls of a name, one each: ``checkbox.faults["sell"] = [Unavailable()]``.
    faults: dict[str, list[Exception]] = field(default_factory=dict)
    #: A receipt is made, and then the answer is lost.
    lost_answers: int = 0
    #: What a receipt becomes at once; None leaves it CREATED until ``finish``.
    becomes: str | None = None
    gives_context: bool = True
    permit_after: float = 0.0
    #: Seconds for which the process stands still before it acquires the permit.
    pause_before_permit: float = 0.0
    opening_ends_in: str = "OPENED"
    #: Receipts that one pass of a search sees.
    seen_at_once: int = 1000
    #: Seconds until a shift may be opened.
    rest: float = 0.0
    #: The register of the row's licence key; None for a row without one.
    key_register: KeyRegister | None = None
    #: Receipts that the search shows, and a look-up does not show yet.
    unseen: set[str] = field(default_factory=set)
    #: Receipts that land while another id is looked up, by that id.
    landing: dict[str, IssuedReceipt] = field(default_factory=dict)
    #: The organization's tax table; None: it cannot be read.
    taxes: list[CheckboxTax] | None = None
    #: How old the table may be, for each time that it was asked for.
    taxes_within: list[float] = field(default_factory=list)
    calls: list[str] = field(default_factory=list)
    #: What was asked for, whatever came of it.
    sold: list[Receipt] = field(default_factory=list)
    #: What the last look-up's words were not to repeat.
    secrets: tuple[str, ...] = ()

    def called(self, name: str) -> None:
        self.calls.append(name)
        if self.faults.get(name):
            raise self.faults[name].pop(0)

    def shown(self, receipt_id: str) -> IssuedReceipt | None:
        """What a look-up shows."""
        landed = self.landing.pop(receipt_id, None)
        if landed is not None:
            self.receipts[landed.id] = landed
        return None if receipt_id in self.unseen else self.receipts.get(receipt_id)

    def finish(self, status: str = "DONE") -> None:
        """The tax service has answered: every receipt and shift under way comes to its end."""
        for receipt_id, receipt in self.receipts.items():
            if receipt.status == "CREATED":
                self.receipts[receipt_id] = _ended(receipt, status)
        if self.current is not None and self.current.status in ("CREATED", "OPENING"):
            self.current = replace(self.current, status=self.opening_ends_in, opened_at=self.now)
        elif self.current is not None and self.current.status == "CLOSING":
            self.current = None


class FakeSession:
    """``CashierSession`` over the fake Checkbox; it looks at the shift each time."""

    def __init__(self, checkbox: FakeCheckbox) -> None:
        self.checkbox = checkbox

    def look_up(self, receipt_id: UUID, secrets: Iterable[str] = ()) -> IssuedReceipt | None:
        self.checkbox.secrets = tuple(secrets)
        self.checkbox.called("look_up")
        return self.checkbox.shown(str(receipt_id))

    def sell(self, receipt_id: UUID, receipt: Receipt, context: Mapping[str, str | int]) -> IssuedReceipt:
        checkbox = self.checkbox
        checkbox.sold.append(receipt)
        checkbox.called("sell")
        if str(receipt_id) in checkbox.receipts:
            raise ReceiptExists
        if checkbox.current is None or not checkbox.current.is_open:
            raise ShiftNotOpened
        if checkbox.now - (checkbox.current.opened_at or checkbox.now) > DAY:
            raise ShiftExpired
        made = issued(
            receipt,
            id=str(receipt_id),
            status="CREATED",
            fiscal_code=None,
            seconds_to_number=None,
            context=dict(context) if checkbox.gives_context else {},
            is_return=receipt.operation is Operation.RETURN,
            related_receipt_id=str(receipt.related_receipt_id) if receipt.related_receipt_id else None,
            shift_id=checkbox.current.id,
            created_at=datetime.fromtimestamp(checkbox.now, UTC).isoformat(),
        )
        kept = made if checkbox.becomes is None else _ended(made, checkbox.becomes)
        checkbox.receipts[str(receipt_id)] = kept
        if checkbox.lost_answers:
            checkbox.lost_answers -= 1
            raise Unavailable({"reason": "read timed out"})
        return kept

    def shift(self, good_for: float) -> Shift | None:
        self.checkbox.called("shift")
        return self.checkbox.current

    def doubt_shift(self) -> None:
        pass

    def open_shift(self) -> None:
        try:
            self.checkbox.called("open_shift")
        except CashierHasShift:
            return
        assert self.checkbox.current is None
        self.checkbox.current = a_shift(id="new-shift", status="CREATED", opened_at=None)

    def rest_before_opening(self) -> float:
        return self.checkbox.rest

    def close_shift(self, shift: Shift) -> bool:
        current = self.checkbox.current
        if current is None or not current.is_open or current.id != shift.id:
            return False
        self.checkbox.called("close_shift")
        self.checkbox.current = replace(current, status="CLOSING")
        return True

    def taxes(self, within: float) -> list[CheckboxTax] | None:
        self.checkbox.taxes_within.append(within)
        return self.checkbox.taxes

    def key_register(self) -> KeyRegister | None:
        return self.checkbox.key_register

    def youngest_unfinished(self, shift: Shift) -> float | None:
        self.checkbox.called("youngest_unfinished")
        made_at = [
            datetime.fromisoformat(receipt.created_at).timestamp()
            if receipt.created_at
            else self.checkbox.now
            for receipt in self.checkbox.receipts.values()
            if receipt.status == "CREATED" and receipt.shift_id == shift.id
        ]
        return max(made_at, default=None)

    def search_returns(self, sale: IssuedReceipt, offset: int) -> Iterator[ReturnsPage]:
        self.checkbox.called("search_returns")
        listed = list(self.checkbox.receipts.values())[offset : offset + self.checkbox.seen_at_once]
        related = tuple(one for one in listed if one.related_receipt_id == sale.id)
        after = offset + len(listed)
        yield ReturnsPage(related, after if after < len(self.checkbox.receipts) else None)

    def acquire_permit(self, again: bool) -> float:
        self.checkbox.now += self.checkbox.pause_before_permit
        return self.checkbox.permit_after

    def reserve_permit(self) -> float:
        return self.checkbox.permit_after


class FakeSessions:
    """``CashierSessions`` of the one cashier; ``refusal`` is what a sign-in ends in."""

    def __init__(self, checkbox: FakeCheckbox, refusal: Rejected | None = None) -> None:
        self._session = FakeSession(checkbox)
        self._refusal = refusal

    @contextmanager
    def enter(self, integration: Integration, cashier: Cashier) -> Iterator[FakeSession]:
        if self._refusal is not None:
            raise self._refusal
        yield self._session


class FakeArchive:
    """``ArchiveCheck`` that says what it is told to, or raises it."""

    def __init__(self, answer: bool | Exception) -> None:
        self._answer = answer
        self.asked: list[UUID] = []

    def is_archived(self, order: UUID) -> bool:
        self.asked.append(order)
        if isinstance(self._answer, Exception):
            raise self._answer
        return self._answer


def _ended(receipt: IssuedReceipt, status: str) -> IssuedReceipt:
    if status == "DONE":
        return replace(receipt, status="DONE", fiscal_code="TEST-kV7DlT", seconds_to_number=2.0)
    return replace(receipt, status=status, error="Помилка перевірки документа")
