"""One pass over a request with the cashier's session: what sales and returns have in common.

The order of steps is what keeps a second receipt out: an id is derived and never invented, a doubt is settled
by a look-up of that id, and Checkbox, which takes an id once, decides between those who race for it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, TypeVar
from uuid import UUID

from worker.fiscal.attempt_state import AttemptState
from worker.fiscal.comparison import difference
from worker.fiscal.context import context_of, is_made_by, is_of_replay
from worker.fiscal.integrations import Integration
from worker.fiscal.number_times import NumberTimes
from worker.fiscal.order import Request
from worker.fiscal.outcomes import Code, Fiscalized, IssuedReceipt, Postponed, Rejected, Verdict
from worker.fiscal.ports import ArchiveCheck, CashierSession, ReceiptExists, ShiftExpired, ShiftNotOpened
from worker.fiscal.privacy import private_values
from worker.fiscal.reasons import Wait
from worker.fiscal.receipt import Receipt
from worker.fiscal.returned_chains import ReturnedChains
from worker.fiscal.shifts import make_ready

T = TypeVar("T")

#: Seconds after which a receipt that was asked for is shown, or was never made: more than ``ACT_WITHIN`` and
#: twice the longest that a POST takes to land and a read lags behind.
SETTLED_AFTER = 30.0
#: Seconds within which one may act on what was read.
ACT_WITHIN = 5.0
#: Seconds until the next look at what changes by itself; and at most, so that the wait stays a short one.
LOOK_AFTER = 1.0
LONGEST_LOOK = 10.0


@dataclass(frozen=True, slots=True)
class PassDependencies:
    """What every pass of a process shares."""

    archive: ArchiveCheck | None
    clock: Callable[[], float]
    monotonic: Callable[[], float]
    #: Seconds that a return waits for its sale.
    return_wait: float
    number_times: NumberTimes
    #: Called when a receipt was found where another one would have been made.
    duplicate_prevented: Callable[[], None]
    #: Called with the name of what was put right without a failure.
    warn: Callable[[str], None]
    returned_chains: ReturnedChains = field(default_factory=ReturnedChains)


class Issuing:
    """A pass. What it learns is in ``state``, which the next pass gets."""

    def __init__(
        self,
        request: Request,
        state: AttemptState,
        integration: Integration,
        session: CashierSession,
        dependencies: PassDependencies,
    ) -> None:
        self.request = request
        self.state = state.taken_up(dependencies.clock())
        self.integration = integration
        self.session = session
        self.dependencies = dependencies
        #: Whether a receipt of this document is known; None until Checkbox was asked.
        self.receipt_made: bool | None = True if state.posted_at is not None else None
        #: A receipt was made in this pass.
        self.has_posted = False

    def look_up(self, receipt_id: UUID) -> IssuedReceipt | None:
        return self.session.look_up(receipt_id, private_values(self.request))

    def since(self, moment: float | None) -> float:
        """Seconds since a moment; no time at all where there was none."""
        now = self.dependencies.clock()
        return now - (now if moment is None else moment)

    def awaited(self) -> Fiscalized | None:
        """The receipt that this request posted, asked for by its id alone; None where it came to nothing."""
        posted = self.state.posted_id
        if posted is None:
            return None
        issued = self.look_up(UUID(posted))
        if issued is None and self.since(self.state.posted_at) < SETTLED_AFTER:
            raise self.number_awaited()  # Checkbox took it, and does not show it yet
        if issued is not None and not issued.is_refused:
            return self.settle(issued, own=True)
        refused = issued.id if issued is not None else None
        self.state = replace(self.state, posted_id=None, posted_at=None, refused_id=refused, looks=0)
        self.receipt_made = None
        return None

    def is_own(self, issued: IssuedReceipt) -> bool:
        """Whether this request had it made, as far as is known."""
        made = is_made_by(issued, self.request)
        if made is not None:
            return made
        # That a number is awaited says nothing: it may be the number of another request's receipt.
        return issued.id == self.state.posted_id or self.state.unknown_since is not None

    def own_refusal(self, issued: IssuedReceipt) -> Rejected | None:
        """The verdict of a receipt in ERROR; None where it is an old one to walk past."""
        if not self._is_own_refusal(issued):
            return None
        self.state = replace(self.state, unknown_since=None, refused_id=issued.id)
        return _thrown_out(issued)

    def _is_own_refusal(self, issued: IssuedReceipt) -> bool:
        """Without a context it is own only where this replay of the request posted, or may have."""
        made = is_made_by(issued, self.request)
        if made is None:
            return issued.id == self.state.refused_id or self.state.unknown_since is not None
        return made and is_of_replay(issued, self.state)

    def settle(
        self,
        issued: IssuedReceipt,
        own: bool,
        differs: Callable[[IssuedReceipt], Mapping[str, Any] | None] | None = None,
    ) -> Fiscalized:
        """The outcome of a receipt that was not refused; raises ``Postponed`` until it has its number.

        ``differs`` says how another request's receipt differs from what is asked for now; left out, total
        and lines are compared.
        """
        self.receipt_made = True
        if not self.has_posted and self.state.posted_at is None:
            self.dependencies.duplicate_prevented()
        self.state = replace(self.state, unknown_since=None)
        if not issued.is_numbered:
            raise self.number_awaited(issued.id if own else None)
        differs = differs or partial(difference, self.request.order)
        if not own and (other := differs(issued)) is not None:
            raise Rejected(Code.RECEIPT_MISMATCH, other)
        if issued.seconds_to_number is not None:
            self.dependencies.number_times.saw(issued.seconds_to_number)
        return Fiscalized(issued, already=not own, checkbox_url=self.integration.checkbox_url)

    def number_awaited(self, posted: str | None = None) -> Postponed:
        state = self.state
        self.state = replace(
            state,
            posted_at=state.posted_at or self.dependencies.clock(),
            posted_id=posted or state.posted_id,
            looks=state.looks + 1,
            look_up_first=True,
        )
        return Postponed(self.dependencies.number_times.next_look(state.looks), Wait.NUMBER)

    def prepare(self) -> None:
        """Return when the cashier may sell. Raises ``Rejected`` (shifts), ``Postponed``."""
        try:
            make_ready(self.session, self.integration, self.dependencies.clock())
        except Postponed as wait:
            if not self.state.has_reserved:  # requests that wait for a shift do not all poll every second
                wait.after = max(wait.after, self._reserve_permit())
            raise wait from None

    def sell(self, receipt_id: UUID, receipt: Receipt, read_at: float | None = None) -> Fiscalized:
        """``post`` of a sale or a return."""
        context = context_of(self.request, self.state)
        return self.post(receipt_id, partial(self.session.sell, receipt_id, receipt, context), read_at)

    def post(
        self, receipt_id: UUID, ask: Callable[[], IssuedReceipt], read_at: float | None = None
    ) -> Fiscalized:
        """Have the receipt of this id made. ``read_at`` (monotonic seconds) is when the reading began.

        Raises ``ReceiptExists``, ``Postponed``, ``Rejected`` (RECEIPT_REJECTED), ``Unavailable``.
        """
        try:
            issued = self.send(ask, read_at)
        except ReceiptExists:
            self.note_hidden(receipt_id)
            raise
        if issued.is_refused:
            self.state = replace(self.state, refused_id=issued.id)
            raise _thrown_out(issued)
        self.has_posted = True
        return self.settle(issued, own=True)

    def send(self, ask: Callable[[], T], read_at: float | None = None) -> T:
        """A POST in the register's turn; raises ``Postponed`` where what it acts on was read too long ago."""
        self._acquire_permit()
        age = 0.0 if read_at is None else self.dependencies.monotonic() - read_at
        if age > ACT_WITHIN:  # slow reads keep no thread busy: the wait is as long as they took
            raise Postponed(min(age, LONGEST_LOOK), Wait.READ_TOO_LONG_AGO)
        try:
            return ask()
        except (ShiftNotOpened, ShiftExpired):
            # The session knows better now what stands in the way.
            make_ready(self.session, self.integration, self.dependencies.clock())
            raise Postponed(0.0, Wait.SHIFT_CHANGED) from None

    def _acquire_permit(self) -> None:
        wait = self.session.acquire_permit(again=self.state.has_reserved)
        if wait > 0:
            self.state = replace(self.state, has_reserved=True)
            raise Postponed(wait, Wait.RATE_LIMIT)

    def when_permitted(self, reason: Wait) -> Postponed:
        """Another pass when the rate limiter lets the register send again."""
        return Postponed(self._reserve_permit(), reason)

    def _reserve_permit(self) -> float:
        self.state = replace(self.state, has_reserved=True)
        return self.session.reserve_permit()

    def note_hidden(self, receipt_id: UUID) -> None:
        """Checkbox has a receipt of this id, and a look-up does not show it."""
        self.state = replace(self.state, look_up_first=True)
        if self.state.hidden_id != str(receipt_id):
            now = self.dependencies.clock()
            self.state = replace(self.state, hidden_id=str(receipt_id), hidden_since=now)

    def check_free(self, receipt_id: UUID) -> None:
        """Raise where Checkbox has said that it has this id, and shows no receipt of it.

        For some seconds a read may lag behind; after that the receipt is where this cashier cannot see it.
        """
        if self.state.hidden_id != str(receipt_id):
            return
        if self.since(self.state.hidden_since) < SETTLED_AFTER:
            raise Postponed(LOOK_AFTER, Wait.RECEIPT_NOT_SHOWN_YET)
        self.receipt_made = None
        reason = "the receipt's id is taken by one that this cashier cannot see"
        raise Rejected(Code.RECEIPT_MISMATCH, {"reason": reason, "receiptId": str(receipt_id)})

    def final(self, refusal: Rejected, looked_at: float) -> Verdict:
        """The refusal; or a wait, where a receipt of this request may have appeared since ``looked_at``."""
        unknown_since = self.state.unknown_since
        if unknown_since is None:
            return refusal
        left = SETTLED_AFTER - (looked_at - unknown_since)
        return refusal if left <= 0 else Postponed(min(left, LONGEST_LOOK), Wait.RECEIPT_MAY_APPEAR)


def _thrown_out(issued: IssuedReceipt) -> Rejected:
    detail = {"receiptId": issued.id, "status": issued.status, "words": issued.error}
    return Rejected(Code.RECEIPT_REJECTED, detail)
