"""A return waits for its sale, and gives back no more than was sold."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from uuid import UUID, uuid4

import pytest

from tests.builders import FIRST_SEEN, a_line, a_request, an_integration, issued
from tests.fiscal.fakes import NOW, FakeCheckbox, FakeSession
from worker.fiscal import returns
from worker.fiscal.order import Operation, Request, ReturnOf
from worker.fiscal.outcomes import Code, IssuedReceipt, Postponed, Rejected
from worker.fiscal.planner import plan
from worker.fiscal.receipt import Receipt, receipt_id
from worker.fiscal.trail import Trail

SALE_ORDER = UUID("5d0e8a52-6a0c-4a0e-9a35-0b6a3b0f1c02")
TRAIL = Trail(first_seen=NOW)


@dataclass(frozen=True)
class Patience:
    clock: Callable[[], float] = lambda: NOW
    return_wait: float = 10.0


def a_return(**of: UUID) -> Request:
    members = {"order_uuid": None, "receipt_id": None, **of}
    return a_request(operation=Operation.RETURN, return_of=ReturnOf(**members))


def planned(request: Request) -> Receipt:
    return plan(request, an_integration(), FIRST_SEEN).receipt


def sold(checkbox: FakeCheckbox, attempt: int = 0, **changes: object) -> IssuedReceipt:
    sale = issued(planned(a_request()), id=str(receipt_id(SALE_ORDER, Operation.SELL, attempt)), **changes)
    checkbox.receipts[sale.id] = sale
    return sale


def find(request: Request, checkbox: FakeCheckbox, trail: Trail = TRAIL, now: float = NOW) -> IssuedReceipt:
    return returns.sale_of(request, trail, FakeSession(checkbox), Patience(lambda: now))


def test_the_sale_is_found_by_its_order_or_by_its_receipt() -> None:
    """Both ways that a message may name it."""
    checkbox = FakeCheckbox()
    sale = sold(checkbox)
    assert find(a_return(order_uuid=SALE_ORDER), checkbox) == sale
    assert find(a_return(receipt_id=UUID(sale.id)), checkbox) == sale


def test_the_sale_behind_an_attempt_in_error_is_found() -> None:
    """An order's ids are walked as they were when it was sold."""
    checkbox = FakeCheckbox()
    sold(checkbox, 0, status="ERROR", fiscal_code=None)
    sale = sold(checkbox, 1)
    assert find(a_return(order_uuid=SALE_ORDER), checkbox) == sale


def test_a_return_is_no_sale_that_could_be_returned() -> None:
    """Given back once more, the goods of one sale would come back twice."""
    checkbox = FakeCheckbox()
    earlier = sold(checkbox, is_return=True)
    with pytest.raises(Rejected) as caught:
        find(a_return(receipt_id=UUID(earlier.id)), checkbox)
    assert caught.value.code is Code.RETURN_WITHOUT_SALE
    assert caught.value.detail["returnOf"] == {"orderUuid": None, "receiptId": earlier.id}


def test_a_return_that_overtakes_its_sale_waits_from_its_first_look() -> None:
    """The row before the register does not eat up the time."""
    request = a_return(order_uuid=SALE_ORDER)
    late = NOW + 500
    with pytest.raises(Postponed) as caught:
        find(request, FakeCheckbox(), now=late)
    assert caught.value.trail is not None
    assert caught.value.trail.sale_awaited_since == late
    with pytest.raises(Postponed):
        find(request, FakeCheckbox(), caught.value.trail, late + 9.9)
    with pytest.raises(Rejected) as ended:
        find(request, FakeCheckbox(), caught.value.trail, late + 10)
    assert ended.value.code is Code.RETURN_WITHOUT_SALE
    assert ended.value.detail["returnOf"] == {"orderUuid": str(SALE_ORDER), "receiptId": None}


def test_a_sale_whose_number_is_on_its_way_is_waited_for() -> None:
    """Longer than the wait for a sale that nobody has seen."""
    checkbox = FakeCheckbox()
    sold(checkbox, status="CREATED", fiscal_code=None)
    with pytest.raises(Postponed):
        find(a_return(order_uuid=SALE_ORDER), checkbox, replace(TRAIL, sale_awaited_since=NOW - 3600))


def test_more_than_was_sold_is_refused() -> None:
    """Earlier returns of the sale add up, those in ERROR do not count."""
    checkbox = FakeCheckbox()
    sale = sold(checkbox)
    back = planned(a_return(order_uuid=SALE_ORDER))
    failed = issued(back, id=str(uuid4()), status="ERROR", fiscal_code=None, related_receipt_id=sale.id)
    checkbox.receipts[failed.id] = failed
    returns.check(back, sale, FakeSession(checkbox))
    earlier = issued(back, id=str(uuid4()), status="CREATED", fiscal_code=None, related_receipt_id=sale.id)
    checkbox.receipts[earlier.id] = earlier
    with pytest.raises(Rejected) as caught:
        returns.check(back, sale, FakeSession(checkbox))
    assert caught.value.code is Code.RETURN_WITHOUT_SALE


def test_a_check_that_was_not_whole_is_told() -> None:
    """Checkbox's search may not reach back to the sale: the return is sent, and somebody is warned."""
    checkbox = FakeCheckbox()
    sale = sold(checkbox)
    back = planned(a_return(order_uuid=SALE_ORDER))
    assert returns.check(back, sale, FakeSession(checkbox))
    checkbox.shows_all_returns = False
    assert not returns.check(back, sale, FakeSession(checkbox))


def test_a_line_that_was_not_sold_cannot_come_back() -> None:
    """Whatever its price."""
    checkbox = FakeCheckbox()
    sale = sold(checkbox)
    other = a_request(a_line(code="00099"), operation=Operation.RETURN)
    with pytest.raises(Rejected):
        returns.check(planned(other), sale, FakeSession(checkbox))
