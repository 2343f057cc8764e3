"""The rules of a chain by themselves; and what message and configuration decide."""

from __future__ import annotations

import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any
from uuid import UUID, uuid4

import pytest

from tests.builders import (
    AN_ORDER,
    FIRST_SEEN,
    VAT_20,
    a_line,
    a_request,
    an_integration,
    an_order,
    card,
    cash,
    configured,
    issued,
)
from tests.fiscal.fakes import NOW, FakeCheckbox, FakeSessions
from worker.fiscal.attempt_state import AttemptState
from worker.fiscal.chain import (
    Chain,
    ChainReason,
    chain_id,
    chain_number,
    is_whole,
    payment_receipt_id,
    refusal,
)
from worker.fiscal.context import content_of
from worker.fiscal.fiscalization import Fiscalization
from worker.fiscal.integrations import CashRounding, Integration
from worker.fiscal.issuing import PassDependencies
from worker.fiscal.number_times import NumberTimes
from worker.fiscal.order import Operation, Payment, Request, ReturnOf
from worker.fiscal.outcomes import Code, IssuedReceipt, Rejected, Relation
from worker.fiscal.planner import plan
from worker.fiscal.receipt import sale_receipt_id
from worker.fiscal.returned_chains import ReturnedChains

PAYMENT = UUID("6079afad-3e34-5679-ae71-24a0c954a25a")
NONE, FIFTY = CashRounding.NONE, CashRounding.ROUND_50
ENABLED = an_integration(prepayments=True)


def a_payment(*payments: Payment, **changes: Any) -> Request:
    return a_request(
        payments=payments, **{"operation": Operation.AFTERPAYMENT, "payment_uuid": PAYMENT, **changes}
    )


def a_chain(
    paid: int, total: int = 27_000, *, receipts: tuple[IssuedReceipt, ...] = (), **changes: Any
) -> Chain:
    """One advance, unless ``receipts`` are others."""
    relation = Relation("r", "PARTIAL_PAID", total, paid, total - paid, ("a",), None, ())
    context = {"content": content_of(an_order())}
    first = issued(plan(a_request(), ENABLED, FIRST_SEEN).receipt, id="a", total=paid, context=context)
    return Chain(replace(relation, **changes), receipts or (first,), ())


def reason(request: Request, chain: Chain, rounding: CashRounding = NONE) -> str | None:
    found = refusal(request, chain, rounding)
    return found and found.detail["reason"]


def test_ids_are_the_orders_alone() -> None:
    """Case does not count; operation, integration and sale do not come into it."""
    assert len({chain_id(AN_ORDER, number) for number in range(5)}) == 5
    assert chain_number(AN_ORDER, chain_id(AN_ORDER, 3).upper()) == 3
    assert chain_number(uuid4(), chain_id(AN_ORDER, 3)) is None
    ids = {payment_receipt_id(AN_ORDER, PAYMENT, attempt) for attempt in range(3)}
    assert len(ids) == 3
    assert sale_receipt_id(AN_ORDER, 0) not in ids


@pytest.mark.parametrize(
    ("payments", "closes", "expected"),
    [
        ([card(17_000)], True, None),
        ([card(16_999)], True, ChainReason.NOT_THE_REST),
        ([card(17_001)], True, ChainReason.NOT_THE_REST),
        ([card(10_000), cash(7_000)], True, None),
        ([card(16_999)], False, None),
        ([card(17_000)], False, ChainReason.NOT_LESS),
    ],
)
def test_the_last_payment_is_the_rest_and_an_advance_is_less(
    payments: list[Payment], closes: bool, expected: str | None
) -> None:
    """To the kopiyka, whatever the form."""
    assert reason(a_payment(*payments, closes=closes), a_chain(10_000)) == expected


@pytest.mark.parametrize(
    ("paid", "payments", "expected"),
    [
        (9_970, [cash(17_030)], None),
        (9_970, [cash(17_050)], None),
        (9_970, [cash(17_000)], ChainReason.NOT_THE_REST),
        (9_970, [card(17_050)], ChainReason.NOT_THE_REST),
        (26_980, [cash(20)], None),  # it would round to nothing, and is not rounded
        (26_980, [cash(50)], ChainReason.NOT_THE_REST),
    ],
)
def test_cash_that_closes_the_chain_is_rounded(
    paid: int, payments: list[Payment], expected: str | None
) -> None:
    """In cash alone."""
    assert reason(a_payment(*payments), a_chain(paid), FIFTY) == expected


