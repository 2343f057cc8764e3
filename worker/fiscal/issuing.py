"""One pass over a request with the cashier's session in hand.

The order of steps is what keeps a second receipt out: the id is derived from the order, a doubt is settled by
a look-up and never by a new id, and the next id is taken only past a receipt that was seen in ERROR.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from uuid import UUID, uuid5

from worker.fiscal import returns
from worker.fiscal.comparison import same_content
from worker.fiscal.integrations import Integration
from worker.fiscal.number_times import NumberTimes
from worker.fiscal.order import Operation, Request
from worker.fiscal.outcomes import Code, Fiscalized, IssuedReceipt, Postponed, Rejected, Unavailable
from worker.fiscal.ports import ArchiveCheck, CashierSession, ReceiptExists, ShiftExpired, ShiftNotOpened
from worker.fiscal.receipt import Receipt, receipt_id
from worker.fiscal.shifts import make_ready
from worker.fiscal.trail import Trail

_REQUEST_NAMESPACE = UUID("0d6ff0a4-5b7e-5c80-9d1f-8a4b0e6a7c21")
_CANCELLED = frozenset({"CANCELLED", "CANCELLATION"})


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What every pass of a process shares."""

    archive: ArchiveCheck | None
    clock: Callable[[], float]
    #: Seconds that a return waits for its sale.
    return_wait: float
    number_times: NumberTimes
    #: Called when a receipt was found where another one would have been made.
    duplicate_prevented: Callable[[], None]
    #: Called with the name of what was put right, or could not be checked whole, without a failure.
    warn: Callable[[str], None]


def context_of(request: Request, trail: Trail, receipt: Receipt) -> dict[str, str | int]:
    """What Checkbox keeps beside the receipt: who asked for it, and with what content."""
    return {
        "request": str(uuid5(_REQUEST_NAMESPACE, json.dumps([request.source, request.id]))),
        "replay": trail.replays,
        "content": _fingerprint(receipt),
    }


def _fingerprint(receipt: Receipt) -> str:
    content = (
        receipt.operation.value,
        receipt.total,
        tuple((line.code, line.quantity, line.price, line.tax_code, line.total) for line in receipt.lines),
    )
    return hashlib.sha256(repr(content).encode()).hexdigest()[:32]


