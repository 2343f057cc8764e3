"""One suite for every cashier's session: the fake, and the real one at the sandbox."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from uuid import UUID, uuid4

import pytest

from tests.builders import FIRST_SEEN, a_request, an_integration
from tests.checkbox.desk import Desk
from tests.fiscal.fakes import DAY, FakeCheckbox, FakeSessions, a_shift
from worker.checkbox.client import CheckboxClient
from worker.demo.sandbox_process import SandboxProcess
from worker.fiscal.order import Operation
from worker.fiscal.planner import plan
from worker.fiscal.ports import CashierSession, ReceiptExists, ShiftExpired, ShiftNotOpened

INTEGRATION = an_integration()
RECEIPT = plan(a_request(), INTEGRATION, FIRST_SEEN).receipt
CONTEXT: dict[str, str | int] = {"request": "b1d3f0de-0000-5000-8000-000000000001", "replay": 0}


@dataclass(frozen=True)
class Place:
    """Where a cashier works, and what people and time do to it."""

    enter: Callable[[], AbstractContextManager[CashierSession]]
    #: Open since so many hours; None closes what is open.
    shift: Callable[[float | None], None]
    #: Whatever takes the tax service time has come to its end.
    finish: Callable[[], None]


@pytest.fixture(scope="module")
def running() -> Iterator[SandboxProcess]:
    with SandboxProcess(cashiers=1) as process:
        yield process


@pytest.fixture(params=["fake", "real"])
def place(request: pytest.FixtureRequest) -> Iterator[Place]:
    if request.param == "fake":
        yield _fake()
        return
    with CheckboxClient() as client:
        yield _real(Desk(request.getfixturevalue("running"), client))


def _fake() -> Place:
    checkbox = FakeCheckbox(current=None)
    sessions = FakeSessions(checkbox)

    def shift(hours: float | None) -> None:
        checkbox.current = None if hours is None else a_shift(opened_at=checkbox.now - hours * 3600)

    return Place(lambda: sessions.enter(INTEGRATION, INTEGRATION.cashiers["olena"]), shift, checkbox.finish)


def _real(desk: Desk) -> Place:
    desk.sandbox.set_options(done_after=60.0, open_after=60.0, close_after=60.0)

    def shift(hours: float | None) -> None:
        if hours is None:
            desk.sandbox.close_shift("olena")
        else:
            desk.opened(hours)

    def finish() -> None:
        desk.sandbox.advance(61)
        desk.ahead += 1.0

    return Place(desk.enter, shift, finish)


def test_a_sale_has_its_number_when_the_tax_service_has_answered(place: Place) -> None:
    """CREATED without a number, then DONE with one; content and context come back."""
    place.shift(1)
    receipt_id = uuid4()
    with place.enter() as session:
        assert session.look_up(receipt_id) is None
        made = session.sell(receipt_id, RECEIPT, CONTEXT)
        assert (made.id, made.status, made.is_numbered) == (str(receipt_id), "CREATED", False)
        place.finish()
        found = session.look_up(receipt_id)
    assert found is not None
    assert (found.status, found.is_numbered, found.total) == ("DONE", True, RECEIPT.total)
    assert dict(found.context) == CONTEXT


def test_an_id_is_sold_once(place: Place) -> None:
    """Whatever has become of the first."""
    place.shift(1)
    receipt_id = uuid4()
    with place.enter() as session:
        session.sell(receipt_id, RECEIPT, CONTEXT)
        for _ in range(2):
            with pytest.raises(ReceiptExists):
                session.sell(receipt_id, RECEIPT, CONTEXT)
            place.finish()


def test_without_a_shift_nothing_is_sold(place: Place) -> None:
    """A sure no: the look-up finds nothing afterwards."""
    receipt_id = uuid4()
    with place.enter() as session:
        assert session.shift(DAY) is None
        with pytest.raises(ShiftNotOpened):
            session.sell(receipt_id, RECEIPT, CONTEXT)
        assert session.look_up(receipt_id) is None


def test_in_a_shift_that_is_too_old_nothing_is_sold(place: Place) -> None:
    """The same, and the shift stays open."""
    place.shift(25)
    receipt_id = uuid4()
    with place.enter() as session:
        with pytest.raises(ShiftExpired):
            session.sell(receipt_id, RECEIPT, CONTEXT)
        assert session.look_up(receipt_id) is None
        shift = session.shift(DAY)
    assert shift is not None
    assert shift.is_open


def test_a_shift_is_opened(place: Place) -> None:
    """It is under way first, then open, and may be sold in."""
    with place.enter() as session:
        assert session.shift(DAY) is None
        session.open_shift()
        under_way = session.shift(DAY)
        place.finish()
        opened = session.shift(DAY)
        session.sell(uuid4(), RECEIPT, CONTEXT)
    assert under_way is not None
    assert (under_way.is_open, under_way.opened_at) == (False, None)
    assert opened is not None
    assert opened.is_open
    assert opened.opened_at is not None
    assert opened.register_id


def test_a_shift_is_closed(place: Place) -> None:
    """It is under way first, then gone."""
    place.shift(23.5)
    with place.enter() as session:
        shift = session.shift(DAY)
        assert shift is not None
        assert session.close_shift(replace(shift, id=str(uuid4()))) is False
        assert session.close_shift(shift) is True
        closing = session.shift(DAY)
        place.finish()
        assert session.shift(DAY) is None
    assert closing is not None
    assert closing.status == "CLOSING"


def test_an_unfinished_receipt_is_seen(place: Place) -> None:
    """Until the tax service has answered."""
    place.shift(1)
    with place.enter() as session:
        shift = session.shift(DAY)
        assert shift is not None
        assert session.youngest_unfinished(shift) is None
        session.sell(uuid4(), RECEIPT, CONTEXT)
        assert session.youngest_unfinished(shift) is not None
        place.finish()
        assert session.youngest_unfinished(shift) is None


def test_the_returns_of_a_sale_are_found(place: Place) -> None:
    """By the sale that they name, whoever made them; the search says when it has seen all."""
    place.shift(1)
    sale_id, back_id = uuid4(), uuid4()
    with place.enter() as session:
        session.sell(sale_id, RECEIPT, CONTEXT)
        session.sell(uuid4(), RECEIPT, CONTEXT)
        place.finish()
        sale = session.look_up(sale_id)
        assert sale is not None
        back = replace(RECEIPT, operation=Operation.RETURN, related_receipt_id=UUID(sale.id))
        session.sell(back_id, back, CONTEXT)
        found, offset = [], 0
        while offset is not None:
            for page in session.search_returns(sale, offset):
                found += page.found
                offset = page.next_offset
    assert [one.id for one in found] == [str(back_id)]
    assert found[0].is_return
    assert found[0].related_receipt_id == sale.id


def test_a_permit_that_is_free_is_acquired(place: Place) -> None:
    """0 is now; what is promised is never in the past."""
    place.shift(1)
    with place.enter() as session:
        session.shift(DAY)
        assert session.acquire_permit(again=False) == 0
        assert session.reserve_permit() >= 0
