"""Chains of an advance, further money and a return: a real worker, and what Checkbox has in the end."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from typing import Any
from uuid import UUID, uuid4

import pytest
from jsonschema import Draft202012Validator, FormatChecker

from tests.conftest import PATIENCE
from tests.system.counter import Counter, counter, write
from worker.demo.examples import FOLDER as CONTRACT
from worker.demo.rabbitmq import PrivateRabbitMQ
from worker.fiscal.chain import chain_id, payment_receipt_id
from worker.fiscal.receipt import sale_receipt_id

OPTIONS = {"throttle": False, "done_after": 0.05}
OPEN, PAY = "POST /prepayment-receipts", "POST /prepayment-receipts/{relation_id}"
GIVE_BACK = "POST /prepayment-receipts/{relation_id}/return"
READ, LOOK_UP, SELL = (
    "GET /prepayment-receipts/{relation_id}",
    "GET /receipts/{receipt_id}",
    "POST /receipts/sell",
)
SCHEMAS = CONTRACT.parent / "schemas"


@pytest.fixture(scope="module")
def running(rabbitmq: PrivateRabbitMQ, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Counter]:
    """One process, so that what it knows of returned chains is the same for every request."""
    rabbitmq.start()
    vhost = rabbitmq.new_vhost()
    integrations = write(tmp_path_factory.mktemp("chains") / "integrations.yaml", prepayments=True)
    with counter(vhost, integrations, OPTIONS, FISCAL_PROCESSES="1", FISCAL_RETURN_WAIT="PT1S") as shop:
        yield shop
    rabbitmq.start()
    vhost.delete()


@pytest.fixture
def shop(running: Counter) -> Iterator[Counter]:
    before = running.sandbox.set_options()
    yield running
    running.sandbox.clear_faults()
    running.sandbox.set_options(**before)


class Chain:
    """An order of 270.00, and the requests for it."""

    def __init__(self, shop: Counter) -> None:
        self.shop = shop
        self.order = str(uuid4())
        self.asked = 0

    def ask(self, operation: str, amount: str | None, **changes: Any) -> str:
        """Publish; the request's name."""
        self.asked += 1
        payments = {"data__payments": [{"form": "CASHLESS", "amount": amount}]} if amount else {}
        of_order = {"subject": self.order, "data__order__uuid": self.order, "data__operation": operation}
        return self.shop.order(f"{self.order}-{self.asked}", **of_order | payments | changes)

    def advance(self, amount: str = "100.00", payment: str | None = None, **changes: Any) -> str:
        return self.ask("PREPAYMENT", amount, data__paymentUuid=payment or str(uuid4()), **changes)

    def further(
        self, amount: str = "170.00", payment: str | None = None, closes: bool = True, **changes: Any
    ) -> str:
        paid = {"data__paymentUuid": payment or str(uuid4()), "data__closes": closes}
        return self.ask("AFTERPAYMENT", amount, **paid | changes)

    def give_back(self, document: str | None = None, relation: str | None = None, **changes: Any) -> str:
        document = document or str(uuid4())
        of_document = {"subject": document, "data__order__uuid": document}
        return_of = {"orderUuid": self.order} | ({"relationId": relation} if relation else {})
        return self.ask("PREPAYMENT_RETURN", None, data__returnOf=return_of, **of_document | changes)

    def succeeded(self, name: str) -> dict[str, Any]:
        event = self.shop.outcome(name)
        assert event["routing_key"] == "fiscalization.succeeded", event["data"]
        return dict(event["data"])

    def refused(self, name: str) -> tuple[str, Any]:
        """Code and reason."""
        event = self.shop.outcome(name)
        assert event["routing_key"] == "fiscalization.failed", event["data"]
        return event["data"]["code"], event["data"]["detail"].get("reason")

    def receipts(self, kind: str = "SELL", number: int = 0) -> list[dict[str, Any]]:
        """The receipts of the order's chain that were not refused."""
        named = chain_id(UUID(self.order), number)
        return [
            entry
            for entry in self.shop.sandbox.ledger()
            if entry["relation_id"] == named and entry["type"] == kind and entry["status"] != "ERROR"
        ]

    def sums(self, kind: str = "SELL", number: int = 0) -> list[int]:
        return [entry["total"] for entry in self.receipts(kind, number)]


