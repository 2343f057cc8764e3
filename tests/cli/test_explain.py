"""`explain` answers why an order is not fiscalized, from the letters, the worker's memory and Checkbox."""

from __future__ import annotations

import json
import os
import signal
import socket
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx2
import pytest
import typer
from click.testing import Result
from typer.testing import CliRunner

from tests.builders import a_body
from tests.cli.letters import put
from tests.cli.orders import sell
from tests.journal.messages import an_event
from tests.system.shop import CONTRACT, Shop
from worker.cli.explain import explain
from worker.demo.free_ports import free_ports
from worker.demo.rabbitmq import PrivateRabbitMQ
from worker.demo.sandbox_process import SandboxProcess
from worker.demo.worker_process import WorkerProcess
from worker.journal import database
from worker.journal.heard import rows_of_event, rows_of_request
from worker.journal.writer import Writer
from worker.operators.dead_letters.next_steps import next_step
from worker.rabbit.topology import DEAD_LETTERS

NUMBERS = count(1)


@pytest.fixture(scope="module")
def shop(rabbitmq: PrivateRabbitMQ, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    """One worker for all tests of the module: each has an order of its own."""
    vhost = rabbitmq.new_vhost()
    log = tmp_path_factory.mktemp("explain") / "worker.log"
    with SandboxProcess(
        integrations=CONTRACT / "integrations.yaml", options={"done_after": 0.3, "throttle": "false"}
    ) as sandbox:
        environment = {
            "FISCAL_RABBITMQ_URL": vhost.url,
            "FISCAL_CHECKBOX_URL": sandbox.url,
            "FISCAL_INTEGRATIONS_FILE": str(CONTRACT / "integrations.yaml"),
            "FISCAL_RETRY_MIN_BACKOFF": "PT30S",
            "FISCAL_REGISTER_RATE": "100",
        }
        with WorkerProcess(environment, log) as worker:
            one = Shop(vhost, sandbox, worker)
            yield one
            one.close()
    vhost.delete()


@pytest.fixture(autouse=True)
def well(shop: Shop) -> None:
    """No fault is left from the test before."""
    shop.sandbox.clear_faults()


def ask(
    shop: Shop, *arguments: str, port: int | None = None, url: str | None = None, journal: str | None = None
) -> Result:
    app = typer.Typer()
    app.command()(explain)
    environment = {
        **({"FISCAL_JOURNAL_URL": journal} if journal else {}),
        "FISCAL_RABBITMQ_URL": url or shop.vhost.url,
        "FISCAL_CHECKBOX_URL": shop.sandbox.url,
        "FISCAL_INTEGRATIONS_FILE": str(CONTRACT / "integrations.yaml"),
        "FISCAL_METRICS_PORT": str(port or shop.worker.port),
    }
    return CliRunner().invoke(app, arguments, env=environment)


def answer(shop: Shop, *arguments: str, code: int = 0, journal: str | None = None) -> dict[str, Any]:
    result = ask(shop, "--json", *arguments, journal=journal)
    assert result.exit_code == code, result.output
    document: dict[str, Any] = json.loads(result.stdout)
    return document


def test_a_fiscalized_order_has_its_number_and_link(shop: Shop) -> None:
    """By uuid it is found at Checkbox, with the words for a person."""
    number = next(NUMBERS)
    order = sell(shop, number)
    shop.outcome(f"request-{number}")
    told = answer(shop, order)
    (receipt,) = told["receipts"]
    assert receipt["operation"] == "SELL"
    assert receipt["fiscalCode"].startswith("TEST-")
    assert receipt["taxUrl"].startswith("https://")
    assert told["verdict"] == f"fiscalized: SELL {receipt['fiscalCode']}"
    assert told["next"] == "Nothing."
    assert receipt["fiscalCode"] in ask(shop, order.upper()).stdout


def test_a_waiting_order_has_reason_attempts_and_due(shop: Shop, eventually: Callable[..., object]) -> None:
    """What a worker process holds is told by it, by docNumber too; the receipt is asked for as well."""
    shop.sandbox.fault("error_500", endpoint="POST /receipts/sell")
    number = next(NUMBERS)
    order = sell(shop, number)
    shop.until(lambda: shop.events_of(f"request-{number}", "delayed"))
    told = eventually(lambda: (found := answer(shop, f"D-{number}", code=0))["waiting"] and found)
    assert isinstance(told, dict)
    (row,) = told["waiting"]
    assert (row["order"], row["docNumber"]) == (order, f"D-{number}")
    assert row["queue"] == "fiscalize.retry"
    assert row["attempts"] == 2
    assert row["due"] > row["firstSeen"]
    assert told["verdict"].startswith("on its way: Checkbox may have made the receipt")
    assert row["due"] in told["next"]
    assert told["notAsked"] == []


def test_a_dead_letter_has_its_reason_and_the_next_step(shop: Shop) -> None:
    """By docNumber: the code, since when, how often, and the runbook's sentence."""
    number = next(NUMBERS)
    put(shop.vhost.url, [number], docnumber=f"D-{number}", order=str(uuid4()), replays=2)
    told = answer(shop, f"D-{number}")
    (letter,) = told["deadLetters"]
    assert (letter["code"], letter["replays"]) == ("SHIFT_NOT_OPEN", 2)
    assert told["verdict"] == "dead letter SHIFT_NOT_OPEN"
    assert told["next"] == next_step("SHIFT_NOT_OPEN")
    assert shop.vhost.queues()[DEAD_LETTERS].messages >= 1


def test_a_receipt_that_exists_beside_a_letter_wins(shop: Shop) -> None:
    """Somebody has sold it since: a replay tells Bimp, and makes no second one."""
    number = next(NUMBERS)
    order = sell(shop, number)
    shop.outcome(f"request-{number}")
    put(shop.vhost.url, [number], docnumber=f"D-{number}", order=order)
    told = answer(shop, f"D-{number}")
    assert told["verdict"].startswith("fiscalized")
    assert told["next"].startswith("Replay its letter")


def test_without_a_journal_a_fiscal_number_leads_to_the_order(shop: Shop) -> None:
    """Checkbox is searched for it, and says whose the receipt is; one that nobody has may be a docNumber."""
    number = next(NUMBERS)
    order = sell(shop, number)
    code = shop.outcome(f"request-{number}")["data"]["receipt"]["fiscalCode"]
    for form in ("short", "full"):
        shop.sandbox.set_options(search_form=form)
        told = answer(shop, f" {code}")
        assert (told["order"], told["verdict"]) == (order, f"fiscalized: SELL {code}")
    told = answer(shop, f"{code[:-1]}_", code=1)
    assert told["notAsked"] == [
        "Checkbox: it knows orders by uuid or fiscal number, and this one's are unknown"
    ]


def test_receipts_in_error_are_walked_past(shop: Shop) -> None:
    """The refused one and its words are told, and the one that counts."""
    number = next(NUMBERS)
    shop.sandbox.fault("error_receipt", count=1, words="Помилка ДПС")
    order = sell(shop, number)
    assert shop.outcome(f"request-{number}")["data"]["code"] == "RECEIPT_REJECTED"
    assert [one["error"] for one in answer(shop, order)["receipts"]] == ["Помилка ДПС"]
    again = json.loads(shop.letters[-1][1]) | {"id": f"request-{number}-again"}
    shop.publish(json.dumps(again).encode())
    shop.outcome(f"request-{number}-again")
    told = answer(shop, order)
    assert [one["status"] for one in told["receipts"]] == ["ERROR", "DONE"]
    assert told["verdict"].startswith("fiscalized")


def test_an_order_that_nobody_knows(shop: Shop) -> None:
    """Exit code 3, and what that may mean."""
    told = answer(shop, str(uuid4()), code=3)
    assert told["verdict"].startswith("not seen: never sent")
    assert told["notAsked"] == []


def test_who_cannot_be_asked_is_named(shop: Shop) -> None:
    """The broker leads to the workers of other machines; without it those of this one are asked, if any."""
    result = ask(shop, "D-none", port=free_ports(1)[0])
    assert result.exit_code == 1
    assert "a running worker" not in result.stdout
    assert "not asked    Checkbox: it knows orders by uuid" in result.stdout
    result = ask(shop, "D-none", port=free_ports(1)[0], url=f"{shop.vhost.url}-not-there")
    assert result.exit_code == 1
    assert "not asked    the broker:" in result.stdout
    assert "not asked    a running worker: none answers on port" in result.stdout


def test_the_workers_of_all_pods_are_asked(shop: Shop, tmp_path: Path) -> None:
    """What either of two workers holds is found, whichever port the command knows; a silent one is named."""
    shop.sandbox.fault("error_500", endpoint="POST /receipts/sell")
    settings = {**shop.worker.settings, "FISCAL_PROCESSES": "1"}
    del settings["FISCAL_METRICS_PORT"]
    with WorkerProcess(settings, tmp_path / "second.log") as second:
        numbers = [next(NUMBERS) for _ in range(12)]
        orders = {number: sell(shop, number) for number in numbers}
        shop.until(lambda: all(shop.events_of(f"request-{number}", "delayed") for number in numbers))
        pods: dict[int, set[str]] = {shop.worker.port: set(), second.port: set()}
        for order in orders.values():
            for worker in (shop.worker, second):
                if json.loads(worker.page(f"/orders/{order}")[1])["waiting"]:
                    pods[worker.port].add(order)
        assert all(pods.values())
        for held in pods.values():
            for order in list(held)[:2]:
                told = answer(shop, order)
                assert [row["order"] for row in told["waiting"]] == [order]
                assert told["notAsked"] == []
        assert second.process is not None
        children = Path(f"/proc/{second.process.pid}/task/{second.process.pid}/children").read_text().split()
        for child in children:
            os.kill(int(child), signal.SIGSTOP)
        told = answer(shop, next(iter(pods[shop.worker.port])))
        assert told["waiting"]
        assert told["notAsked"] == ["1 of 3 processes of the workers"]
        for child in children:
            os.kill(int(child), signal.SIGCONT)


def test_nobody_stays_signed_in(shop: Shop) -> None:
    """As often as somebody was signed in, somebody was signed out."""
    before = shop.sandbox.counters()["requests"]
    answer(shop, str(uuid4()), code=3)
    after = shop.sandbox.counters()["requests"]

    def calls(when: dict[str, Any], name: str) -> int:
        return sum(when.get(name, {}).values())

    for name in ("POST /cashier/signin", "POST /cashier/signout"):
        # A cashier of each integration was asked.
        assert calls(after, name) - calls(before, name) == 2


def test_the_page_is_for_this_machine(shop: Shop) -> None:
    """The worker answers on its port under /orders/ to loopback, and other pages are as they were."""
    status, body = shop.worker.page(f"/orders/{uuid4()}")
    assert status == 200
    assert json.loads(body) == {"processes": 2, "answered": 2, "waiting": []}
    assert shop.worker.page("/order")[0] == 404


def test_the_page_is_for_nobody_else(shop: Shop) -> None:
    """Whoever comes by another address than loopback finds nothing there, and the metrics as ever."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))  # sends nothing: it only chooses the address
        except OSError:
            pytest.skip("this machine has no other address than loopback")
        own = probe.getsockname()[0]
    with httpx2.Client(base_url=f"http://{own}:{shop.worker.port}", trust_env=False) as stranger:
        assert stranger.get(f"/orders/{uuid4()}").status_code == 404
        assert stranger.get("/metrics").status_code == 200


@pytest.fixture
def journal(tmp_path: Path) -> str:
    """A journal that knows three orders of old; Checkbox knows none of them."""
    url = f"sqlite:///{tmp_path / 'journal.db'}"
    writer = Writer(database.writing(url))
    for number in range(3):
        order = f"00000000-0000-4000-8000-00000000000{number}"
        body = a_body(
            id=f"Old {number}", subject=order, data__order__uuid=order, data__order__docNumber=f"СТ-{number}7"
        )
        writer.write(rows_of_request(body, 1000 + number))
        receipt = {"receipt__id": order, "receipt__fiscalCode": f"F{number}"}
        writer.write(rows_of_event(an_event(request=f"Old {number}", order=order, **receipt), 2000 + number))
    return url


@pytest.mark.parametrize("text", ["ст-17", "СТ - 17", "old 1", "f1", "00000000-0000-4000-8000-000000000001"])
def test_the_journal_finds_an_order_that_is_long_done(shop: Shop, journal: str, text: str) -> None:
    """By whatever a person has of it, with its history."""
    told = answer(shop, text, journal=journal)
    assert told["order"] == "00000000-0000-4000-8000-000000000001"
    assert told["verdict"] == "fiscalized, by the journal: F1"
    assert [one["what"] for one in told["history"]] == ["asked", "succeeded"]
    assert "F1" in ask(shop, text, journal=journal).stdout


def test_prepayments_are_told_with_what_is_left(shop: Shop, tmp_path: Path) -> None:
    """What Checkbox has of the chain, and what the journal heard; any of its receipts leads there."""
    order, name = str(uuid4()), f"advance-{next(NUMBERS)}"
    body = a_body(
        id=name,
        subject=order,
        data__integration="shop-prepaid",
        data__cashier="maria",
        data__operation="PREPAYMENT",
        data__paymentUuid=str(uuid4()),
        data__payments=[{"form": "CASHLESS", "amount": "100.00"}],
        data__order__uuid=order,
        data__order__docNumber=name,
    )
    shop.publish(body)
    event = shop.outcome(name)
    event.pop("routing_key")
    url = f"sqlite:///{tmp_path / 'journal.db'}"
    writer = Writer(database.writing(url))
    writer.write([*rows_of_request(body, 1000), *rows_of_event(json.dumps(event).encode(), 2000)])
    relation = event["data"]["prepayment"]["relationId"]
    for text, journal in ((order, url), (event["data"]["receipt"]["id"], None)):
        told = answer(shop, text, journal=journal)
        assert told["verdict"].endswith("; 170.00 of 270.00 are left to pay")
        assert told["chains"] == [
            {
                "relationId": relation,
                "status": "PARTIAL_PAID",
                "total": "270.00",
                "paid": "100.00",
                "left": "170.00",
            }
        ]
        assert told["receipts"][0]["relationId"] == relation
    lines = ask(shop, order, journal=url).stdout.splitlines()
    assert [line for line in lines if line.endswith(f"paid 100.00 of 270.00, left 170.00  {relation}")]
    assert [line for line in lines if "PREPAYMENT" in line and line.endswith("100.00 of 270.00")]
    (succeeded,) = [one for one in answer(shop, order, journal=url)["history"] if one["what"] == "succeeded"]
    assert succeeded["receipts"][0]["relationId"] == relation


def test_several_orders_are_listed(shop: Shop, journal: str) -> None:
    """By the beginning of a docNumber: that of the latest request first."""
    result = ask(shop, "--json", "ст-", journal=journal)
    assert result.exit_code == 0
    lines = [json.loads(line) for line in result.stdout.splitlines()]
    assert [line["docNumber"] for line in lines] == ["СТ-27", "СТ-17", "СТ-07"]
    assert all(line["history"] for line in lines)
    assert len(ask(shop, "ст-", journal=journal).stdout.splitlines()) == 3


def test_a_letter_of_another_order_of_the_same_number_is_not_shown(shop: Shop, journal: str) -> None:
    """Two companies count their documents alike: nobody is told to replay the other's."""
    own, other = "00000000-0000-4000-8000-000000000001", str(uuid4())
    put(shop.vhost.url, [1], order=other, docnumber="СТ-17", request=f"other-{other}")
    told = answer(shop, own, journal=journal)
    assert told["deadLetters"] == []
    assert told["verdict"] == "fiscalized, by the journal: F1"
    put(shop.vhost.url, [1], order=own, docnumber="СТ-17", request=f"own-{other}")
    told = answer(shop, own, journal=journal)
    assert [one["order"] for one in told["deadLetters"]] == [own]


def test_an_order_whose_number_only_begins_with_the_text_hides_nothing(shop: Shop, journal: str) -> None:
    """A letter bears the text as a whole: its order is listed beside the journal's."""
    other = str(uuid4())
    put(shop.vhost.url, [1], order=other, docnumber="СТ-1", request=f"of-{other}")
    result = ask(shop, "--json", "ст-1", journal=journal)
    lines = {(one := json.loads(line))["order"]: one for line in result.stdout.splitlines()}
    assert set(lines) == {other, "00000000-0000-4000-8000-000000000001"}
    assert [one["what"] for one in lines[other]["history"]] == ["dead_letter"]
    assert answer(shop, other, journal=journal)["verdict"] == "dead letter SHIFT_NOT_OPEN"


def test_a_letter_without_an_order_is_no_part_of_an_order_with_a_longer_number(
    shop: Shop, journal: str
) -> None:
    """The journal's guess is dropped: the letter alone is told of."""
    put(shop.vhost.url, [1], order=None, docnumber="СТ-0", request=f"of-{uuid4()}")
    told = answer(shop, "ст-0", journal=journal)
    assert (told["order"], told["verdict"]) == (None, "dead letter SHIFT_NOT_OPEN")


def test_an_order_that_the_journal_lacks_is_listed_beside_its_namesake(shop: Shop, journal: str) -> None:
    """Also where it waits in a worker; the journal's order keeps its history."""
    own, letter, waiting = "00000000-0000-4000-8000-000000000002", str(uuid4()), str(uuid4())
    shop.sandbox.fault("error_500", endpoint="POST /receipts/sell")
    names = {"subject": waiting, "data__order__uuid": waiting, "data__order__docNumber": "СТ-27"}
    shop.publish(a_body(id=f"of-{waiting}", **names))
    shop.until(lambda: shop.events_of(f"of-{waiting}", "delayed"))
    put(shop.vhost.url, [1], order=letter, docnumber="СТ-27", request=f"of-{letter}")
    result = ask(shop, "--json", "СТ-27", journal=journal)
    lines = {(one := json.loads(line))["order"]: one for line in result.stdout.splitlines()}
    what = {order: [one["what"] for one in line["history"]] for order, line in lines.items()}
    assert what == {own: ["asked", "succeeded"], letter: ["dead_letter"], waiting: ["waiting"]}
    for text in (own, "old 2", "f2"):
        assert answer(shop, text, journal=journal)["deadLetters"] == []


def test_an_argument_that_is_no_text_finds_nothing(shop: Shop) -> None:
    """A byte that is no UTF-8 comes as half of a character."""
    result = ask(shop, "D-\udcff")
    assert (result.exit_code, type(result.exception)) == (1, SystemExit)
    result = ask(shop, "D-\udcff", port=free_ports(1)[0], url=f"{shop.vhost.url}-not-there")
    assert (result.exit_code, type(result.exception)) == (1, SystemExit)


def test_without_a_journal_letters_of_several_orders_are_listed(shop: Shop) -> None:
    """They are not mixed into one; the uuid leads to each."""
    number, orders = f"twice-{next(NUMBERS)}", [str(uuid4()), str(uuid4())]
    for day, order in enumerate(orders, 1):
        first_seen = {"first-seen": f"2026-05-0{day}T10:00:00Z"}
        put(shop.vhost.url, [1], order=order, docnumber=number, request=f"of-{order}", **first_seen)
    result = ask(shop, "--json", number)
    assert result.exit_code == 0
    lines = [json.loads(line) for line in result.stdout.splitlines()]
    assert [line["order"] for line in lines] == orders[::-1]
    assert [line["time"] for line in lines] == ["2026-05-02T10:00:00Z", "2026-05-01T10:00:00Z"]
    assert [[one["request"] for one in line["history"]] for line in lines] == [
        [f"of-{order}"] for order in orders[::-1]
    ]
    assert [one["order"] for one in answer(shop, orders[0])["deadLetters"]] == orders[:1]


def test_a_journal_that_is_away_is_said(shop: Shop, tmp_path: Path) -> None:
    """The others are asked all the same: exit 1 where they know nothing."""
    url = f"sqlite:///{tmp_path / 'none.db'}"
    told = answer(shop, "D-none", code=1, journal=url)
    assert told["notAsked"][0] == "the journal cannot be read (OperationalError)"


def test_without_a_journal_a_receipt_id_and_a_request_id_lead_to_the_order(shop: Shop) -> None:
    """Checkbox knows the receipt and whose it is; a dead letter names its request."""
    number = next(NUMBERS)
    order = sell(shop, number)
    event = shop.outcome(f"request-{number}")
    told = answer(shop, event["data"]["receipt"]["id"])
    assert told["verdict"].startswith("fiscalized")
    assert [one["what"] for one in told["history"]] == ["receipt"]
    put(shop.vhost.url, [number], request=f"Letter-{number}", order=order)
    told = answer(shop, f"LETTER-{number}")
    assert sorted(one["what"] for one in told["history"]) == ["dead_letter", "receipt"]
