"""Checkbox's calls for prepayments: bodies, answers, and the sandbox's own rules."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any
from uuid import UUID, uuid4

import pytest

from tests.builders import FIRST_SEEN, a_line, a_request, an_integration, an_order, card, cash
from tests.checkbox.receipts import BY_PASSWORD
from tests.checkbox.scripted_server import ScriptedServer, answer
from worker.checkbox import wire
from worker.checkbox.answers import Unreadable
from worker.checkbox.client import CheckboxClient
from worker.checkbox.failures import is_sure_no_chain
from worker.checkbox.receipt_search import by_receipt_id, receipts_of
from worker.checkbox.relation_answers import read_relation
from worker.checkbox.transport import BODY_LIMIT
from worker.demo.sandbox_process import SandboxProcess
from worker.fiscal.chain import chain_id
from worker.fiscal.integrations import CashRounding
from worker.fiscal.order import Operation, Payment
from worker.fiscal.outcomes import Code, IssuedReceipt, Rejected, Relation
from worker.fiscal.planner import plan
from worker.fiscal.ports import ReceiptExists
from worker.fiscal.receipt import Receipt

CONTEXT: dict[str, str | int] = {"request": "r", "replay": 0}
FIRST, LAST, BACK = (str(UUID(int=number)) for number in (1, 2, 3))
RELATION: dict[str, Any] = {
    "relation_id": "chain-0001",
    "pre_payment_status": "PARTIAL_PAID",
    "total_sum": 15500,
    "paid_sum": 10000,
    "left_to_pay": 5500,
    "receipt_chain": {
        "pre_payment_receipts": [FIRST],
        "after_payment_receipt": None,
        "returned_receipts": [],
        "returned_receipts_mapping": {},
    },
}


def money(*payments: Payment) -> Receipt:
    """Payments for an order of 155.00."""
    order = an_order(a_line(count=1_000, cost=1_550_000, discount=0, amount=15_500))
    request = a_request(
        order=order, payments=payments, operation=Operation.AFTERPAYMENT, payment_uuid=uuid4()
    )
    return plan(request, an_integration(prepayments=True), FIRST_SEEN).receipt


class Desk:
    """A signed-in cashier, and a chain of his."""

    def __init__(self, sandbox: SandboxProcess, client: CheckboxClient) -> None:
        self.sandbox, self.client, self.relation_id = sandbox, client, f"chain-{uuid4()}"
        sandbox.put_cashier("olena", password=BY_PASSWORD.password.get_secret_value())  # type: ignore[union-attr]
        self.token = client.sign_in(sandbox.url, BY_PASSWORD)

    def open(
        self,
        *payments: Payment,
        receipt_id: UUID | None = None,
        relation: str | None = None,
        context: dict[str, str | int] = CONTEXT,
    ) -> IssuedReceipt:
        named = relation or self.relation_id
        return self.client.chains.open(
            self.sandbox.url, self.token, named, receipt_id or uuid4(), money(*payments), context
        )

    def pay(self, receipt: Receipt) -> IssuedReceipt:
        return self.client.chains.pay(self.sandbox.url, self.token, self.relation_id, uuid4(), receipt)

    def give_back(self) -> None:
        self.client.chains.give_back(self.sandbox.url, self.token, self.relation_id, money(card(1)))

    def read(self) -> Relation:
        found = self.client.chains.read(self.sandbox.url, self.token, self.relation_id)
        assert found is not None
        return found

    def refused(self, ask: Any, *arguments: Any) -> None:
        with pytest.raises(Rejected) as caught:
            ask(*arguments)
        assert caught.value.code is Code.RECEIPT_REJECTED


@pytest.fixture(scope="module")
def sandbox() -> Iterator[SandboxProcess]:
    with SandboxProcess(cashiers=1, options={"done_after": 0.0, "throttle": False}) as process:
        yield process


@pytest.fixture
def desk(sandbox: SandboxProcess) -> Iterator[Desk]:
    """An open shift, and nothing sold yet."""
    with CheckboxClient() as client:
        sandbox.reset()
        desk = Desk(sandbox, client)
        sandbox.open_shift("olena")
        yield desk


@pytest.mark.parametrize("lines", ["one", "goods"])
@pytest.mark.parametrize("form", ["whole", "ids"])
def test_a_chain_is_opened_paid_and_returned(desk: Desk, form: str, lines: str) -> None:
    """155.00 = 100.00 + 55.00; each receipt comes to its own money, whatever its lines."""
    desk.sandbox.set_options(relation_receipts=form, closing_lines=lines)
    assert desk.client.chains.read(desk.sandbox.url, desk.token, desk.relation_id) is None
    first = desk.open(card(10_000))
    assert (first.total, first.relation_id) == (10_000, desk.relation_id)
    opened = desk.read()
    assert (opened.status, opened.total, opened.paid, opened.left) == ("PARTIAL_PAID", 15_500, 10_000, 5_500)
    assert (opened.payments, opened.closing, opened.returns) == ((first.id,), None, ())
    last = desk.pay(money(card(5_500)))
    assert last.total == 5_500
    paid = desk.read()
    assert (paid.status, paid.left, paid.closing) == ("FULL_PAID", 0, last.id)
    assert paid.payments == (first.id, last.id)
    if form == "whole":
        assert paid.shown[first.id].context == CONTEXT
        assert not paid.shown[last.id].context
    desk.give_back()
    returned = desk.read()
    assert returned.status == "CANCELLED"
    assert dict(returned.returned_by) == dict(zip(paid.payments, returned.returns, strict=True))
    back = desk.client.receipt(desk.sandbox.url, desk.token, UUID(returned.returns[0]))
    assert back is not None
    assert (back.is_return, back.related_receipt_id, back.total) == (True, first.id, 10_000)


def test_what_does_not_fit_is_refused(desk: Desk) -> None:
    """An advance of all, more than is left, a closed chain, an id that was used, also after the return."""
    desk.refused(desk.open, card(15_500))
    payment = uuid4()
    desk.open(card(10_000), receipt_id=payment)
    desk.refused(desk.open, card(1_000))
    refusals: dict[str, type[Exception]] = {"exists": ReceiptExists, "refused": Rejected}
    for repeated, refusal in refusals.items():
        desk.sandbox.set_options(repeated_payment=repeated)
        with pytest.raises(refusal):
            desk.open(card(1_000), receipt_id=payment, relation=f"chain-{uuid4()}")
    desk.refused(desk.pay, money(card(5_501)))
    desk.pay(money(card(500)))
    desk.pay(money(card(5_000)))
    desk.refused(desk.pay, money(card(1)))
    desk.give_back()
    desk.refused(desk.give_back)
    desk.refused(desk.open, card(1_000))


def test_rounded_cash_closes_a_chain(desk: Desk) -> None:
    """55.30 are 55.50 in cash; the receipt comes to what was left."""
    desk.open(card(9_970))
    rounded = wire_rounded(money(cash(5_530)), 5_550)
    last = desk.pay(rounded)
    assert (last.total, desk.read().status) == (5_530, "FULL_PAID")


def wire_rounded(receipt: Receipt, value: int) -> Receipt:
    payment = replace(receipt.payments[0], value=value)
    return replace(receipt, payments=(payment,), rounding=CashRounding.ROUND_50, total=5_530)


def test_an_order_is_explained_with_the_receipts_of_its_chains(desk: Desk) -> None:
    """Payments as they were made, then their returns; each of these leads to all of them.

    Without `prepayments` nobody asks for chains.
    """
    order = uuid4()
    desk.relation_id = chain_id(order, 0)
    desk.open(card(10_000), context={**CONTEXT, "document": str(order)})
    desk.pay(money(card(5_500)))
    desk.give_back()
    shop = an_integration(prepayments=True, checkbox_url=desk.sandbox.url)
    found = list(receipts_of(desk.client, desk.token, shop, BY_PASSWORD, order))
    expected = [Operation.PREPAYMENT, Operation.AFTERPAYMENT, *[Operation.PREPAYMENT_RETURN] * 2]
    assert [one.operation for one in found] == expected
    for named in found:
        by_id = by_receipt_id(desk.client, desk.token, shop, BY_PASSWORD, UUID(named.receipt.id))
        assert [one.receipt.id for one in by_id] == [one.receipt.id for one in found]
        assert named.relation is not None
        assert (named.relation.paid, named.relation.left) == (15_500, 0)
    plain = replace(shop, prepayments=False)
    assert list(receipts_of(desk.client, desk.token, plain, BY_PASSWORD, order)) == []


def test_later_posts_name_money_alone() -> None:
    """Goods, discounts and context are those of the first receipt; the return has no id of ours."""
    receipt = money(card(5_500))
    first = json.loads(wire.prepayment_body("chain-0001", UUID(FIRST), receipt, CONTEXT))
    assert first.pop("custom_relation_id") == "chain-0001"
    assert first == json.loads(wire.sell_body(UUID(FIRST), receipt, CONTEXT))
    assert set(json.loads(wire.afterpayment_body(UUID(LAST), receipt))) == {"id", "payments", "footer"}
    assert json.loads(wire.chain_return_body(receipt)) == {"skip_total_cash_validation": False}


@pytest.mark.parametrize(
    "changes",
    [
        {"relation_id": "another"},
        {"relation_id": None},
        {"pre_payment_status": None},
        {"total_sum": None},
        {"paid_sum": "much"},
        {"left_to_pay": None},
        {"receipt_chain": None},
        {"receipt_chain": {**RELATION["receipt_chain"], "pre_payment_receipts": []}},
        {"receipt_chain": {**RELATION["receipt_chain"], "pre_payment_receipts": None}},
        {"receipt_chain": {**RELATION["receipt_chain"], "pre_payment_receipts": ["42"]}},
        {"receipt_chain": {**RELATION["receipt_chain"], "returned_receipts": {"a": 1}}},
    ],
)
def test_less_than_a_whole_relation_is_no_relation(changes: dict[str, Any]) -> None:
    """Then nothing is known, and not that there is no chain."""
    with pytest.raises(Unreadable):
        read_relation({**RELATION, **changes}, "chain-0001")


def test_of_a_chain_that_rounded_cash_has_overpaid_nothing_is_left() -> None:
    """The events have no sums below 0."""
    changes = {"pre_payment_status": "FULL_PAID", "paid_sum": 15_504, "left_to_pay": -4}
    assert read_relation({**RELATION, **changes}, "chain-0001").left == 0


def test_a_relation_is_read_as_tolerantly_as_a_receipt() -> None:
    """What is left of a paid chain may be left out; receipts may come whole where ids are due."""
    chain = {
        "pre_payment_receipts": [{"id": FIRST.upper()}],
        "after_payment_receipt": LAST,
        "returned_receipts_mapping": {FIRST: BACK},
    }
    read = read_relation(
        {**RELATION, "pre_payment_status": "FULL_PAID", "left_to_pay": None, "receipt_chain": chain},
        "chain-0001",
    )
    assert (read.left, read.payments, read.closing, read.returns) == (0, (FIRST, LAST), LAST, (BACK,))


def test_a_long_order_may_be_paid_in_parts() -> None:
    """The chain and its last receipts may show all goods: they are as long as a receipt may be."""
    receipt = {"id": FIRST, "status": "CREATED", "total_sum": 10000, "header": "x" * BODY_LIMIT}
    relation = {**RELATION, "receipts_chain": {"pre_payment_receipts": [receipt]}}
    answers = [answer(201, receipt), answer(201, receipt), answer(201, [receipt]), answer(200, relation)]
    with CheckboxClient() as client, ScriptedServer(*answers) as server:
        chains, at = client.chains, (server.url, "token", "chain-0001")
        assert chains.open(*at, UUID(FIRST), money(card(10_000)), CONTEXT).id == FIRST
        assert chains.pay(*at, UUID(FIRST), money(card(10_000))).id == FIRST
        chains.give_back(*at, money(card(10_000)))
        assert chains.read(*at) is not None


@pytest.mark.parametrize(
    ("relation_id", "path"),
    [
        (
            "замовлення 17",
            "%D0%B7%D0%B0%D0%BC%D0%BE%D0%B2%D0%BB%D0%B5%D0%BD%D0%BD%D1%8F%2017",
        ),
        ("a/b?c#d%", "a%2Fb%3Fc%23d%25"),
        ("half a letter \ud800", "half%20a%20letter%20%3F"),
        ("chain-0001", "chain-0001"),
    ],
    ids=["cyrillic", "reserved", "surrogate", "plain"],
)
def test_the_id_of_another_programs_chain_may_have_any_characters(relation_id: str, path: str) -> None:
    """It comes from Checkbox's answers, and names one chain in the path."""
    relation = {**RELATION, "relation_id": relation_id}
    with CheckboxClient() as client, ScriptedServer(answer(200, json.dumps(relation))) as server:
        read = client.chains.read(server.url, "token", relation_id)
    assert read is not None
    assert read.id == relation_id
    assert [one.target for one in server.received] == [f"/api/v1/prepayment-receipts/{path}"]


@pytest.mark.parametrize(
    ("status", "body", "expected"),
    [
        (404, b'{"code": null, "message": "not found"}', True),
        (404, '{"message": "Передплату не знайдено"}'.encode(), True),
        (404, b'{"code": "prepayment.not_found", "message": ""}', True),
        (404, b'{"detail": "Not Found"}', False),
        (404, b'{"message": "no Route matched with those values"}', False),
        (404, b"<html></html>", False),
        (404, b"", False),
        (400, b'{"code": null, "message": "not found"}', False),
        (200, b"null", False),
    ],
)
def test_only_checkboxs_own_404_says_that_there_is_no_chain(status: int, body: bytes, expected: bool) -> None:
    """A gateway's, a framework's or a page says nothing."""
    assert is_sure_no_chain(status, body) is expected