@pytest.fixture(scope="module", autouse=True)
def lost(running: Counter) -> tuple[Chain, str]:
    """A chain whose return was asked for, and did not reach Checkbox."""
    for name in [Chain(running).ask("SELL", "270.00") for _ in range(24)]:
        assert running.code(name, 60) == "succeeded"  # from now on the worker knows how quick numbers are
    chain = Chain(running)
    chain.succeeded(chain.advance())
    running.sandbox.fault("drop_before_commit", endpoint=GIVE_BACK, count=1)
    name = chain.give_back()
    running.until(lambda: running.events_of(name, "delayed"))
    return chain, name


def test_the_examples_in_their_order(shop: Counter) -> None:
    """By their numbers, the refused one after the second; the events pass the published schema."""
    shop.sandbox.put_cashier("maria", password="maria-secret")
    files = sorted((CONTRACT / "prepayment").iterdir())
    second = next(number for number, path in enumerate(files) if path.name.startswith("2."))
    refused = next(path for path in files if path.name.startswith("refused"))
    files.remove(refused)
    files.insert(second + 1, refused)
    told = []
    for path in files:
        message = json.loads(path.read_text())
        message["data"] |= {"integration": "shop-main", "cashier": "maria"}
        shop.publish(json.dumps(message).encode())
        event = shop.outcome(message["id"])
        told.append(event["data"])
        outcome = event.pop("routing_key").removeprefix("fiscalization.")
        schema = json.loads((SCHEMAS / f"fiscalization_{outcome}.json").read_text())
        Draft202012Validator(schema, format_checker=FormatChecker()).validate(event)
        event["routing_key"] = f"fiscalization.{outcome}"
    advance, another, small, rest, back = told
    relation = advance["prepayment"]["relationId"]
    assert advance["prepayment"] == {
        "relationId": relation,
        "status": "PARTIAL_PAID",
        "total": "13500.00",
        "paid": "2000.00",
        "left": "11500.00",
    }
    assert (another["prepayment"]["left"], another["receipt"]["total"]) == ("10000.00", "1500.00")
    assert (small["code"], small["deadLettered"], small["receiptMade"]) == (
        "PREPAYMENT_MISMATCH",
        True,
        False,
    )
    assert small["detail"] == {
        "reason": "sum_is_not_the_rest",
        "total": "13500.00",
        "paid": "3500.00",
        "left": "10000.00",
        "status": "PARTIAL_PAID",
    }
    assert (rest["prepayment"]["status"], rest["prepayment"]["left"]) == ("FULL_PAID", "0.00")
    assert (back["receipt"], back["prepayment"]["status"]) == (None, "CANCELLED")
    assert [one["total"] for one in back["receipts"]] == ["2000.00", "1500.00", "10000.00"]
    assert all(one["fiscalCode"] and one["links"]["html"] for one in back["receipts"])


def test_a_payment_is_one_receipt_however_often_and_as_whatever_it_is_asked_for(shop: Counter) -> None:
    """Another sum of the same payment is told; a returned one too."""
    chain, payment = Chain(shop), str(uuid4())
    made = chain.succeeded(chain.advance(payment=payment))
    assert made["receipt"]["id"] == str(payment_receipt_id(UUID(chain.order), UUID(payment), 0))
    for name in (
        chain.advance(payment=payment),
        chain.further("100.00", payment),
        chain.advance(payment=payment, data__payments=[{"form": "CASH", "amount": "100.00"}]),
    ):
        again = chain.succeeded(name)
        assert (again["receipt"]["id"], again["alreadyFiscalized"]) == (made["receipt"]["id"], True)
        assert again["prepayment"]["paid"] == "100.00"
    assert chain.refused(chain.advance("90.00", payment))[0] == "RECEIPT_MISMATCH"
    assert chain.sums() == [100_00]
    rest = str(uuid4())
    assert not chain.succeeded(chain.further(payment=rest))["alreadyFiscalized"]
    assert chain.succeeded(chain.further(payment=rest))["alreadyFiscalized"]
    assert not chain.succeeded(chain.give_back())["alreadyFiscalized"]
    assert chain.succeeded(chain.give_back())["alreadyFiscalized"]
    assert sorted(chain.sums("RETURN")) == [100_00, 170_00]
    for name in (chain.further(payment=rest), chain.advance(payment=payment)):
        assert chain.refused(name)[0] == "RECEIPT_RETURNED"