def test_the_first_reason_that_fits_is_told() -> None:
    """A second advance, another total, other lines, nothing left, the sum."""
    another = an_order(a_line(amount=28_000, discount=2_000))
    other_lines = an_order(a_line(code="other"))
    paid = a_chain(27_000, left=0)
    assert reason(a_payment(card(1), operation=Operation.PREPAYMENT), paid) == ChainReason.CHAIN_STANDS
    assert reason(a_payment(card(1), order=another), paid) == ChainReason.TOTAL_DIFFERS
    assert reason(a_payment(card(1), order=other_lines), paid) == ChainReason.LINES_DIFFER
    assert reason(a_payment(card(1)), paid) == ChainReason.CHAIN_PAID
    untold = replace(paid, payments=(replace(paid.payments[0], context={}),))
    assert reason(a_payment(card(1), order=other_lines), untold) == ChainReason.CHAIN_PAID
    made = refusal(a_payment(card(1)), paid, NONE)
    assert made is not None
    assert made.receipt_made is True
    assert dict(made.detail) == {
        "reason": "chain_paid",
        "total": "270.00",
        "paid": "270.00",
        "left": "0.00",
        "status": "PARTIAL_PAID",
    }


def test_an_advance_that_was_refused_is_made_anew_in_its_chain() -> None:
    """Where the chain lives by another receipt; it may be all that is left."""
    refused = replace(
        a_chain(0).payments[0], id=str(payment_receipt_id(AN_ORDER, PAYMENT, 0)), status="ERROR", context={}
    )
    chain = a_chain(17_000, receipts=(refused, replace(refused, id="b", status="DONE")))
    again = a_payment(card(10_000), operation=Operation.PREPAYMENT)
    assert reason(again, chain) is None
    assert reason(a_payment(card(10_001), operation=Operation.PREPAYMENT), chain) == ChainReason.NOT_LESS
    assert reason(replace(again, payment_uuid=uuid4()), chain) == ChainReason.CHAIN_STANDS


def test_an_advance_is_known_by_whichever_of_its_refused_receipts_is_in_the_chain() -> None:
    """The first ones stand in chains of their own."""
    again = a_payment(card(10_000), operation=Operation.PREPAYMENT)
    living = a_chain(10_000).payments[0]
    third = str(payment_receipt_id(again.order.uuid, PAYMENT, 2))
    chain = replace(a_chain(10_000), payments=(replace(living, id=third, status="ERROR"), living))
    assert reason(again, chain) is None


def test_a_chain_stands_until_each_payment_is_returned() -> None:
    """By a return with a number; a refused payment needs none."""
    payment = a_chain(10_000).payments[0]
    back = replace(payment, id="ra", related_receipt_id="a", is_return=True)
    under_way = replace(back, status="CREATED", fiscal_code=None)
    refused = replace(back, status="ERROR", fiscal_code=None)
    lost = replace(payment, id="b", status="ERROR")
    chain = Chain(a_chain(10_000).relation, (payment, lost), (back,))
    assert chain.is_returned
    assert not chain.stands
    for returns in ((), (under_way,), (refused,)):
        assert replace(chain, returns=returns).stands
    assert replace(chain, returns=(under_way,)).may_be_returned
    assert not replace(chain, returns=(refused,)).may_be_returned
    assert replace(chain, returns=(refused, back)).is_returned
    assert not Chain(chain.relation, (lost,), ()).stands


@pytest.mark.parametrize(
    ("payments", "rounding", "expected"),
    [
        ([card(27_000)], NONE, True),
        ([card(26_999)], NONE, False),
        ([cash(27_000)], FIFTY, True),
        ([card(13_500), cash(13_500)], FIFTY, True),
    ],
)
def test_a_prepayment_of_the_whole_order_is_its_sale(
    payments: list[Payment], rounding: CashRounding, expected: bool
) -> None:
    assert is_whole(a_payment(*payments), rounding) is expected


def test_rounded_cash_may_be_the_whole_order() -> None:
    """270.30 is 270.50 in cash, and neither more nor less."""
    order = an_order(a_line(amount=27_030, discount=2_970))
    assert [is_whole(a_payment(cash(sum_), order=order), FIFTY) for sum_ in (27_030, 27_040, 27_050)] == [
        True,
        False,
        True,
    ]


