"""Random chains: whatever comes twice, crashes, is archived or returned, what was told is what there is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.builders import an_order
from tests.fiscal.chain_world import ChainWorld, Kept
from tests.fiscal.interleaving import Delivery
from tests.fiscal.test_chain_protocol import (
    SEEDS,
    TOTAL,
    a_return,
    an_advance,
    check,
    further,
    named,
    receipts_of,
)
from worker.fiscal.order import Request
from worker.fiscal.outcomes import Code, Fiscalized, Rejected

some = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@dataclass(frozen=True)
class Press:
    """A payment is asked for: by the same message again or by another one, of an archived order or not."""

    is_copy: bool
    archived: bool


@dataclass(frozen=True)
class Story:
    """The payments of an order with the money of each, how often each is asked for, and its returns."""

    amounts: Sequence[int]
    #: Whether the last payment is the rest.
    is_closed: bool
    presses: Sequence[Sequence[Press]]
    #: How often each return document comes.
    documents: Sequence[int]

    def messages(self, chain: str) -> list[Request]:
        """``chain`` tells its payments and documents from those of another one."""
        last = len(self.amounts) - 1
        found = []
        for number, money in enumerate(self.amounts):
            name, closes = f"{chain}{number}", self.is_closed and number == last
            request = further(name, money, closes=closes) if number else an_advance(name, money)
            for time, press in enumerate(self.presses[number]):
                order = an_order(archived=press.archived)
                kind = f"{name}{'-archived' * press.archived}"
                found.append(replace(request, id=kind if press.is_copy else f"{kind}-{time}", order=order))
        copies = [(f"{chain}{number}", times) for number, times in enumerate(self.documents)]
        return found + [a_return(name) for name, times in copies for _ in range(times)]


@st.composite
def stories(draw: st.DrawFn) -> Story:
    amounts = draw(st.lists(st.integers(1, TOTAL // 5), min_size=1, max_size=4))
    is_closed = len(amounts) > 1 and draw(st.booleans())
    if is_closed:
        amounts[-1] = TOTAL - sum(amounts[:-1])
    press = st.builds(Press, is_copy=st.booleans(), archived=st.integers(0, 5).map(lambda one: one == 0))
    presses = [draw(st.lists(press, min_size=1, max_size=3)) for _ in amounts]
    return Story(amounts, is_closed, presses, draw(st.lists(st.integers(1, 2), max_size=2)))


@dataclass
class Told:
    """What Bimp was told, over all runs."""

    deliveries: list[Delivery] = field(default_factory=list)

    def receipts(self) -> set[str]:
        done = [one.outcome for one in self.deliveries if isinstance(one.outcome, Fiscalized)]
        return {one.receipt.id for one in done if one.receipt is not None}

    def requests(self, payment: str) -> list[Request]:
        return [one.request for one in self.deliveries if one.request.payment_uuid == named(payment)]

    def codes(self, payment: str) -> set[Code]:
        outcomes = [one.outcome for one in self.deliveries if one.request.payment_uuid == named(payment)]
        return {one.code for one in outcomes if isinstance(one, Rejected)}

    def run(self, world: ChainWorld, *requests: Request) -> None:
        world.run(*requests)
        world.deliveries = self.deliveries = self.deliveries + world.deliveries
        check(world)


@some
@given(seed=SEEDS, first=stories(), second=stories())
def test_what_was_told_is_what_there_is(seed: int, first: Story, second: Story) -> None:
    """A payment is in its chain if it was told as made, or as returned; its sum is that of its messages."""
    world, told = ChainWorld(seed, errors=0.0), Told()
    told.run(world, *first.messages("a"))
    told.run(world, *second.messages("b"))
    numbered = {one.id: one for one in world.numbered()}
    for kept in world.chains.values():
        untold = {one for one in kept.payments if one in numbered} - told.receipts()
        assert not untold or kept.returns, "made, not told, and not returned"
        _check_returned(kept, world, told)
    for chain, story in (("a", first), ("b", second)):
        for number, money in enumerate(story.amounts):
            _check_payment(f"{chain}{number}", money, world, told)


def _check_payment(name: str, money: int, world: ChainWorld, told: Told) -> None:
    """Made and told, or made, returned and told as such; or not made."""
    made, codes = receipts_of(world, named(name)), told.codes(name)
    assert [one.total for one in made] == [money] * len(made)
    if not made:
        # Rejected by Checkbox where another message changed the chain after it was read.
        assert codes <= {Code.PREPAYMENT_MISMATCH, Code.ORDER_ARCHIVED, Code.RECEIPT_REJECTED}
    elif made[0].id not in told.receipts():
        assert Code.RECEIPT_RETURNED in codes
    if all(one.order.archived for one in told.requests(name)):
        assert (made, codes) == ([], {Code.ORDER_ARCHIVED})


def _check_returned(kept: Kept, world: ChainWorld, told: Told) -> None:
    """Where a return was told, all of the chain's money was given back, and no more."""
    numbered = {one.id: one for one in world.numbered()}
    done = [one.outcome for one in told.deliveries if isinstance(one.outcome, Fiscalized)]
    returned = [one.relation for one in done if one.returns and one.relation]
    is_told = any(world.chains[one.id] is kept for one in returned)
    paid = sum(numbered[one].total for one in kept.payments if one in numbered)
    back = sum(numbered[one].total for _, one in kept.returns if one in numbered)
    assert back == (paid if kept.returns else 0)
    assert is_told or not kept.returns or len(world.chains) > 1


@some
@given(seed=SEEDS, story=stories())
def test_also_where_the_tax_service_refuses_some(seed: int, story: Story) -> None:
    """No payment is two receipts, no chain takes more than the order, none of it is returned twice."""
    Told().run(ChainWorld(seed), *story.messages("a"))
