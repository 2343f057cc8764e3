"""Prepayment chains at the sandbox: each reason of a refusal with its detail, and what each request costs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID, uuid4

import pytest

from tests.builders import FIRST_SEEN, a_line, a_request, an_order, card
from tests.checkbox.desk import OLENA, Desk
from tests.checkbox.passes import Passes
from worker.checkbox.client import CheckboxClient
from worker.demo.sandbox_process import SandboxProcess
from worker.fiscal.chain import ChainReason, chain_id
from worker.fiscal.order import Operation, Order, Request, ReturnOf
from worker.fiscal.outcomes import Code, Rejected
from worker.fiscal.planner import plan

#: What each order comes to, and its advance.
TOTAL, ADVANCE = 270_00, 100_00


@dataclass
class Shop:
    """An order of 270.00 at a cashier's, who has sold before: his token, shift and taxes are known."""

    desk: Desk
    client: CheckboxClient
    passes: Passes
    order: Order

    def process(self) -> Passes:
        """Another one, that has sold before as well."""
        another = Passes(self.client, self.passes.integration)
        another.done(a_request(order=an_order(uuid=uuid4())))
        return another

    def asks(self, operation: Operation, amount: int, **changes: Any) -> Request:
        payments = (card(amount),) if amount else ()
        return a_request(**{"order": self.order, "operation": operation, "payments": payments, **changes})

    def advance(self, amount: int = ADVANCE, **changes: Any) -> Request:
        return self.asks(Operation.PREPAYMENT, amount, **{"payment_uuid": uuid4(), **changes})

    def further(self, amount: int = TOTAL - ADVANCE, **changes: Any) -> Request:
        return self.asks(Operation.AFTERPAYMENT, amount, **{"payment_uuid": uuid4(), **changes})

    def sale(self) -> Request:
        return self.asks(Operation.SELL, TOTAL)

    def returned(
        self, operation: Operation = Operation.PREPAYMENT_RETURN, relation: str | None = None, **changes: Any
    ) -> Request:
        amount = 0 if operation is Operation.PREPAYMENT_RETURN else TOTAL
        of = ReturnOf(self.order.uuid, None, relation)
        document = replace(self.order, uuid=uuid4())
        return self.asks(operation, amount, **{"order": document, "return_of": of, **changes})

    def requests(self) -> Counter[str]:
        counts = self.desk.sandbox.counters()["requests"]
        return Counter({endpoint: sum(told.values()) for endpoint, told in counts.items()})

    def cost(self, request: Request, passes: Passes | None = None) -> Counter[str]:
        """Requests to Checkbox until it is done."""
        before = self.requests()
        (passes or self.passes).done(request)
        return self.requests() - before


@pytest.fixture(scope="module")
def running() -> Iterator[SandboxProcess]:
    with SandboxProcess(cashiers=1) as process:
        yield process


@pytest.fixture
def shop(running: SandboxProcess) -> Iterator[Shop]:
    with CheckboxClient() as client:
        desk = Desk(running, client)
        desk.opened(hours_ago=1)
        integration = replace(desk.integration, prepayments=True, cashiers={"olena": OLENA})
        shop = Shop(desk, client, Passes(client, integration), an_order(uuid=uuid4()))
        shop.passes = shop.process()
        yield shop


# The reasons: what stands, what is asked, and what is told of the chain.


def nothing(shop: Shop) -> None:
    """The order is new."""


def sold(shop: Shop) -> None:
    shop.passes.done(shop.sale())


def begun(shop: Shop) -> None:
    shop.passes.done(shop.advance())


def paid(shop: Shop) -> None:
    begun(shop)
    shop.passes.done(shop.further())


def returned(shop: Shop) -> None:
    paid(shop)
    shop.passes.done(shop.returned())


def begun_anew(shop: Shop) -> None:
    returned(shop)
    begun(shop)


def switched_off(shop: Shop) -> None:
    shop.passes.integration = replace(shop.passes.integration, prepayments=False)


def begun_and_switched_off(shop: Shop) -> None:
    """Then nobody asks for the chain."""
    begun(shop)
    switched_off(shop)


NO_CHAIN = (None, None, None, None)
BEGUN = ("270.00", "100.00", "170.00", "PARTIAL_PAID")
PAID = ("270.00", "270.00", "0.00", "FULL_PAID")
OTHER_LINES = an_order(a_line(code="other"))
OTHER_TOTAL = an_order(a_line(amount=271_00, cost=1_505_000))
Ask = Callable[[Shop], Request]


