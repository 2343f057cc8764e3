"""What chains promise, whatever the order in which deliveries, losses, crashes and refusals come.

A payment is one receipt at most, and a chain never takes more than the order's total. Each of its receipts is
returned once at most. The order is never sold beside a chain that stands. What was told is what there is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from uuid import UUID, uuid5

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.builders import AN_ORDER, FIRST_SEEN, a_request, an_integration, an_order, card, issued
from tests.fiscal import interleaving
from tests.fiscal.chain_world import ChainWorld
from tests.fiscal.interleaving import LAG, LANDING
from worker.fiscal.chain import chain_id, payment_receipt_id
from worker.fiscal.issuing import ACT_WITHIN
from worker.fiscal.order import Operation, Request, ReturnOf
from worker.fiscal.outcomes import Code, Fiscalized, IssuedReceipt, Rejected, Relation, Unavailable
from worker.fiscal.planner import plan
from worker.fiscal.receipt import sale_receipt_id

SEEDS = st.integers(0, 2**48)
TOTAL = an_order().total
#: Seconds: a read that lags, the longest that it is acted on, and a post that takes its time.
UNSEEN = LAG + ACT_WITHIN + LANDING
thorough = settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def named(name: str) -> UUID:
    return uuid5(AN_ORDER, name)


def a_payment(name: str, amount: int, request_id: str = "", **changes: object) -> Request:
    """The money of this name."""
    return a_request(
        id=request_id or f"pay-{name}", payment_uuid=named(name), payments=(card(amount),), **changes
    )


def an_advance(name: str, amount: int = 10_000, request_id: str = "") -> Request:
    return a_payment(name, amount, request_id, operation=Operation.PREPAYMENT)


def further(name: str, amount: int, *, closes: bool = True, request_id: str = "") -> Request:
    return a_payment(name, amount, request_id, operation=Operation.AFTERPAYMENT, closes=closes)


def a_return(name: str = "return", request_id: str = "") -> Request:
    return a_request(
        id=request_id or f"return-{name}",
        order=an_order(uuid=named(f"document-{name}")),
        operation=Operation.PREPAYMENT_RETURN,
        return_of=ReturnOf(AN_ORDER, None),
        payments=(),
    )


def attempts_of(world: ChainWorld, payment: UUID) -> list[str]:
    ids = (str(payment_receipt_id(AN_ORDER, payment, attempt)) for attempt in range(20))
    return [receipt_id for receipt_id in ids if receipt_id in world.ledger]


def receipts_of(world: ChainWorld, payment: UUID) -> list[IssuedReceipt]:
    ids = attempts_of(world, payment)
    return [one for one in world.numbered() if one.id in ids]


def landed_unseen(world: ChainWorld, payment: str, back: str) -> bool:
    """Between the look and the return: of such a payment nobody knew that it would be refused."""
    return world.ledger[payment].at > world.ledger[back].at - UNSEEN


def check(world: ChainWorld) -> None:
    """What holds in the end; fails with what does not."""
    numbered = {one.id: one for one in world.numbered()}
    for kept in world.chains.values():
        assert sum(numbered[one].total for one in kept.payments if one in numbered) <= kept.total
        for payment in kept.payments:
            backs = [back for paid, back in kept.returns if paid == payment and back in numbered]
            assert len(backs) <= 1, "returned twice"
            for back in backs if payment not in numbered else ():
                assert landed_unseen(world, payment, back), "money for nothing"
    payments = {one.request.payment_uuid for one in world.deliveries if one.request.payment_uuid}
    for payment in payments:
        made = receipts_of(world, payment)
        assert len(made) <= 1, "two receipts of one payment"
        outcomes = [one.outcome for one in world.deliveries if one.request.payment_uuid == payment]
        assert len(attempts_of(world, payment)) <= len(outcomes), "tried again by itself"
        told = [one for one in outcomes if isinstance(one, Fiscalized)]
        codes = {one.code for one in outcomes if isinstance(one, Rejected)}
        assert {one.receipt.id for one in told if one.receipt} <= {one.id for one in made}
        if made and not told:
            # Only who asked again after a return, or found its first receipt refused, was told otherwise.
            assert codes & {Code.RECEIPT_RETURNED, Code.RECEIPT_REJECTED}, codes
    _check_returns(world, numbered)


def _check_returns(world: ChainWorld, numbered: dict[str, IssuedReceipt]) -> None:
    made = {back for kept in world.chains.values() for _, back in kept.returns if back in numbered}
    outcomes = [
        one.outcome for one in world.deliveries if one.request.operation is Operation.PREPAYMENT_RETURN
    ]
    for outcome in outcomes:
        if isinstance(outcome, Fiscalized):
            assert outcome.relation is not None
            kept = world.chains[outcome.relation.id]
            living = [one for one in kept.payments if one in numbered]
            assert {one.id for one in outcome.returns} <= made
            undone = [one.related_receipt_id for one in outcome.returns]
            assert [one for one in undone if one in numbered] == living, "told before all was returned"
            for one in outcome.returns:
                paid = str(one.related_receipt_id)
                assert paid in numbered or landed_unseen(world, paid, one.id), "told of money for nothing"
        else:
            assert isinstance(outcome, Rejected)
            assert outcome.code in (Code.PREPAYMENT_MISMATCH, Code.RECEIPT_REJECTED), outcome
    if made:
        assert any(
            isinstance(one, Fiscalized) or one.code is Code.RECEIPT_REJECTED or len(world.chains) > 1
            for one in outcomes
            if one is not None
        ), "returned, and nobody was told, though there is one chain"


@thorough
@given(seed=SEEDS, closes=st.booleans(), again=st.booleans())
def test_payments_of_one_order_race(seed: int, closes: bool, again: bool) -> None:
    """An advance, one more and the rest at once, some of them delivered twice and asked for twice."""
    world = ChainWorld(seed)
    payments = [
        an_advance("a"),
        further("b", 5_000, closes=False),
        further("c", TOTAL - 15_000, closes=closes),
    ]
    twice = [an_advance("a"), an_advance("a", request_id="again"), payments[2]] if again else []
    world.run(*payments, *twice)
    check(world)


@thorough
@given(seed=SEEDS)
def test_two_advances_open_one_chain(seed: int) -> None:
    """Of different money, at the same moment: Checkbox takes a chain's id once."""
    world = ChainWorld(seed)
    world.run(an_advance("a"), an_advance("b", 9_000), an_advance("b", 9_000))
    check(world)
    assert len([one for one in world.numbered() if not one.is_return]) <= 1