def test_each_refusal_has_its_reason(shop: Counter) -> None:
    """With the sums of the chain, and whether the order has receipts."""
    chain = Chain(shop)
    assert chain.refused(chain.further()) == ("PREPAYMENT_MISMATCH", "no_chain")
    assert chain.refused(chain.give_back()) == ("PREPAYMENT_MISMATCH", "no_chain")
    chain.succeeded(chain.advance())
    for name, reason, made in (
        (chain.advance(), "chain_stands", False),
        (chain.ask("SELL", "270.00"), "chain_stands", True),
        (chain.ask("PREPAYMENT", "270.00", data__paymentUuid=str(uuid4())), "chain_stands", True),
        (chain.further("169.99"), "sum_is_not_the_rest", False),
        (chain.further("170.01"), "sum_is_not_the_rest", False),
        (chain.further("170.00", closes=False), "sum_is_not_less", False),
        (chain.further(data__order__products__0__code="other"), "lines_differ", False),
        (
            chain.further(
                data__order__products__0__amount="271.00",
                data__order__products__0__cost="150.50",
                data__order__total="271.00",
            ),
            "total_differs",
            False,
        ),
    ):
        event = shop.outcome(name, 60)["data"]
        assert event.get("code") == "PREPAYMENT_MISMATCH", event
        assert event["detail"] == {
            "reason": reason,
            "total": "270.00",
            "paid": "100.00",
            "left": "170.00",
            "status": "PARTIAL_PAID",
        }
        assert event["receiptMade"] is made
        assert "170.00" in event["message"]["uk"]
    returned = chain.ask("RETURN", "270.00", data__returnOf={"orderUuid": chain.order}, **document())
    assert chain.refused(returned) == ("PREPAYMENT_MISMATCH", "chain_stands")
    advance = {"receiptId": chain.receipts()[0]["id"]}
    returned = chain.ask("RETURN", "270.00", data__returnOf=advance, **document())
    assert chain.refused(returned) == ("PREPAYMENT_MISMATCH", "chain_stands")
    chain.succeeded(chain.further())
    event = shop.outcome(chain.further("1.00"), 60)["data"]
    assert (event["detail"]["reason"], event["receiptMade"]) == ("chain_paid", True)
    assert chain.sums() == [100_00, 170_00]


def document() -> dict[str, str]:
    """The members that make a message a document of its own."""
    uuid = str(uuid4())
    return {"subject": uuid, "data__order__uuid": uuid}


def test_an_order_that_was_sold_takes_no_prepayment_until_it_was_returned(shop: Counter) -> None:
    """`order_sold`, for an advance and for further money; a whole prepayment is the sale itself."""
    chain = Chain(shop)
    whole = chain.succeeded(chain.ask("PREPAYMENT", "270.00", data__paymentUuid=str(uuid4())))
    assert whole["receipt"]["id"] == str(sale_receipt_id(UUID(chain.order), 0))
    assert (whole["prepayment"], whole["operation"]) == (None, "PREPAYMENT")
    for name in (chain.advance(), chain.further()):
        event = shop.outcome(name, 60)["data"]
        assert (event["detail"]["reason"], event["receiptMade"]) == ("order_sold", True)
    returned = chain.ask("RETURN", "270.00", data__returnOf={"orderUuid": chain.order}, **document())
    assert "prepayment" not in chain.succeeded(returned)
    assert chain.succeeded(chain.advance())["prepayment"]["left"] == "170.00"


def test_a_returned_chain_is_followed_by_a_new_one(shop: Counter) -> None:
    """Which chain has to be said then; a document that comes again never returns the new one."""
    chain, first = Chain(shop), str(uuid4())
    one = chain.succeeded(chain.advance())["prepayment"]["relationId"]
    assert chain.succeeded(chain.give_back(first))["prepayment"]["status"] == "CANCELLED"
    two = chain.succeeded(chain.advance("50.00"))["prepayment"]["relationId"]
    assert (one, two) == (chain_id(UUID(chain.order), 0), chain_id(UUID(chain.order), 1))
    assert chain.refused(chain.give_back(first)) == ("PREPAYMENT_MISMATCH", "which_chain")
    assert chain.succeeded(chain.give_back(first, one))["alreadyFiscalized"]
    assert chain.receipts("RETURN", 1) == []
    assert chain.refused(chain.give_back(relation=str(uuid4()))) == ("PREPAYMENT_MISMATCH", "no_chain")
    assert len(chain.succeeded(chain.give_back(relation=two))["receipts"]) == 1


