"""The walk of a return over the sales of its order and their places: what each rule of it keeps out."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from uuid import uuid4

import pytest

from tests.builders import AN_ORDER, a_line, a_request, an_order
from tests.fiscal.fakes import NOW
from tests.fiscal.test_issuing import BACK, REDELIVERED, STATE, Scenario, ledger, made, whole_return
from worker.fiscal.attempt_state import AttemptState, Search
from worker.fiscal.context import context_of
from worker.fiscal.order import Operation
from worker.fiscal.outcomes import Code, IssuedReceipt, Rejected, Unavailable
from worker.fiscal.ports import ReceiptExists
from worker.fiscal.receipt import return_receipt_id, sale_receipt_id

SALE = made()
SOLD_ANEW = made(a_request(id="request-2", sell_again=True), id=str(sale_receipt_id(AN_ORDER, 1)))
#: Half of the sale.
PART = a_request(
    order=an_order(a_line(count=1_000, discount=1_500, amount=13_500), uuid=uuid4()),
    operation=Operation.RETURN,
    return_of=BACK.return_of,
)


def back(place: int = 0, sale: IssuedReceipt = SALE, **changes: object) -> IssuedReceipt:
    """A whole return of the sale, in that place, by another document."""
    return whole_return(sale, id=str(return_receipt_id(sale.id, place)), **changes)


def at_the_till(sale: IssuedReceipt = SALE) -> IssuedReceipt:
    return whole_return(sale, id=str(uuid4()), context={})


def test_the_places_of_the_target_are_read_last() -> None:
    """A copy of the return lands at it meanwhile: it is seen, and nothing is posted."""
    copy = whole_return(SOLD_ANEW, context=context_of(BACK, STATE))
    earlier = back()
    scenario = Scenario(ledger(SALE, earlier, SOLD_ANEW, landing={earlier.id: copy}))
    assert scenario.once(BACK).receipt.id == copy.id
    assert "sell" not in scenario.checkbox.calls


def test_a_copy_that_knew_of_fewer_sales_is_waited_for() -> None:
    """A person returned the sale, and it was made anew: a copy may land at the first one's free place."""
    scenario = Scenario(ledger(SALE, at_the_till(), SOLD_ANEW, becomes="DONE"))
    wait, state = scenario.rescheduled(BACK)
    assert (wait.reason, state.sales_seen) == ("copy_of_return", 2)
    scenario.checkbox.now += 29
    assert scenario.rescheduled(BACK, state)[0].reason == "copy_of_return"
    scenario.checkbox.now += 1
    assert scenario.once(BACK, state).receipt.id == str(return_receipt_id(SOLD_ANEW.id, 0))


def test_a_sale_that_our_returns_fill_has_no_room_for_a_copy() -> None:
    """Checkbox would refuse it, so that there is nothing to wait for; one without a number may be refused."""
    sold = ledger(SALE, back(), SOLD_ANEW, becomes="DONE")
    assert Scenario(sold).once(BACK).receipt.id == str(return_receipt_id(SOLD_ANEW.id, 0))
    unsure = ledger(SALE, back(status="CREATED", fiscal_code=None), SOLD_ANEW, becomes="DONE")
    assert Scenario(unsure).rescheduled(BACK)[0].reason == "copy_of_return"


def test_the_wait_begins_anew_with_another_sale() -> None:
    """Copies of before may know of one sale less."""
    scenario = Scenario(ledger(SALE, at_the_till(), SOLD_ANEW, becomes="DONE"))
    seen_long_ago = replace(STATE, sales_seen=1, sales_seen_at=NOW - 60)
    assert scenario.rescheduled(BACK, seen_long_ago)[0].reason == "copy_of_return"


def test_a_refusal_is_final_when_no_copy_can_land_any_more() -> None:
    """A redelivery may have posted just now: its receipt would make the refusal a lie."""
    scenario = Scenario(ledger(SALE, back()))
    wait, state = scenario.rescheduled(BACK, REDELIVERED)
    assert wait.reason == "receipt_may_appear"
    scenario.checkbox.now += 30
    assert scenario.code(BACK, replace(state, redelivered=False)) is Code.RETURN_WITHOUT_SALE


def test_a_place_that_is_taken_and_not_shown_is_never_passed_over() -> None:
    """Checkbox has the id, for half a minute perhaps only late; the next place may be a second receipt."""
    scenario = Scenario(ledger(SALE, faults={"sell": [ReceiptExists()]}, becomes="DONE"))
    wait, state = scenario.rescheduled(BACK)
    assert wait.reason == "place_taken"
    scenario.checkbox.now += 29
    assert scenario.rescheduled(BACK, state)[0].reason == "receipt_not_shown_yet"
    scenario.checkbox.now += 1
    verdict = scenario.verdict(BACK, state)
    assert isinstance(verdict, Rejected)
    assert (verdict.code, verdict.receipt_made) == (Code.RECEIPT_MISMATCH, None)
    assert scenario.checkbox.calls.count("sell") == 1


