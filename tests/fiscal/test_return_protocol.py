"""The four promises of returns, whatever the order in which deliveries, losses and crashes come.

No sale is returned beyond itself; one document is one receipt at most; no order is sold anew before its sale
was returned in full; nothing that fits is refused for good.
"""

from __future__ import annotations

from itertools import zip_longest
from uuid import UUID, uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.builders import AN_ORDER, FIRST_SEEN, a_line, a_request, an_integration, an_order, issued
from tests.fiscal.interleaving import World
from worker.fiscal.attempt_state import AttemptState
from worker.fiscal.context import context_of
from worker.fiscal.order import Operation, Request, ReturnOf
from worker.fiscal.outcomes import Code, Fiscalized, IssuedReceipt, Rejected
from worker.fiscal.planner import plan
from worker.fiscal.receipt import sale_receipt_id

SALE = a_request()
SEEDS = st.integers(0, 2**48)
#: Shirts of the sale's two that a document returns.
PIECES = st.sampled_from([1_000, 1_000, 2_000])
thorough = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def a_return(pieces: int, request_id: str = "", document: UUID | None = None) -> Request:
    line = a_line(count=pieces, discount=3_000 * pieces // 2_000, amount=27_000 * pieces // 2_000)
    document = document or uuid4()
    return a_request(
        order=an_order(line, uuid=document),
        id=request_id or f"return-{document}",
        operation=Operation.RETURN,
        return_of=ReturnOf(order_uuid=AN_ORDER, receipt_id=None),
    )


def sold(world: World, attempt: int = 0, end: str = "DONE", age: float = 3600.0) -> IssuedReceipt:
    receipt = issued(
        plan(SALE, an_integration(), FIRST_SEEN).receipt,
        id=str(sale_receipt_id(AN_ORDER, attempt)),
        context=context_of(SALE, AttemptState(0.0)),
    )
    world.add(receipt, end, age)
    return receipt


def check(world: World) -> None:
    """What holds in the end; fails with what does not."""
    sales = [world.ledger.get(str(sale_receipt_id(AN_ORDER, attempt))) for attempt in range(20)]
    numbered = [one.receipt for one in sales if one is not None and one.end == "DONE"]
    refused = [one.receipt for one in sales if one is not None and one.end != "DONE"]
    assert not any(world.returns_of(sale.id) for sale in refused), "money for a sale that was refused"
    for sale, later in zip_longest(numbered, numbered[1:]):
        returned = sum(one.total for one in world.returns_of(sale.id))
        assert returned <= sale.total, "more was returned than was sold"
        assert later is None or returned == sale.total, "sold anew, and not returned in full"
    for delivery in world.deliveries:
        made = world.receipts_of(delivery.request.order.uuid)
        if delivery.request.operation is Operation.RETURN:
            assert len(made) <= 1, "two receipts of one document"
            _check_outcome(world, delivery.request, delivery.outcome, made, numbered)


def _check_outcome(
    world: World,
    request: Request,
    outcome: Fiscalized | Rejected | None,
    made: list[IssuedReceipt],
    sales: list[IssuedReceipt],
) -> None:
    if isinstance(outcome, Fiscalized):
        assert [one.id for one in made] == [outcome.receipt.id], "told of a receipt that is not there"
        return
    assert isinstance(outcome, Rejected)
    assert outcome.code in (Code.RETURN_WITHOUT_SALE, Code.RECEIPT_REJECTED), outcome
    others = [one for one in world.deliveries if one.request.order.uuid == request.order.uuid]
    if outcome.code is Code.RETURN_WITHOUT_SALE and len(others) == 1:
        assert not made, "refused, and there is a receipt"
    if outcome.code is Code.RETURN_WITHOUT_SALE and len(sales) == 1:
        others = sum(one.total for one in world.returns_of(sales[0].id) if one not in made)
        assert others + request.order.total > sales[0].total, "refused, though it fits"


@thorough
@given(seed=SEEDS, pieces=st.lists(PIECES, min_size=2, max_size=4), again=st.booleans())
def test_documents_race_for_one_sale(seed: int, pieces: list[int], again: bool) -> None:
    """Two to four documents, one of them perhaps delivered twice and asked for twice."""
    world = World(seed)
    sold(world)
    documents = [a_return(count) for count in pieces]
    twice = [documents[0], a_return(pieces[0], "again", documents[0].order.uuid)] if again else []
    world.run(*documents, *twice)
    check(world)


@thorough
@given(seed=SEEDS, pieces=PIECES)
def test_an_order_is_sold_anew_while_it_is_returned(seed: int, pieces: int) -> None:
    """Returns, their copies, and requests to sell again, all at once; the tax service refuses half."""
    world = World(seed, errors=0.5)
    sold(world)
    whole, part = a_return(2_000), a_return(pieces)
    again = [a_request(id=f"again-{number}", sell_again=True) for number in range(2)]
    world.run(whole, whole, part, *again)
    check(world)


@thorough
@given(seed=SEEDS, after=st.floats(0, 40))
def test_a_person_returns_it_and_it_is_sold_anew_while_copies_are_on_their_way(
    seed: int, after: float
) -> None:
    """A copy that read before the new sale may land at the old one."""
    world = World(seed, errors=0.0)
    sale = sold(world)
    world.at_the_till(sale, plan(a_return(2_000), an_integration(), FIRST_SEEN).receipt, after)
    whole = a_return(2_000)
    world.run(*[whole] * 3, *(a_request(id=f"again-{number}", sell_again=True) for number in range(3)))
    for delivery in world.deliveries:
        assert len(world.receipts_of(delivery.request.order.uuid)) <= 1 or delivery.request is not whole


@thorough
@given(seed=SEEDS)
def test_an_order_is_sold_anew_only_by_who_says_so(seed: int) -> None:
    """The button is pressed while the order is returned in full: one sale, whatever the moment."""
    world = World(seed, errors=0.0)
    sold(world)
    world.run(a_return(2_000), *(a_request(id=f"pressed-{number}") for number in range(3)))
    assert str(sale_receipt_id(AN_ORDER, 1)) not in world.ledger
    check(world)


@thorough
@given(seed=SEEDS, end=st.sampled_from(["DONE", "ERROR"]))
def test_a_sale_that_waits_for_its_number(seed: int, end: str) -> None:
    """It was made just now, and may be refused."""
    world = World(seed)
    sold(world, end=end, age=0.0)
    world.run(a_return(2_000), a_return(1_000))
    check(world)


@thorough
@given(seed=SEEDS)
def test_a_sale_behind_one_in_error(seed: int) -> None:
    """The sale has an attempt before it that the tax service refused."""
    world = World(seed)
    sold(world, 0, "ERROR")
    sold(world, 1)
    whole = a_return(2_000)
    world.run(whole, whole, a_return(1_000))
    check(world)


@thorough
@given(seed=SEEDS)
def test_what_was_returned_at_the_till_counts(seed: int) -> None:
    """A person gave one of two back: of two more documents one fits."""
    world = World(seed)
    sale = sold(world)
    world.at_the_till(sale, plan(a_return(1_000), an_integration(), FIRST_SEEN).receipt, after=-1.0)
    world.run(a_return(1_000), a_return(1_000))
    check(world)


@pytest.mark.parametrize("seed", range(5))
def test_without_faults_both_halves_come_back(seed: int) -> None:
    """Nothing is lost, nothing is late: both documents get their receipts."""
    world = World(seed, faults=False)
    sale = sold(world)
    world.run(a_return(1_000), a_return(1_000))
    check(world)
    assert sum(one.total for one in world.returns_of(sale.id)) == sale.total
