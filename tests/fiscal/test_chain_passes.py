"""What a pass over a chain's request does with what it read: how long it holds, and what it is good for."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest

from tests.builders import AN_ORDER, FIRST_SEEN, a_request, an_integration, an_order, issued
from tests.fiscal import interleaving
from tests.fiscal.chain_world import ChainWorld
from tests.fiscal.fakes import NOW
from tests.fiscal.interleaving import Delivery
from tests.fiscal.test_chain_protocol import TOTAL, a_return, an_advance, check, further, named
from worker.fiscal.attempt_state import AttemptState
from worker.fiscal.chain import ChainReason, chain_id, payment_receipt_id
from worker.fiscal.context import context_of
from worker.fiscal.issuing import SETTLED_AFTER
from worker.fiscal.order import Operation, Request, ReturnOf
from worker.fiscal.outcomes import (
    Code,
    Fiscalized,
    IssuedReceipt,
    Postponed,
    Rejected,
    Relation,
    Unavailable,
)
from worker.fiscal.planner import plan
from worker.fiscal.ports import ArchiveCheck, Shift
from worker.fiscal.reasons import Wait
from worker.fiscal.receipt import Receipt, return_receipt_id, sale_receipt_id

#: The order's sale, as its return asks for it.
GOODS_BACK = a_request(
    id="goods-back",
    order=an_order(uuid=named("document")),
    operation=Operation.RETURN,
    return_of=ReturnOf(AN_ORDER, None),
)
STATE = AttemptState(first_seen=NOW)
FURTHER = further("b", TOTAL - 10_000)


class Timed(ChainWorld):
    """No faults; a test says what takes long."""

    def __init__(self) -> None:
        super().__init__(1, faults=False)
        #: Seconds of each call to Checkbox, until then.
        self.call_takes, self.slow_until = 0.0, 0.0
        #: Seconds for which the process stands still, once, when it looks at the shift.
        self.freeze = 0.0
        self.archive_takes = 0.0
        self.archived = False
        #: What somebody else does while Bimp is asked.
        self.meanwhile: Callable[[], object] = lambda: None
        #: A receipt that a chain shows, and a look-up does not show until then.
        self.hidden, self.hidden_until = "", 0.0
        self.shows_whole = True
        #: Names of the calls, oldest first.
        self.calls: list[str] = []

    def archive(self) -> ArchiveCheck | None:
        return self

    def is_archived(self, order: UUID) -> bool:
        self.calls.append("archive")
        self.now += self.archive_takes
        self.meanwhile()
        return self.archived

    def acquire_permit(self, again: bool) -> float:
        return 0.0

    def step(self) -> None:
        super().step()
        if self.now < self.slow_until:
            self.now += self.call_takes

    def look_up(self, receipt_id: UUID, secrets: Iterable[str] = ()) -> IssuedReceipt | None:
        found = super().look_up(receipt_id, secrets)
        return None if str(receipt_id) == self.hidden and self.now < self.hidden_until else found

    def chain(self, relation_id: str, secrets: Iterable[str] = ()) -> Relation | None:
        self.calls.append("chain")
        return super().chain(relation_id, secrets)

    def shift(self, good_for: float) -> Shift | None:
        shift, freeze, self.freeze = super().shift(good_for), self.freeze, 0.0
        self._pass_time(freeze)
        return shift

    def end_of(self, request: Request, state: AttemptState | None = None) -> Fiscalized | Rejected:
        """What becomes of the request alone; ``state`` is what an earlier delivery left behind."""
        self.calls, self.posts = [], 0
        self.deliver(Delivery(request, state or STATE))
        outcome = self.deliveries[0].outcome
        assert outcome is not None
        return outcome

    def code_of(self, request: Request) -> Code:
        outcome = self.end_of(request)
        assert isinstance(outcome, Rejected), outcome
        return outcome.code


def with_advance() -> Timed:
    """An advance was taken; its chain stands."""
    world = Timed()
    assert isinstance(world.end_of(an_advance("a")), Fiscalized)
    return world


def with_sale() -> Timed:
    world = Timed()
    assert isinstance(world.end_of(a_request()), Fiscalized)
    return world


CHAIN, SALE = chain_id(AN_ORDER, 0), sale_receipt_id(AN_ORDER, 0)
RECEIPT = plan(a_request(), an_integration(), FIRST_SEEN).receipt
MONEY_ID = payment_receipt_id(AN_ORDER, named("b"), 0)


def planned(request: Request) -> Receipt:
    return plan(request, an_integration(prepayments=True), FIRST_SEEN, lambda _: ()).receipt


@pytest.mark.parametrize("archive_takes", [0.1, 4.5, 8.0])
@pytest.mark.parametrize(
    ("begin", "request_", "reads"),
    [
        pytest.param(Timed, a_request(), 1, id="sale"),
        pytest.param(Timed, an_advance("a"), 2, id="advance"),
        pytest.param(with_advance, FURTHER, 2, id="further money"),
    ],
)
def test_a_slow_archive_check_costs_one_more_read_of_the_chain(
    begin: Callable[[], Timed], request_: Request, reads: int, archive_takes: float
) -> None:
    """It may take longer than one may act on what was read. ``reads``: before the post, and for the event."""
    world = begin()
    world.archive_takes = archive_takes
    assert isinstance(world.end_of(request_), Fiscalized)
    assert (world.posts, world.calls.count("archive")) == (1, 1)
    assert world.calls.count("chain") == reads + (archive_takes > 1)
    check(world)


def test_a_chain_that_was_opened_while_bimp_was_asked_is_seen() -> None:
    """The order is not sold beside it."""
    world = Timed()
    world.archive_takes = 8.0
    advance = planned(an_advance("a"))
    world.meanwhile = lambda: world.open_chain(
        CHAIN, payment_receipt_id(AN_ORDER, named("a"), 0), advance, {}
    )
    assert world.code_of(a_request()) is Code.PREPAYMENT_MISMATCH
    assert str(SALE) not in world.ledger


@pytest.mark.parametrize("archive_takes", [0.1, 8.0])
def test_the_word_of_bimp_comes_after_the_shift_and_the_chain(archive_takes: float) -> None:
    """Where one of these is in the way, Bimp is not asked at all."""
    world = with_advance()
    world.archived, world.archive_takes = True, archive_takes
    assert world.code_of(a_request()) is Code.PREPAYMENT_MISMATCH
    assert world.code_of(an_advance("other")) is Code.PREPAYMENT_MISMATCH
    assert "archive" not in world.calls
    assert world.code_of(FURTHER) is Code.ORDER_ARCHIVED
    assert world.calls == ["chain", "archive"]
    world.open_shift = None
    assert world.code_of(FURTHER) is Code.SHIFT_NOT_OPEN
    assert "archive" not in world.calls
    assert world.posts == 0


@pytest.mark.parametrize(
    ("begin", "request_"),
    [
        pytest.param(Timed, a_request(), id="sale"),
        pytest.param(Timed, an_advance("a"), id="advance"),
        pytest.param(with_advance, FURTHER, id="further money"),
        pytest.param(with_advance, a_return(), id="return of the chain"),
        pytest.param(with_sale, GOODS_BACK, id="return of the sale"),
    ],
)
def test_slow_reads_are_repeated_after_a_pause(begin: Callable[[], Timed], request_: Request) -> None:
    """What was read is too old each time. The pass ends, and the next one is not begun at once."""
    world = begin()
    world.call_takes, world.slow_until = 6.0, world.now + 600
    assert isinstance(world.end_of(request_), Fiscalized)
    too_old = [wait.after for wait in world.deliveries[0].waits if wait.reason is Wait.READ_TOO_LONG_AGO]
    assert len(too_old) > 5
    assert 5 <= min(too_old) <= max(too_old) <= 10
    assert world.posts == 1
    check(world)


def test_a_payment_that_the_chain_has_is_not_refused_for_the_money_that_is_left() -> None:
    """The second press of the button, while the look-up does not show the receipt of the first one yet."""
    world = with_advance()
    assert isinstance(world.end_of(FURTHER), Fiscalized)
    world.hidden, world.hidden_until = str(MONEY_ID), world.now + 15
    done = world.end_of(replace(FURTHER, id="again"))
    assert isinstance(done, Fiscalized), done
    assert done.receipt is not None
    assert (done.receipt.id, world.posts) == (str(MONEY_ID), 0)


def test_a_return_that_was_not_sent_is_not_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    """The session's sign-in took too long to post it, and somebody else returned the chain meanwhile."""
    world = with_advance()
    give_back = world.return_chain

    def not_sent(relation_id: str, receipt: Receipt) -> None:
        give_back(relation_id, receipt)
        raise Postponed(0.0, Wait.READ_TOO_LONG_AGO)

    monkeypatch.setattr(world, "return_chain", not_sent)
    done = world.end_of(a_return())
    assert isinstance(done, Fiscalized)
    assert done.already


