"""Never twice, never lost: the special cases, each with a real broker, sandbox and worker processes."""

from __future__ import annotations

import json
import os
import re
import signal
import threading
import time
from collections.abc import Callable, Iterator
from datetime import datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pika
import pytest

from tests.chaos import orders
from tests.chaos.havoc import children_of
from tests.chaos.orders import OrderRequest, a_request
from tests.chaos.stage import Stage
from worker.demo.vhost import VirtualHost
from worker.demo.worker_process import WorkerProcess
from worker.fiscal.receipt import sale_receipt_id
from worker.rabbit.topology import DEAD_LETTERS

SELL = "POST /receipts/sell"
ROWS = orders.rows(10, manual=2, auto=0)
Eventually = Callable[..., Any]


@pytest.fixture
def stage(vhost: VirtualHost, tmp_path: Path) -> Iterator[Stage]:
    """Ten cashiers of two integrations with open shifts, a broker and a sandbox; no worker runs yet."""
    with Stage(vhost, ROWS, tmp_path) as stage:
        yield stage


def order(request_id: str = "first", uuid: UUID | None = None, row: int = 0, **members: Any) -> OrderRequest:
    """A request for an order, a new one unless its uuid is given."""
    uuid = uuid or uuid4()
    return a_request(uuid, f"N-{uuid.hex[:12]}", ROWS[row], request_id, **members)


def succeeded(stage: Stage, *requests: OrderRequest) -> bool:
    return {request.id for request in requests} <= stage.bimp.heard.succeeded


def failure(stage: Stage, request: OrderRequest) -> dict[str, Any] | None:
    """What the first failed event of a request says."""
    events = stage.bimp.heard.of(request.id, "failed")
    return events[0]["data"] if events else None


def success(stage: Stage, request: OrderRequest) -> dict[str, Any]:
    """What the first succeeded event of a request says."""
    data: dict[str, Any] = stage.bimp.heard.of(request.id, "succeeded")[0]["data"]
    return data


def is_at_rest(stage: Stage) -> bool:
    return not any(stage.waiting().values())


def statuses(stage: Stage, request: OrderRequest) -> list[str]:
    return [entry["status"] for entry in stage.sales_of(request.product)]


def test_one_message_to_two_processes_at_once(stage: Stage, eventually: Eventually) -> None:
    """Both processes send the same order, Checkbox takes one, and both tell of the one receipt."""
    stage.worker().start()
    warm = [order(f"warm-{row}-{n}", row=row) for row in range(len(ROWS)) for n in range(2)]
    stage.bimp.publish(warm)
    eventually(lambda: succeeded(stage, *warm))
    stage.sandbox.set_options(latency=0.4)
    twice = [order(f"twice-{row}", row=row) for row in range(len(ROWS))]
    stage.bimp.publish([request for request in twice for _ in range(2)])
    eventually(lambda: all(len(stage.bimp.heard.of(each.id, "succeeded")) == 2 for each in twice))
    eventually(lambda: is_at_rest(stage))
    for request in twice:
        assert statuses(stage, request) == ["DONE"]
        assert len({event["id"] for event in stage.bimp.heard.of(request.id, "succeeded")}) == 1
    assert stage.sandbox.counters()["duplicates_refused"] > 0


def test_the_button_pressed_twice_within_ten_milliseconds(stage: Stage, eventually: Eventually) -> None:
    """One receipt, and two succeeded events that name it; one of them says that it was there already."""
    stage.worker().start()
    first = order("first")
    second = order("second", first.order)
    began = time.monotonic()
    stage.bimp.publish([first, second])
    assert time.monotonic() - began < 1
    eventually(lambda: succeeded(stage, first, second))
    assert statuses(stage, first) == ["DONE"]
    told = [success(stage, each) for each in (first, second)]
    assert told[0]["receipt"]["id"] == told[1]["receipt"]["id"]
    assert sorted(each["alreadyFiscalized"] for each in told) == [False, True]


