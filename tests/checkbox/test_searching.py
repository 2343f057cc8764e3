"""Searches among receipts: nothing that was not seen counts as "none". Against the sandbox."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from prometheus_client import REGISTRY
from structlog.testing import capture_logs

from tests.checkbox.desk import DAY, OLENA, Desk
from tests.checkbox.receipts import CONTEXT, SALE
from worker.checkbox.client import CheckboxClient
from worker.checkbox.receipt_answers import SearchResult
from worker.checkbox.searching import Pages
from worker.checkbox.session import Session
from worker.demo.sandbox_process import SandboxProcess
from worker.fiscal.order import Operation
from worker.fiscal.outcomes import IssuedReceipt, Unavailable
from worker.fiscal.shifts import STUCK_AFTER

SEARCH = "GET /receipts/search"
BY_ID = "GET /receipts/{receipt_id}"


@pytest.fixture(scope="module")
def running() -> Iterator[SandboxProcess]:
    with SandboxProcess(cashiers=1) as process:
        yield process


@pytest.fixture
def desk(running: SandboxProcess, tmp_path: Path) -> Iterator[Desk]:
    with CheckboxClient() as client:
        desk = Desk(running, client, tmp_path)
        desk.opened(hours_ago=1)
        yield desk


def sold(session: Session) -> IssuedReceipt:
    sale = session.look_up(UUID(session.sell(uuid4(), SALE, CONTEXT).id))
    assert sale is not None
    return sale


def give_back(session: Session, sale: IssuedReceipt) -> str:
    back = replace(SALE, operation=Operation.RETURN, related_receipt_id=UUID(sale.id))
    return session.sell(uuid4(), back, CONTEXT).id


def all_returns(session: Session, sale: IssuedReceipt) -> tuple[list[str], int]:
    """The returns, and how many passes it took to see all."""
    found: list[str] = []
    offset: int | None = 0
    passes = 0
    while offset is not None:
        for page in session.search_returns(sale, offset):
            found += [receipt.id for receipt in page.found]
            offset = page.next_offset
        passes += 1
    return found, passes


@pytest.mark.parametrize("form", ["full", "short"])
@pytest.mark.parametrize("page_limit", [None, 2])
def test_returns_are_found_in_whatever_form_the_search_answers(
    desk: Desk, form: str, page_limit: int | None
) -> None:
    """Short pages, or results without the sale that they undo: those are read by id."""
    desk.sandbox.set_options(search_form=form, page_limit=page_limit)
    with desk.enter() as session:
        sale, other = sold(session), sold(session)
        first = give_back(session, sale)
        give_back(session, other)
        sold(session)
        last = give_back(session, sale)
        assert all_returns(session, sale) == ([first, last], 1)


def test_returns_of_other_cashiers_are_found(desk: Desk) -> None:
    """A person at another till gives money back as well."""
    desk.sandbox.put_cashier("petro", password="petro-secret", license_key="test-petro")
    desk.sandbox.open_shift("petro")
    desk.sandbox.set_till("petro", 100_000)
    with desk.enter() as session:
        sale = sold(session)
    petro = replace(OLENA, login="petro", password=OLENA.password, license_key=None)
    desk.sandbox.put_cashier("petro", password="olena-secret")
    with desk.enter(petro) as session:
        back = give_back(session, sale)
    with desk.enter() as session:
        assert all_returns(session, sale)[0] == [back]


def test_a_return_behind_many_receipts_is_found_in_several_passes(desk: Desk) -> None:
    """A pass is bounded, and says where the next one goes on: "not seen" is never "none"."""
    desk.sandbox.set_options(page_limit=1)
    with desk.enter() as session:
        sale = sold(session)
        for _ in range(12):
            sold(session)
        back = give_back(session, sale)
        before = desk.asked(SEARCH)
        *_, last = session.search_returns(sale, 0)
        assert (last.found, last.next_offset) == ((), 10)
        assert desk.asked(SEARCH) - before == 10
        assert all_returns(session, sale) == ([back], 2)


def test_reads_by_id_are_bounded_too(desk: Desk) -> None:
    """It goes on at the very result that was not read: the sale itself comes first, and needs no reading."""
    desk.sandbox.set_options(search_form="short", page_limit=None)
    with desk.enter() as session:
        sale = sold(session)
        desk.sandbox.set_till("olena", 10_000_000)
        made = [give_back(session, sale) for _ in range(25)]
        before = desk.asked(BY_ID)
        steps = list(session.search_returns(sale, 0))
        assert (sum(len(step.found) for step in steps), steps[-1].next_offset) == (20, 21)
        assert desk.asked(BY_ID) - before == 20
        assert all_returns(session, sale) == (made, 2)


def test_a_return_that_is_listed_and_cannot_be_read_is_a_doubt(desk: Desk) -> None:
    """It may be one of this sale."""
    desk.sandbox.set_options(search_form="short")
    with desk.enter() as session:
        sale = sold(session)
        back = give_back(session, sale)
        desk.sandbox.fault("hidden_for", seconds=60, endpoint=BY_ID, receipt=back)
        with pytest.raises(Unavailable):
            list(session.search_returns(sale, 0))


def test_what_was_read_before_a_fault_is_not_read_again(desk: Desk) -> None:
    """A search of many pages comes to its end though one call in three fails."""
    desk.sandbox.set_options(page_limit=1)
    with desk.enter() as session:
        sale = sold(session)
        sold(session)
        desk.sandbox.fault("html_503", endpoint=SEARCH, count=1)
        with pytest.raises(Unavailable):
            list(session.search_returns(sale, 0))
        steps = session.search_returns(sale, 0)
        assert next(steps).next_offset == 1
        desk.sandbox.fault("html_503", endpoint=SEARCH, count=1)
        with pytest.raises(Unavailable):
            list(steps)
        assert [step.next_offset for step in session.search_returns(sale, 1)] == [2, None]


def test_what_the_search_does_not_show_yet_is_found_later(desk: Desk) -> None:
    """The receipts up to now are those that Checkbox shows."""
    with desk.enter() as session:
        sale = sold(session)
        desk.sandbox.fault("hidden_for", seconds=60, endpoint=SEARCH)
        back = give_back(session, sale)
        assert all_returns(session, sale)[0] == []
        desk.sandbox.advance(61)
        assert all_returns(session, sale)[0] == [back]


@pytest.mark.parametrize("form", ["full", "short"])
def test_an_unfinished_receipt_behind_many_is_seen(desk: Desk, form: str) -> None:
    """Until all of the shift was seen it may have one; a page that is cut is not the last."""
    desk.sandbox.set_options(page_limit=1, search_form=form)
    with desk.enter() as session:
        shift = session.shift(DAY)
        assert shift is not None
        for _ in range(12):
            sold(session)
        desk.sandbox.fault("created_for", seconds=60)
        session.sell(uuid4(), SALE, CONTEXT)
        desk.sandbox.clear_faults()
        counts = []
        for look in range(3):
            desk.ahead = float(look)
            assert session.youngest_unfinished(shift) is not None
            counts.append(session.count_unfinished(shift))
        assert counts == [None, 1, 1]
        desk.sandbox.advance(61)
        desk.ahead = 3.0
        assert session.youngest_unfinished(shift) is None
        assert session.count_unfinished(shift) == 0


def test_a_stuck_receipt_is_told_and_shown(desk: Desk) -> None:
    """Once in the log, and in the metrics until it ends or the shift does."""

    def shown() -> float | None:
        labels = {"integration": desk.integration.id, "cashier": OLENA.id}
        name = "fiscal_unfinished_receipt_timestamp_seconds"
        return REGISTRY.get_sample_value(name, labels)

    desk.sandbox.fault("created_for", seconds=1e9)
    with desk.enter() as session, capture_logs() as logs:
        shift = session.shift(DAY)
        assert shift is not None
        stuck = session.sell(uuid4(), SALE, CONTEXT)
        session.youngest_unfinished(shift)
        assert logs == []
        for seconds in (1000.0, 2000.0):
            desk.ahead = STUCK_AFTER + seconds
            youngest = session.youngest_unfinished(shift)
    assert youngest is not None
    assert desk.began + desk.ahead - youngest >= STUCK_AFTER
    assert [(log["log_level"], log["receipt_id"]) for log in logs] == [("warning", stuck.id)]
    assert shown() == pytest.approx(desk.began, abs=900)
    desk.sandbox.close_shift("olena")
    with desk.enter() as session:
        session.doubt_shift()
        session.shift(DAY)
    assert str(shown()) == "nan"


def test_smaller_pages_are_asked_for_where_a_page_is_too_long() -> None:
    """Receipts of thousands of lines: a page of them is over what is read, one of them is not."""
    asked: list[tuple[int, int]] = []

    def page(offset: int, limit: int) -> list[SearchResult]:
        asked.append((offset, limit))
        if limit > 10:
            raise Unavailable({"reason": "oversized"})
        return []

    pages = Pages(page)
    assert pages.at(0) == pages.at(7) == []
    assert asked == [(0, 100), (0, 10), (7, 10)]
