"""Whose a receipt is, where Checkbox does not show which request made it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import pytest

from tests.builders import a_line, a_request
from tests.fiscal import interleaving
from tests.fiscal.interleaving import Delivery
from tests.fiscal.test_chain_passes import FURTHER, MONEY_ID, Timed, with_advance
from tests.fiscal.test_issuing import Scenario, ledger, made
from worker.fiscal.outcomes import Code, Fiscalized, Relation, Unavailable

UNNUMBERED = made(status="CREATED", fiscal_code=None, context={})
AGAIN = replace(FURTHER, id="again")


def test_waiting_for_the_number_of_anothers_receipt_makes_it_nobodys_own() -> None:
    """The order was changed and asked for again before the first sale had its number."""
    scenario = Scenario(ledger(UNNUMBERED))
    changed = a_request(a_line(count=1_000, discount=0, amount=15_000), id="request-2")
    wait, state = scenario.rescheduled(changed)
    assert wait.reason == "number"
    scenario.checkbox.finish()
    assert scenario.code(changed, state) is Code.RECEIPT_MISMATCH


def test_the_request_that_posted_knows_its_receipt_by_the_id() -> None:
    """Its message came again with other lines; what was made is the answer."""
    scenario = Scenario(ledger(gives_context=False))
    _, state = scenario.rescheduled()
    scenario.checkbox.finish()
    changed = a_request(a_line(count=1_000, discount=0, amount=15_000))
    assert scenario.once(changed, state).already is False


def told(world: Timed) -> dict[str, bool]:
    """Whether each request for the money was told that it had been there before."""
    outcomes = {one.request.id: one.outcome for one in world.deliveries}
    return {name: one.already for name, one in outcomes.items() if isinstance(one, Fiscalized)}


def test_money_that_is_asked_for_twice_is_counted_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """A further payment has no context: the second press waits for the number of the first one's receipt."""
    world = with_advance()
    monkeypatch.setattr(interleaving, "NUMBER_AFTER", 40.0)
    world.deliver(Delivery(FURTHER), Delivery(AGAIN))
    assert sorted(told(world).values()) == [False, True]
    assert str(MONEY_ID) in world.ledger


def test_a_chain_that_cannot_be_read_makes_nobody_the_owner(monkeypatch: pytest.MonkeyPatch) -> None:
    """The second press has seen the receipt; the passes after the fault remember whose it is not."""
    world = with_advance()
    assert isinstance(world.end_of(FURTHER), Fiscalized)
    look, faults = world.chain, [Unavailable({"reason": "reset"})]

    def chain(relation_id: str, secrets: Iterable[str] = ()) -> Relation | None:
        if faults and "chain" in world.calls:  # it was read before the post that was not made
            raise faults.pop()
        return look(relation_id, secrets)

    monkeypatch.setattr(world, "chain", chain)
    done = world.end_of(AGAIN)
    assert isinstance(done, Fiscalized)
    assert (faults, done.already) == ([], True)