@pytest.mark.parametrize(("place", "is_shown"), [(0, False), (1, True), (150, True)])
def test_a_return_of_ours_that_the_walk_did_not_see_is_no_persons(place: int, is_shown: bool) -> None:
    """The search shows it before its place does, or behind one that is free: the walk is made anew."""
    landed = back(place)
    scenario = Scenario(ledger(SALE, landed, unseen=set() if is_shown else {landed.id}))
    assert scenario.rescheduled(PART)[0].reason == "return_not_shown_yet"


@pytest.mark.parametrize("by", [back, at_the_till], ids=["by us", "at the till"])
def test_a_return_whose_total_is_not_shown_is_not_nothing(by: Callable[[], IssuedReceipt]) -> None:
    """Who does not know what was given back gives back no more."""
    scenario = Scenario(ledger(SALE, replace(by(), total=0, lines=()), becomes="DONE"))
    assert isinstance(scenario.verdict(BACK), Unavailable)
    assert "sell" not in scenario.checkbox.calls


def test_a_return_that_is_being_cancelled_is_waited_for() -> None:
    """It may count to the end: its goods are not given back once more meanwhile."""
    scenario = Scenario(ledger(SALE, back(status="CANCELLATION"), becomes="DONE"))
    assert scenario.rescheduled(BACK)[0].reason == "return_of_sale"


def test_the_search_begins_anew_for_another_sale() -> None:
    """The cursor of a request counts for the sale that it was made for."""
    till = at_the_till(SOLD_ANEW)
    scenario = Scenario(ledger(SALE, back(), till, SOLD_ANEW))
    searched = replace(STATE, search=Search(SALE.id, offset=4))
    assert scenario.code(BACK, searched) is Code.RETURN_WITHOUT_SALE


def test_searches_for_two_sales_do_not_undo_each_other() -> None:
    """Sold, returned at the till, sold anew and returned there as well; each search takes several passes."""
    strangers = [whole_return(SALE, id=str(uuid4()), related_receipt_id=None) for _ in range(7)]
    receipts = [SALE, at_the_till(), *strangers, SOLD_ANEW, at_the_till(SOLD_ANEW)]
    scenario = Scenario(ledger(*receipts, becomes="DONE", seen_at_once=4))
    again = a_request(id="request-3", sell_again=True)
    state = replace(STATE, look_up_first=True)
    for _ in range(4):
        wait, state = scenario.rescheduled(again, state)
        assert wait.reason == "returns_searched"
    assert scenario.once(again, state).receipt.id == str(sale_receipt_id(AN_ORDER, 2))


def test_a_version_that_knows_one_search_reads_the_newest() -> None:
    """During an update it goes on with it, and begins the others anew."""
    searches = Search(SALE.id, 4, ("till",)), Search(SOLD_ANEW.id, 2)
    state = STATE.with_search(searches[0]).with_search(searches[1])
    assert AttemptState.loaded(state.dumped()) == state
    written = json.loads(state.dumped())
    assert written["search"] == {"sale": SOLD_ANEW.id, "offset": 2}
    assert (state.search_for(SALE.id), state.search_for("other")) == (searches[0], Search("other"))


def test_a_refused_return_of_this_request_does_not_hide_a_later_receipt() -> None:
    """The walk goes on past it: one that was made meanwhile is the answer."""
    refused = back(context=context_of(BACK, STATE), status="ERROR", fiscal_code=None, error="words")
    living = back(1, context=context_of(replace(BACK, id="return-2"), STATE))
    scenario = Scenario(ledger(SALE, refused, living))
    assert scenario.once(BACK, replace(STATE, look_up_first=True)).receipt.id == living.id


def test_the_time_between_reading_and_posting_is_bounded() -> None:
    """A process that slept acts on nothing of what it saw before."""
    scenario = Scenario(ledger(SALE, becomes="DONE"))
    scenario.checkbox.pause_before_permit = 5.1
    assert scenario.rescheduled(BACK)[0].reason == "read_too_long_ago"
    assert "sell" not in scenario.checkbox.calls


def test_an_archived_return_is_not_made() -> None:
    """Its own document's flag counts, where there is no receipt of it yet."""
    scenario = Scenario(ledger(SALE, becomes="DONE"))
    archived = replace(BACK, order=replace(BACK.order, archived=True))
    assert scenario.code(archived) is Code.ORDER_ARCHIVED
    assert scenario.once(BACK).receipt.is_return
    assert scenario.once(archived).receipt.is_return


def test_the_number_of_a_return_is_asked_for_by_its_id_alone() -> None:
    """The walk is over when its receipt is made."""
    scenario = Scenario(ledger(SALE))
    _, state = scenario.rescheduled(BACK)
    scenario.checkbox.finish()
    scenario.checkbox.calls.clear()
    assert scenario.once(BACK, state).receipt.is_return
    assert scenario.checkbox.calls == ["look_up"]
