"""A sale is never returned beyond itself: real processes race, and Checkbox decides."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from uuid import UUID, uuid4

import httpx2
import pytest

from tests.builders import a_message
from tests.system.counter import CASHIERS, Counter, counter, write
from worker.demo.rabbitmq import PrivateRabbitMQ
from worker.demo.sandbox_process import SandboxProcess
from worker.fiscal.receipt import sale_receipt_id

#: No register pauses, however many receipts it gets in a second.
OPTIONS = {"throttle": False}


#: What the ids of returns begin with: Bimp's archive check does not know them.
RETURN_IDS = "dddddddd"


@pytest.fixture(scope="module")
def shop(rabbitmq: PrivateRabbitMQ, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Counter]:
    """A worker of two processes. Bimp's archive check knows orders only, and stops no return."""
    rabbitmq.start()
    vhost = rabbitmq.new_vhost()
    integrations = write(tmp_path_factory.mktemp("returns") / "integrations.yaml")
    with (
        orders_only() as archive,
        counter(vhost, integrations, OPTIONS, FISCAL_PROCESSES="2", FISCAL_ARCHIVE_CHECK_URL=archive) as shop,
    ):
        yield shop
    rabbitmq.start()
    vhost.delete()


@contextmanager
def orders_only() -> Iterator[str]:
    """The address of an archive check that answers 404 for what is no order."""

    class Page(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = b'{"archived": false}'
            self.send_response(404 if self.path.startswith(f"/orders/{RETURN_IDS}") else 200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the library's name
            """Nobody reads it."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Page) as server:
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}/orders/{{orderUuid}}"
        server.shutdown()


def a_document() -> str:
    """The id of a new return."""
    return RETURN_IDS + str(uuid4())[8:]


def sell(shop: Counter, *names: str, **changes: Any) -> list[str]:
    """The orders, sold by one cashier after another."""
    orders = [str(uuid4()) for _ in names]
    for number, (name, order) in enumerate(zip(names, orders, strict=True)):
        of_order = {"subject": order, "data__order__uuid": order}
        shop.order(name, CASHIERS[number % len(CASHIERS)], **of_order, **changes)
    assert {shop.code(name) for name in names} == {"succeeded"}
    return orders


def give_back(
    shop: Counter, name: str, order: str, document: str | None = None, cashier: str = "olena", **changes: Any
) -> str:
    """Publish a return of the whole order, unless ``changes`` say otherwise; its name."""
    document = document or a_document()
    changes |= {"subject": document, "data__order__uuid": document}
    return shop.order(name, cashier, data__operation="RETURN", data__returnOf={"orderUuid": order}, **changes)


def of(count: str, cost: str, amount: str) -> dict[str, Any]:
    """The changes that make a message one of a single line of weighed goods."""
    line = {**a_message()["data"]["order"]["products"][0], "count": count, "cost": cost, "amount": amount}
    return {
        "data__order__products": [{**line, "discount": "0.00", "unit": "кг"}],
        "data__order__total": amount,
        "data__payments": [{"form": "CASHLESS", "amount": amount}],
    }


def returns(shop: Counter, order: str, attempt: int = 0) -> list[Mapping[str, Any]]:
    """The receipts that give back an order's sale."""
    sale = str(sale_receipt_id(UUID(order), attempt))
    return [entry for entry in shop.sandbox.ledger() if entry["related_receipt_id"] == sale]


def sales(shop: Counter, order: str) -> list[str]:
    """The states of an order's first sales."""
    ids = (str(sale_receipt_id(UUID(order), attempt)) for attempt in range(3))
    return [entry["status"] for entry in shop.sandbox.receipts_of(*ids)]


def test_two_whole_returns_at_the_same_moment(shop: Counter) -> None:
    """By two cashiers, in two processes: one succeeds, and the other is told that nothing is left."""
    orders = sell(shop, *(f"raced-{number}" for number in range(20)))
    shop.sandbox.set_options(latency=0.05)  # all look before the first one acts
    for number, order in enumerate(orders):
        for cashier in ("olena", "petro"):
            give_back(shop, f"whole-{number}-{cashier}", order, cashier=cashier)
    for number, order in enumerate(orders):
        codes = [shop.code(f"whole-{number}-{cashier}") for cashier in ("olena", "petro")]
        assert sorted(codes) == ["RETURN_WITHOUT_SALE", "succeeded"]
        assert [(one["status"], one["total"]) for one in returns(shop, order)] == [("DONE", 27_000)]
    shop.sandbox.set_options(latency=0.0)


def test_one_document_asked_for_by_two_requests(shop: Counter) -> None:
    """One receipt; both are told of it, and one of them that it was there."""
    orders = sell(shop, *(f"asked-{number}" for number in range(5)))
    documents = [a_document() for _ in orders]
    for number, (order, document) in enumerate(zip(orders, documents, strict=True)):
        for cashier in ("olena", "petro"):
            give_back(shop, f"return-{number}-{cashier}", order, document, cashier)
    for number, order in enumerate(orders):
        told = [shop.outcome(f"return-{number}-{cashier}")["data"] for cashier in ("olena", "petro")]
        [made] = returns(shop, order)
        assert [data["receipt"]["id"] for data in told] == [made["id"]] * 2
        assert sorted(data["alreadyFiscalized"] for data in told) == [False, True]


def test_an_order_that_was_returned_is_sold_anew_by_who_says_so(shop: Counter) -> None:
    """Pressed again it is RECEIPT_RETURNED; with sellAgain it has a second sale, which is returned next."""
    [order] = sell(shop, "sold")
    this = {"subject": order, "data__order__uuid": order}
    assert shop.code(give_back(shop, "returned", order)) == "succeeded"

    told = shop.outcome(shop.order("pressed", **this))["data"]
    assert (told["code"], told["receiptMade"]) == ("RECEIPT_RETURNED", False)
    assert sales(shop, order) == ["DONE"]

    told = shop.outcome(shop.order("anew", data__sellAgain=True, **this))["data"]
    assert told["receipt"]["id"] == str(sale_receipt_id(UUID(order), 1))
    assert shop.code(give_back(shop, "returned-anew", order)) == "succeeded"
    assert [len(returns(shop, order, attempt)) for attempt in (0, 1)] == [1, 1]
    assert not [letter for letter in shop.letters if letter[0]["x-fiscal-request"] == "pressed"]


def test_weighed_goods_come_back_in_parts(shop: Counter) -> None:
    """In the order's own units, whatever the parts' kopiykas; and not a gram more."""
    sold = {
        "half": ("0.5", "33.34", "16.67"),
        "pair": ("2", "33.33", "66.66"),
        "piece": ("1", "100.00", "100.00"),
    }
    parts = {
        "half": [("0.25", "33.34", "8.34"), ("0.25", "33.34", "8.33")],
        "pair": [("0.5", "33.33", amount) for amount in ("16.67", "16.66", "16.67", "16.66")],
        "piece": [("1", "50.00", "50.00")],
    }
    orders = {name: sell(shop, name, **of(*line))[0] for name, line in sold.items()}
    names = [
        give_back(shop, f"{name}-{number}", orders[name], **of(*line))
        for name, lines in parts.items()
        for number, line in enumerate(lines)
    ]
    assert {shop.code(name) for name in names} == {"succeeded"}
    over = [
        give_back(shop, f"{name}-over", order, **of("0.001", "10.00", "0.01"))
        for name, order in orders.items()
    ]
    assert {shop.code(name) for name in over} == {"RETURN_WITHOUT_SALE"}


def test_a_return_at_the_till_behind_a_thousand_receipts(shop: Counter) -> None:
    """Only the search can find it, and the search goes on until it has seen all."""
    [order] = sell(shop, "sale")
    sale = str(sale_receipt_id(UUID(order), 0))
    with Till(shop.sandbox) as till:
        for _ in range(1_005):
            till.make(1_00)
        till.make(270_00, is_return=True, related_receipt_id=sale)
    event = shop.outcome(give_back(shop, "again", order))
    assert event["data"]["code"] == "RETURN_WITHOUT_SALE"
    assert len(returns(shop, order)) == 1


class Till:
    """A person at a cashier's till, whose receipts the worker knows nothing of."""

    def __init__(self, sandbox: SandboxProcess, login: str = "petro") -> None:
        self._client = httpx2.Client(base_url=f"{sandbox.url}/api/v1")
        signed = self._client.post("/cashier/signin", json={"login": login, "password": f"{login}-secret"})
        self._client.headers["authorization"] = f"Bearer {signed.json()['access_token']}"

    def __enter__(self) -> Till:
        return self

    def __exit__(self, *_: object) -> None:
        self._client.close()

    def make(self, total: int, *, is_return: bool = False, **members: Any) -> None:
        """A receipt of one piece, paid by card."""
        good = {"code": "00017", "name": "Футболка біла M", "price": total, "tax": [1]}
        body = {
            "goods": [{"good": good, "quantity": 1000, "is_return": is_return}],
            "payments": [{"type": "CASHLESS", "value": total}],
            **members,
        }
        answered = self._client.post("/receipts/sell", json=body)
        assert answered.status_code == 201, answered.text