@pytest.mark.parametrize("repeated", ["exists", "refused"])
def test_a_refused_advance_is_made_anew_where_its_chain_lives(shop: Counter, repeated: str) -> None:
    """In a new chain where it was the only receipt, else in the same one, however a known id is refused."""
    shop.sandbox.set_options(repeated_payment=repeated)
    chain, payment = Chain(shop), str(uuid4())
    shop.sandbox.fault("error_receipt", endpoint=OPEN, count=1)
    assert chain.refused(chain.advance(payment=payment))[0] == "RECEIPT_REJECTED"
    again = chain.succeeded(chain.advance(payment=payment))
    assert again["prepayment"]["relationId"] == chain_id(UUID(chain.order), 1)
    assert again["receipt"]["id"] == str(payment_receipt_id(UUID(chain.order), UUID(payment), 1))
    more = str(uuid4())
    shop.sandbox.fault("error_receipt", endpoint=PAY, count=1)
    assert chain.refused(chain.further("70.00", more, closes=False))[0] == "RECEIPT_REJECTED"
    # What is left is Checkbox's figure, whether it counts the refused money or not.
    assert chain.succeeded(chain.further("70.00", more, closes=False))["prepayment"]["left"] in (
        "100.00",
        "30.00",
    )
    assert chain.sums(number=1) == [100_00, 70_00]


def test_a_chain_whose_return_was_partly_refused_stands(shop: Counter) -> None:
    """Told with each receipt; a replay posts again only while Checkbox has not cancelled the chain."""
    rejected = "RECEIPT_REJECTED"
    for state, again in (
        ("PARTIAL_CANCELLED", rejected),
        ("CANCELLED", rejected),
        ("unchanged", "succeeded"),
    ):
        shop.sandbox.set_options(refused_return=state)
        chain = Chain(shop)
        chain.succeeded(chain.advance())
        chain.succeeded(chain.further())
        shop.sandbox.fault("error_receipt", endpoint=GIVE_BACK, count=1)
        name = chain.give_back()
        data = shop.outcome(name, 60)["data"]
        assert (data["code"], data["receiptMade"], data["deadLettered"]) == ("RECEIPT_REJECTED", True, True)
        assert sorted(one["status"] for one in data["detail"]["receipts"]) == ["DONE", "ERROR"]
        assert chain.refused(chain.ask("SELL", "270.00")) == ("PREPAYMENT_MISMATCH", "chain_stands")
        shop.letters = [one for one in shop.letters if one[0]["x-fiscal-request"] == name]
        others = [event for event in shop.events if event["data"]["requestId"] != name]
        shop.replay()
        shop.events.extend(others)
        assert shop.code(name, 60) == again
        assert sorted(chain.sums("RETURN")) == ([170_00] if again != "succeeded" else [100_00, 170_00])


@pytest.mark.parametrize(("repeated", "form"), [("exists", "whole"), ("refused", "ids")])
def test_a_lost_answer_makes_no_second_receipt(shop: Counter, repeated: str, form: str) -> None:
    """At each post of a chain of three, whichever way Checkbox shows it and refuses a repeat."""
    shop.sandbox.set_options(repeated_payment=repeated, relation_receipts=form, closing_lines="goods")
    chains = [Chain(shop) for _ in range(4)]
    for endpoint, ask in ((OPEN, Chain.advance), (PAY, Chain.further), (GIVE_BACK, Chain.give_back)):
        for fault in ("drop_after_commit", "null_body", "truncated_json"):
            shop.sandbox.fault(fault, endpoint=endpoint, count=1)
        names = [ask(chain) for chain in chains]
        for chain, name in zip(chains, names, strict=True):
            assert not chain.succeeded(name)["alreadyFiscalized"]
        assert len([name for name in names if shop.events_of(name, "delayed")]) == 3
    for chain in chains:
        assert chain.sums() == [100_00, 170_00]
        assert sorted(chain.sums("RETURN")) == [100_00, 170_00]