def test_a_payment_that_only_the_chain_shows_is_a_case_for_a_person() -> None:
    """This cashier cannot see its receipt; that is told when a read cannot lag behind any more."""
    world = with_advance()
    assert isinstance(world.end_of(FURTHER), Fiscalized)
    world.hidden, world.hidden_until = str(MONEY_ID), world.now + 3600
    assert world.code_of(replace(FURTHER, id="again")) is Code.RECEIPT_MISMATCH
    assert {wait.reason for wait in world.deliveries[0].waits} == {Wait.RECEIPT_NOT_SHOWN_YET}
    assert (world.deliveries[0].passes < 40, world.posts) == (True, 0)


LANDS: dict[str, tuple[Callable[[], Timed], Request, Callable[[Timed], object]]] = {
    "sale": (Timed, a_request(), lambda world: world.sell(SALE, RECEIPT, context_of(a_request(), STATE))),
    "further money": (
        with_advance,
        FURTHER,
        lambda world: world.pay_chain(CHAIN, MONEY_ID, planned(FURTHER)),
    ),
    "return of the chain": (with_advance, a_return(), lambda world: world.return_chain(CHAIN, RECEIPT)),
    "return of the sale": (with_sale, GOODS_BACK, lambda world: give_back(world)),
}


def give_back(world: Timed) -> None:
    related = replace(planned(GOODS_BACK), related_receipt_id=SALE)
    world.sell(return_receipt_id(str(SALE), 0), related, context_of(GOODS_BACK, STATE))