def of_receipt(shop: Shop) -> Request:
    """A plain return that names a receipt of the chain."""
    relation = shop.client.chains.read(shop.desk.sandbox.url, token_of(shop), chain_id(shop.order.uuid, 0))
    assert relation is not None
    return shop.returned(Operation.RETURN, return_of=ReturnOf(None, UUID(relation.payments[0])))


def token_of(shop: Shop) -> str:
    with shop.passes.sessions.enter(shop.passes.integration, OLENA) as session:
        return session.token()


def like(order: Order, shop: Shop) -> Order:
    return replace(order, uuid=shop.order.uuid)


REASONS: list[tuple[ChainReason, Callable[[Shop], None], Ask, tuple[str | None, ...], bool | None]] = [
    (ChainReason.NOT_ENABLED, switched_off, Shop.advance, NO_CHAIN, None),
    (ChainReason.NOT_ENABLED, switched_off, Shop.further, NO_CHAIN, None),
    (ChainReason.NOT_ENABLED, switched_off, Shop.returned, NO_CHAIN, None),
    (ChainReason.WHICH_CHAIN, begun_anew, Shop.returned, NO_CHAIN, False),
    (ChainReason.ORDER_SOLD, sold, Shop.advance, NO_CHAIN, True),
    (ChainReason.ORDER_SOLD, sold, Shop.further, NO_CHAIN, True),
    (ChainReason.CHAIN_STANDS, begun, Shop.sale, BEGUN, True),
    (ChainReason.CHAIN_STANDS, paid, Shop.sale, PAID, True),
    (ChainReason.CHAIN_STANDS, begun, lambda shop: shop.advance(TOTAL), BEGUN, True),
    (ChainReason.CHAIN_STANDS, begun, Shop.advance, BEGUN, False),
    (ChainReason.CHAIN_STANDS, begun, lambda shop: shop.returned(Operation.RETURN), BEGUN, False),
    (ChainReason.CHAIN_STANDS, begun, of_receipt, BEGUN, False),
    (ChainReason.CHAIN_STANDS, begun_and_switched_off, of_receipt, NO_CHAIN, False),
    (ChainReason.NO_CHAIN, nothing, Shop.further, NO_CHAIN, False),
    (ChainReason.NO_CHAIN, nothing, Shop.returned, NO_CHAIN, False),
    (ChainReason.NO_CHAIN, begun, lambda shop: shop.returned(relation=str(uuid4())), NO_CHAIN, False),
    (ChainReason.NO_CHAIN, returned, Shop.further, NO_CHAIN, False),
    (
        ChainReason.TOTAL_DIFFERS,
        begun,
        lambda shop: shop.further(order=like(OTHER_TOTAL, shop)),
        BEGUN,
        False,
    ),
    (ChainReason.LINES_DIFFER, begun, lambda shop: shop.further(order=like(OTHER_LINES, shop)), BEGUN, False),
    (ChainReason.CHAIN_PAID, paid, lambda shop: shop.further(1), PAID, True),
    (ChainReason.NOT_THE_REST, begun, lambda shop: shop.further(169_99), BEGUN, False),
    (ChainReason.NOT_THE_REST, begun, lambda shop: shop.further(170_01), BEGUN, False),
    (ChainReason.NOT_LESS, begun, lambda shop: shop.further(closes=False), BEGUN, False),
    (ChainReason.NOT_LESS, begun, lambda shop: shop.further(170_01, closes=False), BEGUN, False),
]


@pytest.mark.parametrize(
    ("reason", "prepare", "ask", "sums", "made"),
    REASONS,
    ids=[f"{one[0]}-{n}" for n, one in enumerate(REASONS)],
)
def test_each_reason_has_its_detail(
    shop: Shop,
    reason: ChainReason,
    prepare: Callable[[Shop], None],
    ask: Ask,
    sums: tuple[str | None, ...],
    made: bool | None,
) -> None:
    """Sums are null where no chain is meant; whether the order has receipts is told. Nothing is made."""
    prepare(shop)
    request, before = ask(shop), shop.desk.sandbox.ledger()
    refused = shop.passes.refused(request)
    names = ("total", "paid", "left", "status")
    expected = {"reason": reason.value, **dict(zip(names, sums, strict=True))}
    assert (refused.code, dict(refused.detail)) == (Code.PREPAYMENT_MISMATCH, expected)
    assert refused.receipt_made is made
    assert shop.desk.sandbox.ledger() == before


def test_no_reason_is_left_out() -> None:
    assert {one[0] for one in REASONS} == set(ChainReason)