def test_a_chain_that_cannot_be_read_is_no_missing_one(shop: Counter) -> None:
    """Nothing is posted before it was read: the order is not sold beside its chain."""
    faults = ("html_503", "gateway_json", "refused", "null_body", "truncated_json", "drop_before_commit")
    chains = [Chain(shop) for _ in faults]
    for name in [chain.advance() for chain in chains]:
        chains[0].succeeded(name)
    for chain, fault in zip(chains, faults, strict=True):
        status = {"status": 404} if fault == "gateway_json" else {}
        shop.sandbox.fault(fault, endpoint=READ, receipt=chain_id(UUID(chain.order), 0), count=1, **status)
        name = chain.ask("SELL", "270.00")
        assert chain.refused(name) == ("PREPAYMENT_MISMATCH", "chain_stands")
        assert shop.events_of(name, "delayed")
        assert chain.sums() == [100_00]


def test_two_payments_at_the_same_moment(shop: Counter) -> None:
    """Two advances are one chain; two last payments are one; two returns are one of each receipt."""
    shop.sandbox.set_options(latency=0.1)
    chains = [Chain(shop) for _ in range(4)]
    expected = {Chain.advance: "PREPAYMENT_MISMATCH", Chain.further: "PREPAYMENT_MISMATCH"}
    for ask in (Chain.advance, Chain.further, Chain.give_back):
        pairs = [[ask(chain, cashier=cashier) for cashier in ("olena", "petro")] for chain in chains]
        for names in pairs:
            codes = sorted(shop.code(name, 60) for name in names)
            assert codes == [expected.get(ask, "succeeded"), "succeeded"]
    for chain in chains:
        assert chain.sums() == [100_00, 170_00]
        assert sorted(chain.sums("RETURN")) == [100_00, 170_00]
    shop.sandbox.set_options(latency=0.0)


def test_what_came_too_early_is_replayed_by_the_watch(shop: Counter) -> None:
    """Further money before its chain: once there is one, nobody has to replay it."""
    shop.look()
    chain = Chain(shop)
    name = chain.further()
    shop.wait_for_letters(1)
    watch = [sys.executable, "-m", "worker", "dead-letters", "watch", "--once", "--rate", "0"]
    environment = {**os.environ, **shop.environment}
    subprocess.run(watch, env=environment, check=False, capture_output=True)
    shop.wait_for_letters(1)  # it stays while there is no chain
    chain.advance()
    deadline = time.monotonic() + PATIENCE
    while not chain.receipts():
        assert time.monotonic() < deadline
        time.sleep(0.05)
    subprocess.run(watch, env=environment, check=True, capture_output=True)
    shop.until(lambda: shop.events_of(name, "succeeded"))
    assert chain.sums() == [100_00, 170_00]


def test_what_a_chain_costs(shop: Counter, lost: tuple[Chain, str]) -> None:
    """Beyond the post and the look for the number: three requests, two, and one for a plain sale.

    Where Checkbox names the payments by id alone, each is one look more.
    """
    lost[0].succeeded(lost[1])  # it reads its chain until then
    shop.sandbox.set_options(relation_receipts="whole")
    chain = Chain(shop)
    assert _cost(shop, lambda: chain.succeeded(chain.advance())) == {OPEN: 1, LOOK_UP: 2, READ: 2}
    assert _cost(shop, lambda: chain.succeeded(chain.further())) == {PAY: 1, LOOK_UP: 1, READ: 2}
    chain.succeeded(chain.give_back())
    assert _cost(shop, lambda: chain.succeeded(chain.ask("SELL", "270.00"))) == {SELL: 1, LOOK_UP: 1, READ: 1}
    plain = Chain(shop)
    assert _cost(shop, lambda: plain.succeeded(plain.ask("SELL", "270.00"))) == {SELL: 1, LOOK_UP: 1, READ: 1}


def _cost(shop: Counter, ask: Callable[[], Any]) -> dict[str, int]:
    """Requests by endpoint. The worker knows the shift; a number that is late costs another look."""
    endpoints = (OPEN, PAY, GIVE_BACK, READ, LOOK_UP, SELL)
    before = {endpoint: shop.sandbox.requests(endpoint) for endpoint in endpoints}
    ask()
    counts = {endpoint: shop.sandbox.requests(endpoint) - before[endpoint] for endpoint in endpoints}
    return {endpoint: count for endpoint, count in counts.items() if count}


def test_a_return_that_was_never_made_is_posted_after_half_a_minute(lost: tuple[Chain, str]) -> None:
    """Its answer was lost before anything else here; until then nothing is posted again."""
    chain, name = lost
    assert len(chain.succeeded(name)["receipts"]) == 1
    assert chain.sums("RETURN") == [100_00]