class Issuing:
    """A pass; its state is the trail that the next pass gets."""

    def __init__(
        self,
        request: Request,
        receipt: Receipt,
        trail: Trail,
        integration: Integration,
        session: CashierSession,
        surroundings: Surroundings,
    ) -> None:
        self._request = request
        self._receipt = receipt
        self._trail = trail
        self._integration = integration
        self._session = session
        self._around = surroundings
        self._context = context_of(request, trail, receipt)
        self._looked = False
        #: The receipt was made in this pass.
        self.has_sold = False

    def run(self) -> Fiscalized:
        """Raises a ``Verdict`` when the pass does not end in a numbered receipt."""
        if self._trail.look_up_first or self._request.order.archived:
            found = self._look_up()
            if found is not None:
                return found
        try:
            self._clear_the_way()
            return self._sell()
        except Rejected as refusal:
            return self._existing_or(refusal)

    def _existing_or(self, refusal: Rejected) -> Fiscalized:
        """A receipt that exists wins over every reason not to make one."""
        if self._looked:
            raise refusal
        found = self._look_up()
        if found is None:
            raise refusal
        return found

    def _clear_the_way(self) -> None:
        if self._request.order.archived:
            raise Rejected(Code.ORDER_ARCHIVED)
        try:
            make_ready(self._session, self._integration, self._around.clock())
        except Postponed as wait:
            raise self._in_the_row(wait) from None
        self._await_turn()
        if self._request.operation is Operation.RETURN:
            sale = returns.sale_of(self._request, self._trail, self._session, self._around)
            if not returns.check(self._receipt, sale, self._session):
                self._around.warn("earlier_returns_not_all_seen")
            self._receipt = replace(self._receipt, related_receipt_id=UUID(sale.id))
        if self._around.archive is not None and self._around.archive.is_archived(self._request.order.uuid):
            raise Rejected(Code.ORDER_ARCHIVED)

    def _in_the_row(self, wait: Postponed) -> Postponed:
        """Whoever waits for a shift stands in the register's row: not all of them look each second."""
        if self._trail.has_turn:
            return wait
        after = max(wait.after, self._session.promise_turn())
        return Postponed(after, wait.reason, replace(self._trail, has_turn=True))

    def _await_turn(self) -> None:
        wait = self._session.take_turn(again=self._trail.has_turn)
        if wait > 0:
            raise Postponed(wait, "register_turn", replace(self._trail, has_turn=True))

    def _sell(self) -> Fiscalized:
        try:
            issued = self._session.sell(self._receipt_id(), self._receipt, self._context)
        except ReceiptExists:
            return self._see_who_was_faster()
        except (ShiftNotOpened, ShiftExpired):
            # The session knows better now what stands in the way.
            make_ready(self._session, self._integration, self._around.clock())
            raise Postponed(0.0, "shift_changed") from None
        self.has_sold = True
        return self._accept(issued, posted=True)

    def _receipt_id(self) -> UUID:
        return receipt_id(self._request.order.uuid, self._request.operation, self._trail.receipt_attempt)

    def _see_who_was_faster(self) -> Fiscalized:
        refused = self._trail.receipt_attempt
        found = self._look_up()
        if found is not None:
            return found
        if self._trail.receipt_attempt > refused:
            raise Postponed(self._session.promise_turn(), "next_receipt", replace(self._trail, has_turn=True))
        if self._trail.faults or self._trail.redelivered:
            raise Unavailable({"reason": "Checkbox has the id, and does not show the receipt yet"})
        raise Rejected(Code.RECEIPT_MISMATCH, {"reason": "the receipt's id is taken by another organization"})

    def _look_up(self) -> Fiscalized | None:
        """The order's receipt; None when there is none but such as were seen in ERROR."""
        while True:
            issued = self._session.look_up(self._receipt_id())
            self._looked = True
            self._trail = replace(self._trail, unknown_since=None)
            if issued is None:
                return None
            if issued.status != "ERROR" and not self._was_waiting:
                self._around.duplicate_prevented()
            if issued.status != "ERROR" or self._is_own_attempt(issued):
                return self._accept(issued)
            self._trail = replace(self._trail, receipt_attempt=self._trail.receipt_attempt + 1)

    def _accept(self, issued: IssuedReceipt, posted: bool = False) -> Fiscalized:
        if issued.status == "ERROR" or issued.status in _CANCELLED:
            raise Rejected(
                Code.RECEIPT_REJECTED,
                {"receiptId": issued.id, "status": issued.status, "words": issued.error},
            )
        own = posted or self._is_own(issued)
        self._compare(issued, own)
        if not issued.is_numbered:
            raise self._waiting(issued)
        if issued.seconds_to_number is not None:
            self._around.number_times.saw(issued.seconds_to_number)
        return Fiscalized(issued, already=not own, checkbox_url=self._integration.checkbox_url)

    def _compare(self, issued: IssuedReceipt, own: bool) -> None:
        content = issued.context.get("content")
        if content == self._context["content"] or (own and content is None):
            return
        difference = same_content(self._receipt, issued)
        if difference is not None:
            raise Rejected(Code.RECEIPT_MISMATCH, difference)

    def _waiting(self, issued: IssuedReceipt) -> Postponed:
        trail = self._trail
        after = self._around.number_times.next_look(trail.looks)
        return Postponed(
            after,
            "number",
            replace(
                trail,
                posted_at=trail.posted_at or self._around.clock(),
                looks=trail.looks + 1,
                look_up_first=True,
            ),
        )

    @property
    def _was_waiting(self) -> bool:
        return self._trail.posted_at is not None

    def _is_own(self, issued: IssuedReceipt) -> bool:
        """Whether this request had it made, as far as can be told."""
        if "request" in issued.context:
            return bool(issued.context["request"] == self._context["request"])
        return self._trail.redelivered or self._was_waiting or self._trail.faults > 0

    def _is_own_attempt(self, issued: IssuedReceipt) -> bool:
        """Whether its ERROR is the verdict on this request and replay, and not an old one to walk past."""
        return self._is_own(issued) and issued.context.get("replay", self._trail.replays) in (
            self._trail.replays,
            str(self._trail.replays),
        )