class ArchiveServer:
    """Bimp's archive check; what it says is set by the test."""

    def __init__(self) -> None:
        self.archived = False
        owner = self

        class Page(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                body = b'{"archived": true}' if owner.archived else b'{"archived": false}'
                self.send_response(200)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the library's name
                """Nobody reads it."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Page)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}/orders/{{orderUuid}}"
        threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True).start()


@pytest.fixture
def archive() -> Iterator[ArchiveServer]:
    """An archive check that says that nothing is archived."""
    archive = ArchiveServer()
    yield archive
    archive.server.shutdown()
    archive.server.server_close()


@pytest.mark.parametrize(
    ("fault", "outcome", "receipts"),
    [("drop_after_commit", "succeeded", 1), ("drop_before_commit", "ORDER_ARCHIVED", 0)],
)
def test_an_order_archived_between_two_attempts(
    stage: Stage, archive: ArchiveServer, eventually: Eventually, fault: str, outcome: str, receipts: int
) -> None:
    """It is fiscalized when the first attempt made the receipt, and not sold when it did not."""
    worker = stage.worker(FISCAL_ARCHIVE_CHECK_URL=archive.url, FISCAL_RETRY_MIN_BACKOFF="PT2S")
    worker.start()
    stage.sandbox.fault(fault, endpoint=SELL, count=1)
    request = order()
    stage.bimp.publish([request])
    eventually(lambda: stage.bimp.heard.of(request.id, "delayed"))
    archive.archived = True
    # A POST without an answer may land for half a minute: only then there is surely no receipt.
    eventually(lambda: request.id in stage.bimp.heard.ended)
    failed = failure(stage, request)
    assert (failed["code"] if failed else "succeeded") == outcome
    assert len(stage.sales_of(request.product)) == receipts
    assert not stage.letters()
    again = order("archived", request.order, archived=True)
    stage.bimp.publish([again])
    eventually(lambda: again.id in stage.bimp.heard.ended)
    assert bool(failure(stage, again)) == (receipts == 0)


def test_a_replay_of_an_order_fiscalized_meanwhile(stage: Stage, eventually: Eventually) -> None:
    """The dead letter of a closed shift, replayed after a second press has succeeded, finds that receipt."""
    stage.sandbox.close_shift(ROWS[0].cashier)
    stage.worker().start()
    first = order("first")
    stage.bimp.publish([first])
    eventually(lambda: failure(stage, first))
    assert [letter.code for letter in stage.letters()] == ["SHIFT_NOT_OPEN"]
    stage.sandbox.open_shift(ROWS[0].cashier)
    second = order("second", first.order)
    eventually(lambda: time.time() - _told_at(stage, first) > 5.5)
    stage.bimp.publish([second])
    eventually(lambda: succeeded(stage, second))
    assert stage.replay() == 1
    eventually(lambda: succeeded(stage, first))
    assert success(stage, first)["alreadyFiscalized"] is True
    assert statuses(stage, first) == ["DONE"]
    eventually(lambda: is_at_rest(stage))
    assert not stage.letters()


def _told_at(stage: Stage, request: OrderRequest) -> float:
    return datetime.fromisoformat(stage.bimp.heard.of(request.id, "failed")[0]["time"]).timestamp()


def test_after_an_error_comes_the_next_id_and_a_crash_finds_its_place(
    stage: Stage, eventually: Eventually
) -> None:
    """The second id is taken only past an ERROR that was seen; a killed worker finds it again by itself."""
    worker = stage.worker().start()
    stage.sandbox.fault("error_receipt", count=1)
    stage.sandbox.fault("created_for", count=1, seconds=6)
    first = order("first")
    second = order("second", first.order)
    stage.bimp.publish([first, second])
    eventually(lambda: len(stage.sales_of(first.product)) == 1)
    stage.sandbox.fault("created_for", count=1, seconds=8)
    # While the first one is CREATED nobody takes another id, however often the order is asked for.
    eventually(lambda: "ERROR" in statuses(stage, first))
    assert len(stage.sales_of(first.product)) == 1
    eventually(lambda: failure(stage, first) or failure(stage, second))
    eventually(lambda: len(stage.sales_of(first.product)) == 2)
    worker.kill()
    assert statuses(stage, first) == ["ERROR", "CREATED"]
    worker.start()
    eventually(lambda: stage.bimp.heard.succeeded)
    assert stage.replay() == 1
    eventually(lambda: succeeded(stage, first, second))
    assert [entry["id"] for entry in stage.sales_of(first.product)] == [
        str(sale_receipt_id(first.order, attempt)) for attempt in range(2)
    ]
    assert statuses(stage, first) == ["ERROR", "DONE"]


def test_a_rejected_receipt_and_its_replay(stage: Stage, eventually: Eventually) -> None:
    """The verdict is not tried again by itself; one replay makes one new receipt."""
    stage.worker().start()
    stage.sandbox.fault("error_receipt", count=1, words="Помилка перевірки документа")
    request = order()
    stage.bimp.publish([request])
    eventually(lambda: failure(stage, request))
    eventually(lambda: is_at_rest(stage))
    assert statuses(stage, request) == ["ERROR"]
    (letter,) = stage.letters()
    assert (letter.code, letter.body) == ("RECEIPT_REJECTED", request.body)
    assert "Помилка перевірки документа" in letter.headers["x-fiscal-detail"]
    assert stage.replay() == 1
    eventually(lambda: succeeded(stage, request))
    assert statuses(stage, request) == ["ERROR", "DONE"]
    assert success(stage, request)["alreadyFiscalized"] is False


def test_the_same_order_with_other_content(stage: Stage, eventually: Eventually) -> None:
    """RECEIPT_MISMATCH, and its detail tells what was asked for from what the receipt says."""
    stage.worker().start()
    first = order("first")
    stage.bimp.publish([first])
    eventually(lambda: succeeded(stage, first))
    content = {
        "products": [
            {"code": "OTHER", "name": "Інше", "count": "2", "cost": "50.00", "amount": "100.00", "vat": None}
        ],
        "total": "100.00",
        "payments": [{"form": "CASH", "amount": "100.00"}],
    }
    other = a_request(first.order, "OTHER", ROWS[0], "other", content)
    stage.bimp.publish([other])
    eventually(lambda: failure(stage, other))
    failed = failure(stage, other)
    assert failed is not None
    assert failed["code"] == "RECEIPT_MISMATCH"
    expected, found = failed["detail"]["expected"], failed["detail"]["found"]
    assert (expected["total"], [line["code"] for line in expected["lines"]]) == ("100.00", ["OTHER"])
    assert found["total"] == f"{first.total // 100}.{first.total % 100:02}"
    assert found["lines"][0]["code"] == first.product
    assert len(stage.sandbox.ledger()) == 1


def test_a_request_that_arrives_after_it_was_given_up(stage: Stage, eventually: Eventually) -> None:
    """The network holds a sale back past its time-out and delivers it then, beside the next attempt."""
    stage.worker().start()
    warm = order("warm")
    stage.bimp.publish([warm])
    eventually(lambda: succeeded(stage, warm))
    stage.to_checkbox.stall()
    request = order()
    stage.bimp.publish([request])
    eventually(lambda: stage.bimp.heard.of(request.id, "delayed"))
    assert not stage.sales_of(request.product)
    stage.to_checkbox.resume()
    eventually(lambda: succeeded(stage, request))
    eventually(lambda: is_at_rest(stage))
    assert statuses(stage, request) == ["DONE"]


def test_sigterm_under_load(stage: Stage, eventually: Eventually) -> None:
    """It ends within 25 s with exit code 0; what is not answered waits in the queues, and goes on later."""
    stage.sandbox.set_options(latency=0.2)
    worker = stage.worker().start()
    load = [order(f"load-{number}", row=number % len(ROWS)) for number in range(80)]
    stage.bimp.publish(load)
    eventually(lambda: len(stage.sandbox.ledger(body=False)) >= 20)
    began = time.monotonic()
    assert worker.terminate() == 0
    assert time.monotonic() - began < 25
    left = {name: depth for name, depth in stage.broker.queues().items() if name in stage.waiting()}
    assert not any(depth.messages_unacknowledged for depth in left.values())
    assert sum(depth.messages_ready for depth in left.values()) + len(stage.bimp.heard.ended) >= len(load)
    receipts_of_stopped = len(stage.sandbox.ledger(body=False))
    assert receipts_of_stopped < len(load)
    worker.start()
    eventually(lambda: succeeded(stage, *load))
    assert len(stage.sandbox.ledger(body=False)) == len(load)
    assert all(len(stage.bimp.heard.of(each.id, "succeeded")) == 1 for each in load)


def test_a_second_sigterm_loses_nothing(stage: Stage, eventually: Eventually) -> None:
    """It cuts off a call that hangs; the next worker looks the receipt up."""
    worker = stage.worker().start()
    request = order()
    stage.sandbox.fault("delay", endpoint=SELL, count=1, seconds=7)
    stage.bimp.publish([request])
    eventually(lambda: stage.sandbox.ledger())
    assert worker.process is not None
    began = time.monotonic()
    worker.process.terminate()
    eventually(lambda: any(line["event"] == "worker_stopping" for line in worker.lines()))
    assert worker.terminate() == 0
    assert time.monotonic() - began < 5
    worker.start()
    eventually(lambda: succeeded(stage, request))
    assert statuses(stage, request) == ["DONE"]


def test_a_process_that_is_paused_past_the_heartbeat_of_the_broker(
    stage: Stage, eventually: Eventually
) -> None:
    """Under load: the broker gives its orders to another one, and none is sold twice when it goes on."""
    worker = stage.worker().start()
    assert worker.process is not None
    paused = children_of(worker.process.pid)[1]
    requests = [order(f"paused-{number}", row=number % 8) for number in range(60)]
    stage.bimp.publish(requests[:40])
    eventually(lambda: len(stage.bimp.heard.succeeded) >= 5)
    os.kill(paused, signal.SIGSTOP)
    stage.bimp.publish(requests[40:])
    goes_on_at = time.monotonic() + 30
    eventually(lambda: time.monotonic() > goes_on_at)
    os.kill(paused, signal.SIGCONT)
    eventually(lambda: succeeded(stage, *requests) and is_at_rest(stage))
    assert all(statuses(stage, request) == ["DONE"] for request in requests)
    assert not stage.letters()


def test_a_killed_group_and_a_new_start(stage: Stage, eventually: Eventually) -> None:
    """As a machine that loses power under load: each order has its one receipt all the same."""
    worker = stage.worker().start()
    requests = [order(f"killed-{number}", row=number % 8) for number in range(40)]
    stage.bimp.publish(requests)
    eventually(lambda: len(stage.bimp.heard.succeeded) >= 5)
    worker.kill()
    assert not is_at_rest(stage)
    worker.start()
    eventually(lambda: succeeded(stage, *requests) and is_at_rest(stage))
    assert all(statuses(stage, request) == ["DONE"] for request in requests)


def test_transient_failures_back_off_and_survive_a_restart(stage: Stage, eventually: Eventually) -> None:
    """Gaps double, with jitter; a killed worker goes on with the same request; one delayed event in all."""
    backoff = {"FISCAL_RETRY_MIN_BACKOFF": "PT0.5S", "FISCAL_RETRY_MAX_BACKOFF": "PT4S"}
    worker = stage.worker(**backoff).start()
    stage.sandbox.fault("html_503", endpoint=SELL)
    load = [order(f"order-{row}", row=row) for row in range(5)]
    stage.bimp.publish(load)
    eventually(lambda: all(len(_waits(worker, each)) >= 3 for each in load))
    worker.kill()
    waits = [_waits(worker, each) for each in load]
    for number, base in enumerate((0.5, 1.0, 2.0)):
        tried = [each[number] for each in waits]
        assert all(base * 0.75 - 0.01 <= wait <= base * 1.25 + 0.01 for wait in tried)
        assert len(set(tried)) > 1
    worker.start()
    stage.sandbox.clear_faults()
    eventually(lambda: succeeded(stage, *load))
    for request in load:
        assert statuses(stage, request) == ["DONE"]
        assert len({event["id"] for event in stage.bimp.heard.of(request.id, "delayed")}) == 1
        assert success(stage, request)["attempts"] >= 3


def _waits(worker: WorkerProcess, request: OrderRequest) -> list[float]:
    """The waits between attempts of a request, as they were scheduled."""
    return [
        line["delay_seconds"]
        for line in worker.lines()
        if line.get("request_id") == request.id and line.get("outcome") == "delayed"
    ]


def test_retry_after_is_honoured(stage: Stage, eventually: Eventually) -> None:
    """Nothing is sent before the time that Checkbox named, though the backoff would be shorter."""
    stage.worker(FISCAL_RETRY_MAX_BACKOFF="PT10S").start()
    warm = order("warm")
    stage.bimp.publish([warm])
    eventually(lambda: succeeded(stage, warm))
    stage.sandbox.fault("rate_limited", endpoint=SELL, count=1, retry_after="3")
    request = order()
    sent = stage.sandbox.requests(SELL)
    stage.bimp.publish([request])
    eventually(lambda: stage.sandbox.requests(SELL) == sent + 1)
    refused_at = time.monotonic()
    eventually(lambda: stage.sandbox.requests(SELL) == sent + 2)
    assert time.monotonic() - refused_at > 2.9
    eventually(lambda: succeeded(stage, request))


def test_retries_end_with_checkbox_unavailable(stage: Stage, eventually: Eventually) -> None:
    """After FISCAL_RETRY_MAX_AGE, and not before it; the dead letter goes through when Checkbox is back."""
    stage.worker(FISCAL_RETRY_MAX_AGE="PT5S").start()
    stage.sandbox.fault("error_500", endpoint=SELL)
    request = order()
    stage.bimp.publish([request])
    began = time.monotonic()
    eventually(lambda: failure(stage, request))
    assert time.monotonic() - began > 4.5
    failed = failure(stage, request)
    assert failed is not None
    assert (failed["code"], failed["deadLettered"]) == ("CHECKBOX_UNAVAILABLE", True)
    assert len(stage.bimp.heard.of(request.id, "delayed")) == 1
    stage.sandbox.clear_faults()
    assert stage.replay() == 1
    eventually(lambda: succeeded(stage, request))
    assert statuses(stage, request) == ["DONE"]


def test_a_definite_no_is_never_tried_again(stage: Stage, eventually: Eventually) -> None:
    """Of a refused password there is one sign-in, one dead letter, and nothing on its way."""
    stage.sandbox.put_cashier(ROWS[0].cashier, password="another")
    stage.worker().start()
    request = order()
    stage.bimp.publish([request])
    eventually(lambda: failure(stage, request))
    eventually(lambda: is_at_rest(stage))
    assert [letter.code for letter in stage.letters()] == ["CASHIER_CREDENTIALS_REJECTED"]
    assert stage.sandbox.requests("POST /cashier/signin") == 1
    assert stage.sandbox.requests(SELL) == 0


def test_the_worker_stops_itself_and_is_resumed(stage: Stage, eventually: Eventually) -> None:
    """Three cashiers refused in a row stop all consuming, in so many words, until `fiscal-worker resume`."""
    for row in ROWS[:3]:
        stage.sandbox.put_cashier(row.cashier, password="another")
    worker = stage.worker(FISCAL_DEAD_LETTER_LIMIT="3").start()
    refused = [order(f"refused-{row}", row=row) for row in range(3)]
    stage.bimp.publish(refused)
    eventually(lambda: worker.page("/readyz")[0] == 503)
    assert re.match(r"stopped itself until 20\S+Z, or `fiscal-worker resume`", worker.page("/readyz")[1])
    assert "fiscal_consuming 0.0" in worker.page("/metrics")[1]
    assert worker.page("/healthz")[0] == 200
    assert any(line["event"] == "worker_stopped_itself" for line in worker.lines())
    eventually(lambda: not stage.broker.queues()["fiscalize"].consumers)
    request = order("good", row=5)
    stage.bimp.publish([request])
    eventually(lambda: stage.broker.queues()["fiscalize"].messages_ready == 1)
    resumed = stage.command("resume", "--json")
    assert (resumed.returncode, json.loads(resumed.stdout)) == (0, {"resumed": True})
    eventually(lambda: succeeded(stage, request))
    eventually(lambda: worker.page("/readyz")[0] == 200)
    assert "fiscal_consuming 1.0" in worker.page("/metrics")[1]
    assert len(stage.letters()) == 3


def test_no_number_of_looks_or_redeliveries_removes_anything(stage: Stage, eventually: Eventually) -> None:
    """A dead letter looked at 200 times and an order redelivered 50 times are still there."""
    worker = stage.worker().start()
    stage.sandbox.put_cashier(ROWS[0].cashier, password="another")
    refused, request = order("refused"), order("good", row=1)
    stage.bimp.publish([refused])
    # Acknowledged too: a worker that is killed before that puts the letter away a second time.
    eventually(lambda: stage.letters() and not any(stage.waiting().values()))
    worker.kill()
    for _ in range(200):
        assert len(stage.letters()) == 1
    stage.bimp.publish([request])
    with pika.BlockingConnection(pika.URLParameters(stage.broker.url)) as connection:
        channel = connection.channel()
        for _ in range(50):
            tag = eventually(lambda: channel.basic_get("fiscalize")[0]).delivery_tag
            channel.basic_nack(tag, requeue=True)
    worker.start()
    eventually(lambda: succeeded(stage, request))
    assert statuses(stage, request) == ["DONE"]
    assert stage.broker.queues()[DEAD_LETTERS].messages == 1