OTHER_REFUSALS: list[tuple[Code, Callable[[Shop], Request]]] = [
    (Code.RECEIPT_MISMATCH, lambda shop: _again(shop, shop.advance(), ADVANCE - 1)),
    (Code.RECEIPT_MISMATCH, lambda shop: _again(shop, shop.advance(), ADVANCE - 1, Operation.AFTERPAYMENT)),
    (Code.RECEIPT_RETURNED, lambda shop: _after_its_return(shop)),
]


@pytest.mark.parametrize(("code", "prepare"), OTHER_REFUSALS)
def test_a_payment_that_was_made_before(shop: Shop, code: Code, prepare: Callable[[Shop], Request]) -> None:
    """With another sum; or its chain was returned, and another request asks."""
    request = prepare(shop)
    before = shop.desk.sandbox.ledger()
    assert shop.passes.refused(request).code is code
    assert shop.desk.sandbox.ledger() == before


def _again(shop: Shop, request: Request, amount: int, operation: Operation = Operation.PREPAYMENT) -> Request:
    shop.passes.done(request)
    return replace(request, id="again", payments=(card(amount),), operation=operation)


def _after_its_return(shop: Shop) -> Request:
    request = shop.advance()
    shop.passes.done(request)
    shop.passes.done(shop.returned())
    return replace(request, id="again")


# What it costs beyond the post and the look of a plain sale.


def test_what_each_request_costs(shop: Shop) -> None:
    """On the wire: an advance three, further money two, a sale one; without prepayments nothing.

    Where a chain shows only the ids of its receipts, each of them is read as well.
    """
    shop.desk.sandbox.set_options(relation_receipts="whole")
    plain = Passes(shop.client, replace(shop.passes.integration, prepayments=False))
    plain.done(a_request(order=an_order(uuid=uuid4())))
    least = shop.cost(a_request(order=an_order(uuid=uuid4())), plain).total()
    assert least <= 2

    def beyond(request: Request, passes: Passes | None = None) -> int:
        return shop.cost(request, passes).total() - least

    assert beyond(a_request(order=an_order(uuid=uuid4()))) == 1
    assert beyond(shop.advance()) == 3
    assert beyond(shop.further(50_00, closes=False)) == 2
    assert beyond(shop.further(120_00)) == 2
    for _ in range(2):
        shop.passes.done(shop.returned(relation=_standing(shop)))
        shop.passes.done(shop.advance())
        shop.passes.done(shop.further())
    shop.passes.done(shop.returned(relation=_standing(shop)))
    # This process has seen three chains returned; another one reads each of them, and its returns.
    assert beyond(shop.advance()) == 3
    shop.passes.done(shop.returned(relation=_standing(shop)))
    another = shop.process()
    returns = 3 + 2 + 2 + 1
    assert beyond(shop.sale(), another) == 1 + 4 + returns
    assert beyond(a_request(order=an_order(uuid=uuid4())), another) == 1


def _standing(shop: Shop) -> str:
    """The id of the order's last chain."""
    url, token, number = shop.desk.sandbox.url, token_of(shop), 0
    while shop.client.chains.read(url, token, chain_id(shop.order.uuid, number + 1)) is not None:
        number += 1
    return chain_id(shop.order.uuid, number)


# Money that somebody else puts into the chain: a person at the till, or Checkbox's own watch of a parcel.


def elsewhere(shop: Shop, amount: int) -> None:
    request = shop.further(amount)
    receipt = plan(request, shop.passes.integration, FIRST_SEEN).receipt
    relation_id = chain_id(shop.order.uuid, 0)
    shop.client.chains.pay(shop.desk.sandbox.url, token_of(shop), relation_id, uuid4(), receipt)


def test_the_rest_that_was_taken_elsewhere_is_not_taken_again(shop: Shop) -> None:
    """Whoever comes first closes the chain, and Checkbox takes no more than is left of it."""
    begun(shop)
    elsewhere(shop, 170_00)
    assert shop.passes.refused(shop.further()).detail["reason"] == ChainReason.CHAIN_PAID
    assert len(shop.passes.done(shop.returned()).returns) == 2
    shop.order = an_order(uuid=uuid4())
    paid(shop)
    with pytest.raises(Rejected):
        elsewhere(shop, 170_00)


def test_part_of_the_rest_that_was_taken_elsewhere_is_no_part_of_ours(shop: Shop) -> None:
    """What is left is read before the post."""
    begun(shop)
    elsewhere(shop, 50_00)
    refused = shop.passes.refused(shop.further())
    assert (refused.detail["reason"], refused.detail["left"]) == (ChainReason.NOT_THE_REST, "120.00")
    done = shop.passes.done(shop.further(120_00))
    assert done.relation is not None
    assert (done.relation.left, len(done.relation.payments)) == (0, 3)
