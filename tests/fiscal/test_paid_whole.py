"""A prepayment in cash that is the whole order by rounding alone, and a rounding that is changed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from tests.builders import AN_ORDER, a_line, a_request, an_order, card, cash
from tests.fiscal.fakes import NOW
from tests.fiscal.interleaving import Crash
from tests.fiscal.test_chain_passes import Timed
from tests.fiscal.test_chain_protocol import named
from worker.fiscal.attempt_state import AttemptState
from worker.fiscal.chain import payment_receipt_id
from worker.fiscal.integrations import CashRounding
from worker.fiscal.issuing import SETTLED_AFTER
from worker.fiscal.order import Operation
from worker.fiscal.outcomes import Code, Fiscalized, Rejected, Unavailable
from worker.fiscal.receipt import sale_receipt_id

#: 270.00 for an order of 270.20: all of it where cash is rounded to 50 kopiykas, else an advance.
REQUEST = a_request(
    order=an_order(a_line(discount=2_980, amount=27_020)),
    payments=(cash(27_000),),
    operation=Operation.PREPAYMENT,
    payment_uuid=named("a"),
)
SALE, ADVANCE = str(sale_receipt_id(AN_ORDER, 0)), str(payment_receipt_id(AN_ORDER, named("a"), 0))
LOST = Unavailable({"reason": "timeout"}, may_have_sold=True)
NONE, FIFTY = CashRounding.NONE, CashRounding.ROUND_50


class Switched(Timed):
    """The rounding is another one after the first post, which lands late where there is no answer."""

    def __init__(self, *roundings: CashRounding, fault: BaseException | None = None) -> None:
        super().__init__()
        self.roundings, self.fault = list(roundings), fault
        self._switch()

    def _switch(self) -> None:
        if self.roundings:
            self.integration = replace(self.integration, cash_rounding=self.roundings.pop(0))

    def post(self, land: Callable[[float], None]) -> None:
        self._switch()
        fault, self.fault = self.fault, None
        if fault is None:
            super().post(land)
            return
        self.under_way.append((self.now + 12, land))
        raise fault


@pytest.mark.parametrize("fault", [None, LOST], ids=["answered", "lost"])
@pytest.mark.parametrize(
    ("roundings", "made"), [((FIFTY, NONE), SALE), ((NONE, FIFTY), ADVANCE)], ids=["sale", "advance"]
)
def test_it_stays_what_it_was_when_it_was_posted(
    roundings: tuple[CashRounding, CashRounding], made: str, fault: Unavailable | None
) -> None:
    """The request is answered with the receipt that it made."""
    world = Switched(*roundings, fault=fault)
    done = world.end_of(REQUEST)
    assert isinstance(done, Fiscalized), done
    assert [one.id for one in world.numbered()] == [made]
    assert [one.id for one in done.receipts] == [made]


@pytest.mark.parametrize(
    ("roundings", "made"), [((FIFTY, NONE), SALE), ((NONE, FIFTY), ADVANCE)], ids=["sale", "advance"]
)
def test_after_a_crash_the_other_kind_is_looked_for(
    roundings: tuple[CashRounding, CashRounding], made: str
) -> None:
    """Nobody knows what was posted: nothing is, before it must be shown."""
    world = Switched(*roundings, fault=Crash())
    refused = world.end_of(REQUEST)
    assert isinstance(refused, Rejected), refused
    assert (refused.code, refused.receipt_made) == (Code.PREPAYMENT_MISMATCH, True)
    assert [one.id for one in world.numbered()] == [made]


@pytest.mark.parametrize("earlier", [{"redelivered": True}, {"replays": 1}], ids=["redelivered", "replayed"])
def test_nothing_is_posted_while_the_other_kind_may_appear(earlier: dict[str, Any]) -> None:
    """Nor after a replay: it knows nothing of the last post before it."""
    world = Switched(FIFTY)
    began = world.now
    done = world.end_of(REQUEST, AttemptState(first_seen=NOW, look_up_first=True, **earlier))
    assert isinstance(done, Fiscalized), done
    assert world.ledger[SALE].at >= began + SETTLED_AFTER


def test_what_rounding_cannot_change_is_not_waited_for() -> None:
    """A redelivered payment by card is looked up at once."""
    world = Switched(FIFTY)
    by_card = replace(REQUEST, payments=(card(27_020),))
    redelivered = AttemptState(first_seen=NOW, look_up_first=True, redelivered=True)
    assert isinstance(world.end_of(by_card, redelivered), Fiscalized)
    assert "receipt_may_appear" not in {wait.reason for wait in world.deliveries[0].waits}