@pytest.mark.parametrize("what", LANDS)
def test_no_verdict_is_final_on_an_old_look(what: str) -> None:
    """The answer of a post was lost; it lands after the look, while the process stands still."""
    begin, request_, land = LANDS[what]
    world = begin()

    def land_late(at: float) -> None:
        land(world)

    world.under_way.append((world.now + 8, land_late))
    world.freeze, world.open_shift = 60.0, None
    lost = replace(STATE, look_up_first=True, unknown_since=world.now)
    outcome = world.end_of(request_, lost)
    assert isinstance(outcome, Fiscalized), outcome
    assert Wait.RECEIPT_MAY_APPEAR in [wait.reason for wait in world.deliveries[0].waits]
    check(world)


@pytest.mark.parametrize("request_", [an_advance("a"), FURTHER], ids=["advance", "further money"])
def test_a_payment_that_was_made_is_the_answer_whatever_is_in_the_way_now(request_: Request) -> None:
    """Another request for it comes for the first time: no shift is open, and its order was archived."""
    world = with_advance()
    assert isinstance(world.end_of(FURTHER), Fiscalized)
    world.open_shift = None
    again = replace(request_, id="again")
    for asked in (again, replace(again, order=replace(again.order, archived=True))):
        done = world.end_of(asked)
        assert isinstance(done, Fiscalized), done
        assert (done.already, world.posts) == (True, 0)
    assert world.code_of(an_advance("other")) is Code.SHIFT_NOT_OPEN


def test_a_payment_whose_return_is_under_way_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """Until the return has its number: then the payment counts no more, and before that nobody knows."""
    world = with_advance()
    monkeypatch.setattr(interleaving, "NUMBER_AFTER", 60.0)
    world.return_chain(CHAIN, RECEIPT)
    assert world.code_of(replace(an_advance("a"), id="again")) is Code.RECEIPT_RETURNED
    assert {wait.reason for wait in world.deliveries[0].waits} == {Wait.RETURN_OF_CHAIN}


