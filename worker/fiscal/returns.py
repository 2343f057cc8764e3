"""A return undoes a sale: it needs the sale's receipt, and may not give back more than was sold."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Protocol
from uuid import UUID

from worker.fiscal.comparison import check_return
from worker.fiscal.order import Operation, Request
from worker.fiscal.outcomes import Code, IssuedReceipt, Postponed, Rejected
from worker.fiscal.ports import CashierSession
from worker.fiscal.receipt import Receipt, receipt_id
from worker.fiscal.trail import Trail

_LOOK_AFTER = 1.0


class Patience(Protocol):
    """How long a return that overtakes its sale waits."""

    @property
    def clock(self) -> Callable[[], float]: ...

    @property
    def return_wait(self) -> float: ...


def sale_of(request: Request, trail: Trail, session: CashierSession, patience: Patience) -> IssuedReceipt:
    """The sale's receipt.

    Raises ``Postponed`` while the sale may still come or has no number, then ``Rejected``
    (RETURN_WITHOUT_SALE); the latter at once for a receipt that is a return itself.
    """
    assert request.return_of is not None  # the message was validated
    if request.return_of.receipt_id is not None:
        sale = session.look_up(request.return_of.receipt_id)
    else:
        assert request.return_of.order_uuid is not None
        sale = _sale_of_order(request.return_of.order_uuid, session)
    if sale is not None and sale.is_return:
        raise _without_sale(request, "the receipt that the return names is a return itself")
    if sale is not None and sale.is_numbered:
        return sale
    # Counted from the first look, not from the message: the row before the register is no overtaking.
    since = trail.sale_awaited_since or patience.clock()
    under_way = sale is not None and sale.status == "CREATED"
    if under_way or patience.clock() - since < patience.return_wait:
        raise Postponed(_LOOK_AFTER, "sale_of_return", replace(trail, sale_awaited_since=since))
    raise _without_sale(request, "the sale has no receipt")


def _without_sale(request: Request, reason: str) -> Rejected:
    assert request.return_of is not None
    order, receipt = request.return_of.order_uuid, request.return_of.receipt_id
    returned = {"orderUuid": str(order) if order else None, "receiptId": str(receipt) if receipt else None}
    return Rejected(Code.RETURN_WITHOUT_SALE, {"reason": reason, "returnOf": returned})


def _sale_of_order(order: UUID, session: CashierSession) -> IssuedReceipt | None:
    attempt = 0
    while True:
        sale = session.look_up(receipt_id(order, Operation.SELL, attempt))
        if sale is None or sale.status != "ERROR":
            return sale
        attempt += 1


def check(receipt: Receipt, sale: IssuedReceipt, session: CashierSession) -> bool:
    """Whether all earlier returns were seen, so that the check was whole.

    Raises ``Rejected`` (RETURN_WITHOUT_SALE) when, with those that were seen, more comes back than was sold.
    """
    found, all_seen = session.returns_of(sale)
    earlier = [one for one in found if one.is_numbered or one.status == "CREATED"]
    too_much = check_return(receipt, sale, earlier)
    if too_much is not None:
        raise Rejected(Code.RETURN_WITHOUT_SALE, too_much)
    return all_seen