@thorough
@given(seed=SEEDS)
def test_a_chain_is_returned_while_it_is_paid(seed: int) -> None:
    """The return, its copy and another document of it, beside the rest of the money."""
    world = ChainWorld(seed)
    world.run(an_advance("a"), further("b", TOTAL - 10_000), a_return(), a_return(), a_return("other"))
    check(world)


@thorough
@given(seed=SEEDS)
def test_a_process_that_stands_still_acts_on_nothing_old(seed: int) -> None:
    """For longer than a post takes to land: what it saw before is looked at anew."""
    world = ChainWorld(seed, errors=0.0)
    world.freezes = 0.2
    world.run(an_advance("a"), further("b", TOTAL - 10_000), further("b", TOTAL - 10_000))
    check(world)


@pytest.mark.parametrize("seed", range(5))
def test_a_payment_that_may_be_refused_is_not_returned(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """It waits for its number, and ends in ERROR: its money is not given back."""
    monkeypatch.setattr(interleaving, "NUMBER_AFTER", 60.0)
    world = ChainWorld(seed, faults=False)
    receipt = plan(a_request(), an_integration(), FIRST_SEEN).receipt
    old, new = (issued(receipt, id=str(named(name)), total=10_000) for name in ("old", "new"))
    world.stand(chain_id(AN_ORDER, 0), TOTAL, (old, "DONE", 3600.0), (new, "ERROR", 0.0))
    world.run(a_return(), a_return("other"))
    check(world)
    assert not [one for one in world.numbered() if one.related_receipt_id == new.id]


@thorough
@given(seed=SEEDS)
def test_a_returned_chain_is_followed_by_a_new_one(seed: int) -> None:
    """A document that comes late never returns the new chain, and new money never goes to the old one."""
    world = ChainWorld(seed, errors=0.0)
    world.run(an_advance("a"))
    late = a_return("late")
    world.run(a_return(), late, late, an_advance("b", 9_000), further("c", TOTAL - 9_000))
    check(world)
    world.run(late, a_return())
    check(world)
    second = world.chains.get(chain_id(AN_ORDER, 1))
    assert second is None or not second.returns


@thorough
@given(seed=SEEDS)
def test_an_order_is_not_sold_beside_its_chain(seed: int) -> None:
    """The chain stands before the button is pressed; it may be returned meanwhile."""
    world = ChainWorld(seed)
    world.run(an_advance("a"))
    world.run(a_request(), a_request(), further("b", TOTAL - 10_000), a_return())
    check(world)
    sold = [one for one in world.numbered() if one.id == str(sale_receipt_id(AN_ORDER, 0))]
    numbered = {one.id for one in world.numbered()}
    for kept in world.chains.values() if sold else ():
        returned = {payment for payment, back in kept.returns if back in numbered}
        assert {one for one in kept.payments if one in numbered} <= returned, "sold beside its chain"


def test_without_faults_a_chain_of_three_and_its_return() -> None:
    """Nothing is lost, nothing is late."""
    world = ChainWorld(1, faults=False)
    world.run(an_advance("a"), further("b", 5_000, closes=False))
    world.run(further("c", TOTAL - 15_000))
    world.run(a_return())
    check(world)
    assert sum(one.total for one in world.numbered() if not one.is_return) == TOTAL
    assert sum(one.total for one in world.numbered() if one.is_return) == TOTAL


class LateReturns(ChainWorld):
    """Shows a chain's returns only some seconds after they were made; ``status`` is its own until then."""

    status, ends_in = "PARTIAL_PAID", "DONE"
    #: Returns that are shown at once.
    at_once = 0

    def end(self) -> str:
        return self.ends_in

    def chain(self, relation_id: str, secrets: Iterable[str] = ()) -> Relation | None:
        relation = super().chain(relation_id, secrets)
        if relation is None:
            return None
        late = {back for back in relation.returns[self.at_once :] if self.ledger[back].at + 10 > self.now}
        if not late:
            return relation
        shown = {payment: back for payment, back in relation.returned_by.items() if back not in late}
        returns = tuple(back for back in relation.returns if back not in late)
        return replace(relation, status=self.status, returns=returns, returned_by=shown)


def test_a_return_that_is_shown_late_is_posted_once() -> None:
    """Checkbox has said that it made the returns: a look that does not show them is no reason for others."""
    world = LateReturns(1, faults=False)
    world.run(an_advance("a"))
    world.posts = 0
    world.run(a_return())
    assert isinstance(world.deliveries[0].outcome, Fiscalized), world.deliveries[0].outcome
    assert world.posts == 1
    check(world)


def test_a_chain_that_is_cancelled_has_returns_that_are_not_shown_yet() -> None:
    """Of another document: they are waited for, and nothing is posted beside them."""
    world = LateReturns(1, faults=False)
    world.status = "CANCELLED"
    world.run(an_advance("a"))
    world.posts = 0
    world.run(a_return(), a_return("other"))
    assert [isinstance(one.outcome, Fiscalized) for one in world.deliveries] == [True, True]
    assert world.posts == 1
    check(world)


def test_a_refused_return_is_told_with_all_receipts() -> None:
    """Also with those that are shown later."""
    world = LateReturns(1, faults=False)
    world.at_once = 1
    world.run(an_advance("a"))
    world.run(further("b", TOTAL - 10_000))
    world.ends_in = "ERROR"
    world.run(a_return())
    refused = world.deliveries[0].outcome
    assert isinstance(refused, Rejected)
    assert [one["status"] for one in refused.detail["receipts"]] == ["ERROR", "ERROR"]


def test_a_refused_return_is_not_the_end_of_the_next_one() -> None:
    """The chain shows the refused one alone, while the one that was posted now is not shown yet."""
    world = LateReturns(1, faults=False)
    world.run(an_advance("a"))
    world.ends_in = "ERROR"
    world.run(a_return())
    assert isinstance(world.deliveries[0].outcome, Rejected)
    world.ends_in = "DONE"
    world.run(a_return("again"))
    assert isinstance(world.deliveries[0].outcome, Fiscalized), world.deliveries[0].outcome


def test_the_shift_and_the_archive_flag_are_told_before_which_chain() -> None:
    """A return that names none of several chains needs an open shift like any other."""
    world = ChainWorld(1, faults=False)
    world.run(an_advance("a"))
    world.run(a_return())
    world.run(an_advance("b"))

    def code(request: Request) -> Code:
        world.run(request)
        outcome = world.deliveries[0].outcome
        assert isinstance(outcome, Rejected)
        return outcome.code

    unclear = a_return("unclear")
    assert code(unclear) is Code.PREPAYMENT_MISMATCH
    assert code(replace(unclear, order=replace(unclear.order, archived=True))) is Code.ORDER_ARCHIVED
    world.open_shift = None
    assert code(unclear) is Code.SHIFT_NOT_OPEN


class BusyOnce(ChainWorld):
    """Every receipt ends as a test says; the next post is not taken where ``is_busy``."""

    ends_in, is_busy = "DONE", False

    def end(self) -> str:
        return self.ends_in

    def post(self, land: Callable[[float], None]) -> None:
        if self.is_busy:
            self.is_busy = False
            raise Unavailable({"reason": "throttled"})
        super().post(land)


def test_a_return_that_was_not_taken_is_posted_again() -> None:
    """Beside refused returns of another document, which nobody has to wait for."""
    world = BusyOnce(1, faults=False)
    world.run(an_advance("a"))
    world.ends_in = "ERROR"
    world.run(a_return())
    world.ends_in, world.is_busy = "DONE", True
    world.run(a_return("again"))
    assert isinstance(world.deliveries[0].outcome, Fiscalized)
    assert world.deliveries[0].passes < 10
    check(world)