@pytest.mark.parametrize("number_after", [2.0, 60.0], ids=["returned", "return under way"])
def test_another_sum_is_told_whatever_became_of_the_chain(
    number_after: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same payment is asked for with another sum; nothing is waited for."""
    world = with_advance()
    monkeypatch.setattr(interleaving, "NUMBER_AFTER", number_after)
    world.return_chain(CHAIN, RECEIPT)
    other_sum = an_advance("a", 9_000, request_id="again")
    refused = world.end_of(other_sum)
    assert isinstance(refused, Rejected)
    assert (refused.code, refused.receipt_made) == (Code.RECEIPT_MISMATCH, True)
    assert refused.detail == {"expected": "90.00", "found": "100.00"}
    assert Wait.RETURN_OF_CHAIN not in {wait.reason for wait in world.deliveries[0].waits}
    assert world.code_of(replace(other_sum, order=an_order(archived=True))) is Code.RECEIPT_MISMATCH


def test_an_archived_order_whose_chain_was_returned_is_told_as_archived() -> None:
    """By the message: that comes before the return of the chain."""
    world = with_advance()
    world.return_chain(CHAIN, RECEIPT)
    again = an_advance("a", request_id="again")
    archived = world.end_of(replace(again, order=an_order(archived=True)))
    assert isinstance(archived, Rejected)
    assert (archived.code, archived.receipt_made) == (Code.ORDER_ARCHIVED, False)
    assert world.code_of(again) is Code.RECEIPT_RETURNED


def test_a_refusal_is_explained_by_the_chain_as_it_is_now() -> None:
    """Somebody else was faster, after the chain was read: Checkbox refuses, in words that nobody knows."""
    world = Timed()
    first = payment_receipt_id(AN_ORDER, named("other"), 0)
    world.meanwhile = lambda: world.open_chain(CHAIN, first, planned(an_advance("other")), {})
    refused = world.end_of(an_advance("a"))
    assert isinstance(refused, Rejected)
    assert (refused.detail["reason"], refused.detail["left"]) == (ChainReason.CHAIN_STANDS, "170.00")
    world = with_advance()
    world.meanwhile = lambda: world.pay_chain(CHAIN, first, planned(further("other", TOTAL - 10_000)))
    refused = world.end_of(FURTHER)
    assert isinstance(refused, Rejected)
    assert (refused.detail["reason"], refused.receipt_made) == (ChainReason.CHAIN_PAID, True)


@pytest.mark.parametrize(
    "earlier",
    [{"redelivered": True}, {"unknown_since": NOW + 3600}, {"replays": 1}],
    ids=["redelivered", "lost", "replayed"],
)
def test_no_return_is_posted_while_that_of_an_earlier_post_may_appear(earlier: dict[str, Any]) -> None:
    """For half a minute: Checkbox gives no id to a return by which it would refuse another one."""
    world = with_advance()
    began = world.now
    done = world.end_of(a_return(), replace(STATE, look_up_first=True, **earlier))
    assert isinstance(done, Fiscalized), done
    assert {wait.reason for wait in world.deliveries[0].waits} >= {Wait.RETURNS_MAY_APPEAR}
    assert world.posts == 1
    assert all(world.ledger[one.id].at >= began + SETTLED_AFTER for one in done.returns)


def test_a_replay_may_post_again_where_a_return_was_refused() -> None:
    """It waits for what may land, as a first post of it does, and is no end by itself."""
    world = with_advance()
    world.return_chain(CHAIN, RECEIPT)
    (_, refused), *_ = world.chains[CHAIN].returns
    world.ledger[refused].end = "ERROR"
    world.calls, began = [], world.now
    done = world.end_of(a_return(), replace(STATE, look_up_first=True, replays=1))
    assert isinstance(done, Fiscalized), done
    assert all(world.ledger[one.id].at >= began + SETTLED_AFTER for one in done.returns)


def test_a_return_that_somebody_else_was_faster_with_is_the_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    """After the chain was read: Checkbox refuses the second post, and the chain shows why."""
    world = with_advance()
    look, faster = world.shift, [world.return_chain]

    def shift(good_for: float) -> Shift | None:
        for post in faster[:1]:
            faster.clear()
            post(CHAIN, RECEIPT)
        return look(good_for)

    monkeypatch.setattr(world, "shift", shift)
    done = world.end_of(a_return("other"))
    assert isinstance(done, Fiscalized), done
    assert (done.already, len(done.returns)) == (True, 1)
    check(world)


def test_an_id_that_is_taken_where_nobody_sees_it_is_posted_once() -> None:
    """By another organization: its receipt is looked for, and never asked for again."""
    world = Timed()
    taken = str(payment_receipt_id(AN_ORDER, named("a"), 0))
    world.add(issued(RECEIPT, id=taken))
    world.hidden, world.hidden_until = taken, world.now + 3600
    assert world.code_of(an_advance("a")) is Code.RECEIPT_MISMATCH
    assert (world.posts, world.chains) == (1, {})


@pytest.mark.parametrize("name", ["pay-a", "again"])
def test_a_receipt_that_was_seen_is_not_missing_later(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its chain cannot be read; the next look lags behind and does not show it, and no shift is open."""
    world = with_advance()
    world.open_shift = None
    seen, look = str(payment_receipt_id(AN_ORDER, named("a"), 0)), world.chain

    def chain(relation_id: str, secrets: Iterable[str] = ()) -> Relation | None:
        if not world.hidden:
            world.hidden, world.hidden_until = seen, world.now + 15
            raise Unavailable({"reason": "reset"})
        return look(relation_id, secrets)

    monkeypatch.setattr(world, "chain", chain)
    done = world.end_of(an_advance("a", request_id=name), replace(STATE, look_up_first=True))
    assert isinstance(done, Fiscalized), done
    assert done.receipt is not None
    assert (done.receipt.id, done.already) == (seen, name == "again")