def planned(request: Request, integration: Integration = ENABLED) -> Any:
    return plan(request, integration, FIRST_SEEN).receipt


def test_a_payment_is_part_of_what_is_due() -> None:
    """Nothing is rounded and no change is given; more than the order is TOTALS_MISMATCH."""
    advance = planned(a_payment(cash(10_030)), replace(ENABLED, cash_rounding=FIFTY))
    assert (advance.payments[0].value, advance.rounding) == (10_030, NONE)
    for payments in ([card(27_001)], [cash(27_001)], [card(27_000), cash(1)]):
        with pytest.raises(Rejected) as caught:
            planned(a_payment(*payments))
        assert caught.value.code is Code.TOTALS_MISMATCH
    order = an_order(a_line(amount=27_030, discount=2_970))
    rounded = replace(ENABLED, cash_rounding=FIFTY)
    assert planned(a_payment(cash(27_050), order=order), rounded)
    with pytest.raises(Rejected):
        planned(a_payment(cash(27_051), order=order), rounded)


def test_a_label_that_is_no_means_of_payment_is_replaced() -> None:
    """The name of a line is none since 1 March 2025."""
    receipt = planned(a_payment(card(10_000, label="Передплата")))
    assert receipt.payments[0].label == "Картка"


def test_the_return_of_a_chain_is_checked_for_its_shape_alone() -> None:
    """No totals and no taxes; the currency is looked at."""
    back = {"operation": Operation.PREPAYMENT_RETURN, "return_of": ReturnOf(uuid4(), None), "payments": ()}
    strange = an_order(a_line(vat=replace(VAT_20, percent_rate=VAT_20.percent_rate + 1)), total=1)
    assert planned(a_request(order=strange, **back)).lines == ()
    with pytest.raises(Rejected) as caught:
        planned(a_request(order=an_order(currency="EUR"), **back))
    assert caught.value.code is Code.CURRENCY_NOT_SUPPORTED


@pytest.mark.parametrize(
    "operation", [Operation.PREPAYMENT, Operation.AFTERPAYMENT, Operation.PREPAYMENT_RETURN]
)
def test_without_prepayments_they_are_refused_and_nobody_is_asked(operation: Operation) -> None:
    """After the verdicts of message and configuration; whether a receipt was made was not asked."""
    checkbox = FakeCheckbox()
    request = a_payment(
        card(10_000),
        operation=operation,
        return_of=ReturnOf(uuid4(), None) if operation.is_return else None,
    )
    refused = once(checkbox, request)
    assert (refused.code, refused.receipt_made) == (Code.PREPAYMENT_MISMATCH, None)
    assert dict(refused.detail) == {
        "reason": "not_enabled",
        **dict.fromkeys(("total", "paid", "left", "status")),
    }
    assert checkbox.calls == []
    if not operation.is_return:
        unmapped = an_order(a_line(vat=replace(VAT_20, percent_rate=VAT_20.percent_rate + 1)))
        assert once(checkbox, replace(request, order=unmapped)).code is Code.TAX_RATE_NOT_MAPPED


def once(checkbox: FakeCheckbox, request: Request) -> Rejected:
    story = Fiscalization(
        lambda: configured(an_integration()),
        FakeSessions(checkbox),
        PassDependencies(
            archive=None,
            clock=lambda: NOW,
            monotonic=lambda: NOW,
            return_wait=10.0,
            number_times=NumberTimes(),
            duplicate_prevented=lambda: None,
            warn=lambda _: None,
        ),
    )
    with pytest.raises(Rejected) as caught:
        story.fiscalize(request, AttemptState(first_seen=NOW))
    return caught.value


def test_threads_remember_returned_chains_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Also where the oldest must go for each new one."""
    monkeypatch.setattr("worker.fiscal.returned_chains._KEPT", 100)
    interval, chains = sys.getswitchinterval(), ReturnedChains()
    sys.setswitchinterval(1e-6)
    try:
        with ThreadPoolExecutor(4) as threads:
            for done in [threads.submit(_remember, chains, f"{thread}-") for thread in range(4)]:
                done.result()
    finally:
        sys.setswitchinterval(interval)
    assert sum(f"{thread}-{number}" in chains for thread in range(4) for number in range(20_000)) == 100


def _remember(chains: ReturnedChains, prefix: str) -> None:
    for number in range(20_000):
        chains.add(f"{prefix}{number}")
