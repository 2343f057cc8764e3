"""What becomes of a delivery, on a real broker with real events: only the use case is scripted."""

from __future__ import annotations

import gc
import json
import re
import time
import weakref
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from random import Random
from types import SimpleNamespace
from typing import Any

import pika
import pytest

from tests.builders import a_body, an_integration, configured
from tests.rabbit.running import TOPOLOGY, Running, declare, drained, publish
from worker.demo.rabbitmq import PrivateRabbitMQ
from worker.demo.vhost import VirtualHost
from worker.fiscal.attempt_state import AttemptState
from worker.fiscal.order import Request
from worker.fiscal.outcomes import (
    NOT_DEAD_LETTERED,
    Code,
    Fiscalized,
    IssuedReceipt,
    Postponed,
    Rejected,
    Unavailable,
    Verdict,
)
from worker.fiscal.reasons import Wait
from worker.interprocess.stop_limit import StopLimit
from worker.rabbit.connection import parameters
from worker.rabbit.decision import SettlementDependencies
from worker.rabbit.delivery import Delivery
from worker.rabbit.loop import Loop
from worker.rabbit.publisher import Publisher
from worker.rabbit.publishing_connection import PublishFailed
from worker.rabbit.retry_policy import RetryPolicy
from worker.rabbit.settlement import Settlement
from worker.rabbit.topology import DEAD_LETTERS, EVENTS_QUEUE, Topology
from worker.telemetry import pass_log, spans

Eventually = Callable[..., Any]
EXAMPLES = Path(__file__).parents[2] / "docs" / "examples"
ORDER = (EXAMPLES / "valid" / "one_line_card.json").read_bytes()
REQUEST_ID = json.loads(ORDER)["id"]
RECEIPT = IssuedReceipt(
    id="5d9ec3c5-3f1c-5a7e-9d0c-0f4f6a1f2b3c",
    status="DONE",
    fiscal_code="FISCAL-1",
    fiscal_date="2026-11-24T10:20:07+00:00",
    total=27000,
    lines=(),
    offline=False,
    tax_url=None,
    register_number=None,
    shift_id=None,
    context={},
    error=None,
    seconds_to_number=1.0,
)
DONE = Fiscalized(RECEIPT, already=False, checkbox_url="https://api.checkbox.ua")


class Scenario:
    """Does what the next item of the script says; the last one stands for all that follow."""

    def __init__(self) -> None:
        self.script: list[Exception | Fiscalized] = [DONE]
        self.states: list[AttemptState] = []

    def __call__(self, request: Request, state: AttemptState) -> Fiscalized:
        self.states.append(state)
        step = self.script.pop(0) if len(self.script) > 1 else self.script[0]
        if isinstance(step, Exception):
            raise step
        return step


#: How a message of ours is delivered: through no exchange.
_STRAIGHT = SimpleNamespace(exchange="", redelivered=False)


class Desk:
    """A settlement on an empty virtual host, and what it left behind."""

    def __init__(self, vhost: VirtualHost, topology: Topology = TOPOLOGY) -> None:
        self.vhost = vhost
        self.topology = topology
        self.now = time.time()
        self.scenario = Scenario()
        self.has_room = False
        self.stop_limit = StopLimit(limit=3)
        self.publisher = Publisher(Loop(), parameters(vhost.url, "test"), topology.declare)
        declare(vhost.url, topology)
        self.settlement = self.settling(RetryPolicy(min_backoff=5, max_backoff=600, max_age=3600))

    def settling(self, policy: RetryPolicy) -> Settlement:
        return Settlement(
            SettlementDependencies(
                fiscalize=self.scenario,
                publisher=self.publisher,
                topology=self.topology,
                policy=policy,
                stop_limit=self.stop_limit,
                configured=configured(an_integration(company="000001398")).rows.get,
                has_room=lambda: self.has_room,
                clock=lambda: self.now,
                random=Random(1),
            )
        )

    def process(self, step: Exception | Fiscalized, body: bytes = ORDER, **members: Any) -> None:
        self.scenario.script = [step]
        self.work(Delivery("fiscalize", body, **members))

    def work(self, delivery: Delivery) -> None:
        """A pass, and what the broker confirms of it. Raises ``PublishFailed``."""
        effect = self.settlement.process(delivery)
        assert isinstance(effect, Future)
        effect.result()

    def events(self) -> list[dict[str, Any]]:
        return [json.loads(body) for body, _ in drained(self.vhost.url, EVENTS_QUEUE)]

    def letters(self) -> list[tuple[bytes, pika.BasicProperties]]:
        return drained(self.vhost.url, DEAD_LETTERS)

    def waiting(self, queue: str) -> list[Delivery]:
        return [
            Delivery.received(queue, _STRAIGHT, properties, body)
            for body, properties in drained(self.vhost.url, queue)
        ]


@pytest.fixture
def desk(vhost: VirtualHost) -> Iterator[Desk]:
    desk = Desk(vhost)
    yield desk
    desk.publisher.close()


@pytest.fixture
def classic_desk(vhost: VirtualHost) -> Iterator[Desk]:
    """Its queues may be full at once, where a quorum queue takes some more first."""
    desk = Desk(vhost, Topology(queue_type="classic"))
    yield desk
    desk.publisher.close()


def test_a_receipt_with_a_number_is_told(desk: Desk) -> None:
    """One succeeded event, and nothing else anywhere."""
    desk.process(DONE)
    [event] = desk.events()
    assert event["type"] == "ua.bimp.fiscalization.succeeded.v1"
    assert event["data"]["receipt"]["fiscalCode"] == "FISCAL-1"
    assert event["data"]["requestId"] == REQUEST_ID
    assert {name for name, depth in desk.vhost.queues().items() if depth.messages} == set()


@pytest.mark.parametrize("code", [code for code in Code if code is not Code.INVALID_MESSAGE])
def test_a_no_is_told_and_put_away(desk: Desk, code: Code) -> None:
    """The event says whether there is a dead letter; it has the body byte for byte and its content type."""
    desk.process(Rejected(code, {"why": "x"}), content_type="application/json")
    [event] = desk.events()
    assert event["data"]["code"] == code
    assert event["data"]["deadLettered"] is (code not in NOT_DEAD_LETTERED)
    letters = desk.letters()
    assert len(letters) == (code not in NOT_DEAD_LETTERED)
    for body, properties in letters:
        assert body == ORDER
        assert properties.content_type == "application/json"
        assert properties.headers["x-fiscal-code"] == code
        assert properties.headers["x-fiscal-request"] == REQUEST_ID
        assert json.loads(properties.headers["x-fiscal-detail"]) == {"why": "x"}


@pytest.mark.parametrize(
    "body",
    [
        b'{"queue_name":"elsewhere","actor_name":"fiscalize","args":[],"kwargs":{},"options":null,"id":"7"}',
        b'{"queue_name":"fiscalize","actor_name":["a"],"args":null,"options":{"eta":9e99},"id":"7"}',
        b'{"id":"7","specversion":"1.0","options":[],"retries":"x","message_timestamp":"now"}',
    ],
    ids=["foreign queue", "actor is a list", "options are a list"],
)
def test_an_envelope_of_dramatiq_is_an_invalid_message(
    desk: Desk, eventually: Eventually, body: bytes
) -> None:
    """T4, T5: more of them than threads; good orders go on, and every one of the bad is a dead letter."""
    with Running(desk.vhost.url, desk.settlement.process, threads=2) as running:
        publish(desk.vhost.url, *[body] * 4, ORDER)
        eventually(lambda: desk.vhost.queues()[DEAD_LETTERS].messages == 4)
        eventually(lambda: desk.vhost.queues()[EVENTS_QUEUE].messages == 5)
        eventually(lambda: desk.vhost.queues()["fiscalize"].messages == 0)
        assert running.threads_alive == 2
    assert {properties.headers["x-fiscal-code"] for _, properties in desk.letters()} == {"INVALID_MESSAGE"}
    assert sorted(event["data"].get("code", "") for event in desk.events()) == ["", *["INVALID_MESSAGE"] * 4]


@pytest.mark.parametrize(
    ("made", "posted", "code", "told"),
    [
        (True, None, Code.CASHIER_CREDENTIALS_REJECTED, True),
        (True, None, Code.UNKNOWN_INTEGRATION, True),
        (False, None, Code.RECEIPT_REJECTED, False),
        (False, 1.0, Code.RECEIPT_REJECTED, False),
        (None, None, Code.TOTALS_MISMATCH, None),
        (True, 1.0, Code.CHECKBOX_UNAVAILABLE, True),
    ],
)
def test_a_receipt_that_was_made_is_told(
    desk: Desk, made: bool | None, posted: float | None, code: Code, told: bool | None
) -> None:
    """In the event, and in its sentence: whoever reads that nothing was sold would sell again."""
    state = AttemptState(first_seen=desk.now, posted_at=posted)
    headers = Delivery("fiscalize", b"").rescheduled(state, 0).headers
    desk.process(Rejected(code, receipt_made=made), headers=headers)
    [event] = desk.events()
    assert event["data"]["receiptMade"] is told
    assert event["data"]["message"]["ru"].startswith(("Чек уже создан", "Чек создан")) is (told is True)


def test_a_failure_names_its_facts(desk: Desk) -> None:
    """The sentence is made from the verdict's detail."""
    desk.process(Rejected(Code.UNKNOWN_CASHIER, {"integration": "shop-main", "cashier": "ivan"}))
    [event] = desk.events()
    assert event["data"]["message"]["uk"].endswith("(shop-main/ivan)")


def test_an_order_that_cannot_be_told_has_no_subject(desk: Desk) -> None:
    """Neither a subject nor a header; the request's id is enough for an event."""
    zeros = "00000000-0000-0000-0000-000000000000"
    desk.process(DONE, a_body(subject=zeros, data__order__uuid=zeros))
    [event] = desk.events()
    assert "subject" not in event
    assert event["data"]["order"] == {"uuid": None, "docNumber": "ЗП-000482"}
    [(_, properties)] = desk.letters()
    assert "x-fiscal-order" not in properties.headers


@pytest.mark.parametrize("body", [b"", b"\xff\xfe", b"[1]", b'{"id": ""}', b"x" * (2**20 + 1)])
def test_without_a_request_id_there_is_a_dead_letter_and_no_event(desk: Desk, body: bytes) -> None:
    """Nobody could match it to anything."""
    desk.process(DONE, body)
    [(kept, properties)] = desk.letters()
    assert kept == body
    assert "x-fiscal-request" not in properties.headers
    assert desk.events() == []


def test_a_fault_of_the_worker_is_this_message_alone(desk: Desk) -> None:
    """INTERNAL_ERROR with the error's name, and none of its words."""
    desk.process(ZeroDivisionError("buyer@example.com"))
    [(_, properties)] = desk.letters()
    assert json.loads(properties.headers["x-fiscal-detail"]) == {"error": "ZeroDivisionError"}
    assert desk.events()[0]["data"]["code"] == "INTERNAL_ERROR"


def test_a_long_detail_is_cut(desk: Desk) -> None:
    """A thousand errors: at most 8 KiB in the header, and it says so."""
    errors = [{"path": f"/data/order/products/{n}/vat", "problem": "є обов'язковим"} for n in range(1000)]
    desk.process(Rejected(Code.TOTALS_MISMATCH, {"errors": errors}))
    [(_, properties)] = desk.letters()
    detail = properties.headers["x-fiscal-detail"]
    assert len(detail.encode()) <= 8192
    cut = json.loads(detail)
    assert cut["truncated"] is True
    assert cut["errors"] == errors[: len(cut["errors"])]
    assert len(cut["errors"]) >= 32


def test_long_names_are_cut_in_headers(desk: Desk) -> None:
    """Each at most 256 characters."""
    desk.process(DONE, json.dumps({"id": "i" * 128, "data": {"order": {"docNumber": "№" * 64}}}).encode())
    [(_, properties)] = desk.letters()
    texts = {name: value for name, value in properties.headers.items() if isinstance(value, str)}
    assert max(len(value) for name, value in texts.items() if name != "x-fiscal-detail") <= 256


@pytest.mark.parametrize(
    ("after", "queue"), [(0.5, TOPOLOGY.follow_up), (20.0, TOPOLOGY.follow_up), (21.0, TOPOLOGY.retry)]
)
def test_what_needs_time_waits_and_nobody_is_told(desk: Desk, after: float, queue: str) -> None:
    """Short waits in one queue and long ones in another; no attempt is counted."""
    state = AttemptState(first_seen=desk.now, posted_at=desk.now, looks=1)
    desk.process(Postponed(after, Wait.NUMBER, state=state))
    [waiting] = desk.waiting(queue)
    assert waiting.body == ORDER
    assert waiting.due == pytest.approx(desk.now + after, abs=0.002)
    assert waiting.attempt_state(desk.now) == state
    assert desk.events() == []


def test_the_first_wait_for_a_number_stays_in_hand(desk: Desk) -> None:
    """Nothing is published: the process works on the same delivery again, with what it has read."""
    desk.has_room = True
    state = AttemptState(first_seen=desk.now, posted_at=desk.now, looks=1, look_up_first=True)
    desk.scenario.script = [Postponed(0.5, Wait.NUMBER, state=state)]
    kept = desk.settlement.process(Delivery("fiscalize", ORDER))
    assert isinstance(kept, Delivery)
    assert (kept.due, kept.attempt_state(desk.now), kept.is_kept) == (desk.now + 0.5, state, True)
    assert not kept.is_first
    assert {name for name, depth in desk.vhost.queues().items() if depth.messages} == set()
    desk.scenario.script = [DONE]
    desk.work(kept)
    assert desk.scenario.states[-1] == state
    assert len(desk.events()) == 1


@pytest.mark.parametrize(
    ("reason", "looks", "room", "after", "queue"),
    [
        ("number", 2, True, 0.5, TOPOLOGY.follow_up),
        ("number", 1, False, 0.5, TOPOLOGY.follow_up),
        ("rate_limit", 1, True, 0.5, TOPOLOGY.follow_up),
        ("read_too_long_ago", 1, True, 5.0, TOPOLOGY.follow_up),
        ("number", 1, True, 3600.0, TOPOLOGY.retry),
    ],
    ids=["second look", "no room", "the rate limiter", "slow reads", "a slow tax service"],
)
def test_every_other_wait_goes_through_the_broker(
    desk: Desk, reason: str, looks: int, room: bool, after: float, queue: str
) -> None:
    """What may take long keeps its state over a crash, and takes no place from new orders."""
    desk.has_room = room
    state = AttemptState(first_seen=desk.now, posted_at=desk.now, looks=looks)
    desk.process(Postponed(after, reason, state=state))
    [waiting] = desk.waiting(queue)
    assert waiting.attempt_state(desk.now) == state
    assert waiting.due <= desk.now + 600  # the broker's patience with an unacknowledged message is 30 minutes


def test_a_fault_is_told_once_and_tried_again(desk: Desk) -> None:
    """Delayed once for the request, then silence; the attempts are counted and a look-up comes first."""
    desk.process(Unavailable({"status": 503}))
    [event] = desk.events()
    assert event["type"] == "ua.bimp.fiscalization.delayed.v1"
    [waiting] = desk.waiting(TOPOLOGY.follow_up)
    state = waiting.attempt_state(desk.now)
    assert (state.faults, state.delayed, state.look_up_first) == (1, True, True)
    assert desk.now + 3.7 < waiting.due < desk.now + 6.3
    desk.scenario.script = [Unavailable({"status": 503})]
    desk.work(waiting)
    assert desk.events() == []
    assert desk.waiting(TOPOLOGY.follow_up)[0].attempt_state(desk.now).faults == 2


def test_a_post_whose_end_is_unknown_is_noted(desk: Desk) -> None:
    """Until its receipt would be shown there is no final no; a later fault does not erase the moment."""
    desk.process(Unavailable({"reason": "timeout"}, may_have_sold=True))
    [waiting] = desk.waiting(TOPOLOGY.follow_up)
    assert waiting.attempt_state(desk.now).unknown_since == pytest.approx(desk.now, abs=0.01)
    posted_at, desk.now = desk.now, desk.now + 5
    desk.scenario.script = [Unavailable({"status": 503})]
    desk.work(waiting)
    [waiting] = desk.waiting(TOPOLOGY.follow_up)
    assert waiting.attempt_state(desk.now).unknown_since == pytest.approx(posted_at, abs=0.01)


def test_retry_after_is_honoured_up_to_the_longest_wait(desk: Desk) -> None:
    """Never before what the other side asked for, also past the longest backoff; ten minutes at most."""
    desk.process(Unavailable({}, retry_after=60))
    assert desk.waiting(TOPOLOGY.retry)[0].due == pytest.approx(desk.now + 60, abs=0.002)
    desk.process(Unavailable({}, retry_after=86_400))
    assert desk.waiting(TOPOLOGY.retry)[0].due == pytest.approx(desk.now + 600, abs=0.002)
    desk.settlement = desk.settling(RetryPolicy(min_backoff=0.1, max_backoff=1, max_age=3600))
    desk.process(Unavailable({}, retry_after=60))
    assert desk.waiting(TOPOLOGY.retry)[0].due == pytest.approx(desk.now + 60, abs=0.002)


def test_the_last_try_is_at_the_end_of_the_longest_age(desk: Desk) -> None:
    """A fault shortly before it is tried once more at it; one at it is CHECKBOX_UNAVAILABLE."""
    start = desk.now
    state = AttemptState(first_seen=start, faults=9, delayed=True)
    headers = Delivery("fiscalize", b"").rescheduled(state, 0).headers
    desk.now = start + 3599
    desk.process(Unavailable({"status": 502}), headers=headers)
    [waiting] = desk.waiting(TOPOLOGY.follow_up)
    assert waiting.due == pytest.approx(start + 3600, abs=0.002)
    desk.now = start + 3600
    desk.work(waiting)
    [event] = desk.events()
    assert (event["data"]["code"], event["data"]["detail"]) == ("CHECKBOX_UNAVAILABLE", {"status": 502})
    assert event["data"]["attempts"] == 11
    [(_, properties)] = desk.letters()
    assert properties.headers["x-fiscal-attempts"] == 11


@contextmanager
def refusing(desk: Desk, rabbitmq: PrivateRabbitMQ, *queues: str) -> Iterator[None]:
    """These queues are full, and the broker refuses what would go there."""
    pattern = "|".join(f"^{re.escape(queue)}$" for queue in queues)
    full = '{"max-length":0,"overflow":"reject-publish"}'
    rabbitmq.ctl("set_policy", "-p", desk.vhost.name, "full", pattern, full)
    yield
    rabbitmq.ctl("clear_policy", "-p", desk.vhost.name, "full")


@pytest.mark.parametrize(
    ("step", "letters"),
    [(DONE, 0), (Rejected(Code.SHIFT_NOT_OPEN, {"why": "x"}), 1), (Rejected(Code.ORDER_ARCHIVED), 0)],
    ids=["succeeded", "failed", "failed without a letter"],
)
def test_an_event_that_is_refused_is_all_that_is_repeated(
    classic_desk: Desk, rabbitmq: PrivateRabbitMQ, step: Fiscalized | Verdict, letters: int
) -> None:
    """The use case is not run again, no second letter written, and the event stays as it was."""
    classic_desk.process(step)
    [(told, as_told)] = drained(classic_desk.vhost.url, EVENTS_QUEUE)
    assert len(classic_desk.letters()) == letters
    with refusing(classic_desk, rabbitmq, EVENTS_QUEUE):
        classic_desk.process(step)
        runs, waits = len(classic_desk.scenario.states), []
        for _ in range(100):
            [waiting] = classic_desk.waiting(TOPOLOGY.outbox)
            waits.append(waiting.due - classic_desk.now)
            classic_desk.now = waiting.due
            classic_desk.work(waiting)
        assert classic_desk.events() == []
        assert waits[:6] == pytest.approx([2, 2, 4, 8, 16, 32], abs=0.01)
        assert max(waits) == pytest.approx(60, abs=0.01)
    [waiting] = classic_desk.waiting(TOPOLOGY.outbox)
    classic_desk.work(waiting)
    [(event, properties)] = drained(classic_desk.vhost.url, EVENTS_QUEUE)
    assert {**json.loads(event), "time": ""} == {**json.loads(told), "time": ""}
    assert (properties.message_id, properties.type, properties.content_type) == (
        as_told.message_id,
        as_told.type,
        as_told.content_type,
    )
    assert len(classic_desk.scenario.states) == runs
    assert len(classic_desk.letters()) == letters
    assert not classic_desk.stop_limit.is_engaged
    assert {name for name, depth in classic_desk.vhost.queues().items() if depth.messages} == set()


def test_a_delayed_event_that_is_refused_is_told_with_the_next_fault(
    classic_desk: Desk, rabbitmq: PrivateRabbitMQ
) -> None:
    """The order is tried again as after any fault; a late word of a delay would come after its end."""
    with refusing(classic_desk, rabbitmq, EVENTS_QUEUE):
        classic_desk.process(Unavailable({"status": 503}))
    [waiting] = classic_desk.waiting(TOPOLOGY.follow_up)
    state = waiting.attempt_state(classic_desk.now)
    assert (state.faults, state.delayed, state.look_up_first) == (1, False, True)
    classic_desk.work(waiting)
    assert [event["data"]["attempts"] for event in classic_desk.events()] == [2]
    assert classic_desk.waiting(TOPOLOGY.follow_up)[0].attempt_state(classic_desk.now).delayed


def test_a_letter_that_is_refused_is_written_before_anything_is_told(
    classic_desk: Desk, rabbitmq: PrivateRabbitMQ
) -> None:
    """The order is rescheduled, for longer the older it is; no event names a letter that was not written."""
    with refusing(classic_desk, rabbitmq, DEAD_LETTERS):
        classic_desk.process(Rejected(Code.INTERNAL_ERROR))
        waits = []
        for _ in range(10):
            [waiting] = classic_desk.waiting(TOPOLOGY.waiting_for(20.0 if len(waits) < 4 else 40.0))
            waits.append(waiting.due - classic_desk.now)
            classic_desk.now = waiting.due
            classic_desk.work(waiting)
        assert waits[:5] == pytest.approx([5, 5, 10, 20, 40], abs=0.01)
        assert max(waits) == pytest.approx(600, abs=0.01)
        assert not classic_desk.stop_limit.is_engaged
    [waiting] = classic_desk.waiting(TOPOLOGY.retry)
    assert waiting.attempt_state(classic_desk.now).look_up_first
    assert classic_desk.events() == []
    classic_desk.work(waiting)
    assert len(classic_desk.letters()) == len(classic_desk.events()) == 1


def test_what_nobody_takes_is_not_settled(classic_desk: Desk, rabbitmq: PrivateRabbitMQ) -> None:
    """T2: neither the event nor the outbox: nothing is acknowledged."""
    with refusing(classic_desk, rabbitmq, EVENTS_QUEUE, TOPOLOGY.outbox), pytest.raises(PublishFailed):
        classic_desk.process(DONE)
    assert {name for name, depth in classic_desk.vhost.queues().items() if depth.messages} == set()


def test_a_stranger_in_the_outbox_is_an_invalid_message(desk: Desk) -> None:
    """Whatever lies there without our header, or with a broken one."""
    for headers in ({}, {"x-fiscal-untold": "{}"}, {"x-fiscal-untold": 7}):
        desk.work(Delivery(TOPOLOGY.outbox, b"stranger", headers=headers))
    assert {letter.headers["x-fiscal-code"] for _, letter in desk.letters()} == {"INVALID_MESSAGE"}


class Broken:
    """What only tells, and cannot."""

    def __getattr__(self, name: str) -> Any:
        raise OSError("the disk is full")


@pytest.mark.parametrize(
    "step", [DONE, Rejected(Code.SHIFT_NOT_OPEN), Postponed(1, Wait.NUMBER), Unavailable({})]
)
@pytest.mark.parametrize("broken", ["metrics", "_log", "spans"])
def test_what_only_tells_decides_nothing(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, step: Fiscalized | Verdict, broken: str
) -> None:
    """A counter, a line or a span that fails changes neither verdict nor messages."""
    desk.process(step)
    expected = [event["data"].get("code") for event in desk.events()], len(desk.letters())
    if broken == "spans":
        monkeypatch.setattr(spans, "_tracer", Broken())
    else:
        monkeypatch.setattr(pass_log, broken, Broken())
    monkeypatch.setattr("worker.telemetry.quiet._log", Broken())
    desk.process(step)
    assert ([event["data"].get("code") for event in desk.events()], len(desk.letters())) == expected


def test_a_return_is_counted_whatever_sign_its_total_bears(desk: Desk) -> None:
    """A counter refuses a minus: that came after the event, and was told as a second, failed outcome."""
    desk.process(Fiscalized(replace(RECEIPT, total=-27000), already=False, checkbox_url="https://c"))
    assert [event["type"].split(".")[-2] for event in desk.events()] == ["succeeded"]
    assert desk.letters() == []


def test_an_event_that_cannot_be_made_is_a_fault_of_ours_that_tells_of_the_receipt(desk: Desk) -> None:
    """Nothing was published before, so that there is one outcome; and nobody sells by hand."""
    odd = replace(RECEIPT, fiscal_date="the day after tomorrow")
    desk.process(Fiscalized(odd, already=False, checkbox_url="https://c"))
    [event] = desk.events()
    assert (event["data"]["code"], event["data"]["receiptMade"]) == ("INTERNAL_ERROR", True)
    assert len(desk.letters()) == 1


def test_a_fault_of_ours_tells_of_a_receipt_that_was_posted_before(desk: Desk) -> None:
    """Its number was awaited when the worker broke."""
    posted = AttemptState(first_seen=desk.now, posted_at=desk.now)
    desk.process(RuntimeError("broken"), headers=Delivery("fiscalize", b"").rescheduled(posted, 0).headers)
    [event] = desk.events()
    assert (event["data"]["code"], event["data"]["receiptMade"]) == ("INTERNAL_ERROR", True)


@pytest.mark.parametrize("verdict", [Rejected(Code.SHIFT_NOT_OPEN), Unavailable({})])
def test_what_a_pass_learned_is_kept(desk: Desk, verdict: Rejected | Unavailable) -> None:
    """The verdict's own state takes the place of the delivery's, before the fault is counted or told."""
    verdict.state = AttemptState(first_seen=desk.now, faults=6, posted_at=desk.now)
    desk.process(verdict)
    verdict.state = None
    assert desk.events()[0]["data"]["attempts"] == 7
    for waiting in desk.waiting(TOPOLOGY.retry):
        assert (waiting.attempt_state(desk.now).faults, waiting.attempt_state(desk.now).posted_at) == (
            7,
            desk.now,
        )


def test_a_time_in_the_future_puts_no_end_off(desk: Desk) -> None:
    """A pod's clock was a day ahead when it first saw the request: the longest age ends it all the same."""
    ahead = AttemptState(first_seen=desk.now + 86_400, delayed=True)
    desk.process(Unavailable({}), headers=Delivery("fiscalize", b"").rescheduled(ahead, 0).headers)
    [waiting] = desk.waiting(TOPOLOGY.follow_up)
    desk.now += 3600
    desk.work(waiting)
    assert [event["data"]["code"] for event in desk.events()] == ["CHECKBOX_UNAVAILABLE"]


def test_a_repeat_after_a_crash_has_the_same_event_id(desk: Desk) -> None:
    """Bimp can tell it by its id; another replay of the same request has another."""
    desk.process(Rejected(Code.SHIFT_NOT_OPEN))
    desk.process(Rejected(Code.SHIFT_NOT_OPEN), redelivered=True)
    desk.process(Rejected(Code.SHIFT_NOT_OPEN), headers={"x-fiscal-replays": 1})
    first, again, replayed = (event["id"] for event in desk.events())
    assert first == again != replayed


def test_faults_in_a_row_reach_the_stop_limit(desk: Desk) -> None:
    """A success in between ends the row; a message's own fault does too."""
    broken = Rejected(Code.INTERNAL_ERROR)
    for step in (broken, broken, DONE, broken, broken, Rejected(Code.INVALID_MESSAGE), broken, broken):
        desk.process(step)
        assert not desk.stop_limit.is_engaged
    desk.process(broken)
    assert desk.stop_limit.is_engaged


def test_a_postponed_pass_says_nothing_of_the_worker(desk: Desk) -> None:
    """Waiting in between neither counts nor ends the row."""
    broken = Rejected(Code.INTERNAL_ERROR)
    for step in (broken, Postponed(1, Wait.NUMBER), broken, Unavailable({}), broken):
        desk.process(step)
    assert desk.stop_limit.is_engaged


def test_the_way_through_waits_ends_in_one_event(desk: Desk, eventually: Eventually) -> None:
    """Put off twice and delayed once over the real queues: each pass knows the ones before."""
    desk.settlement = desk.settling(RetryPolicy(min_backoff=0.1, max_backoff=1, max_age=3600))
    posted = AttemptState(first_seen=1e9, posted_at=1e9 + 5, has_reserved=True)
    desk.scenario.script = [
        Postponed(0.1, Wait.RATE_LIMIT, state=posted),
        Unavailable({}),
        Postponed(0.1, "shift"),
        DONE,
    ]

    def process(delivery: Delivery) -> None:
        desk.now = time.time()
        desk.settlement.process(delivery)

    desk.settlement = desk.settling(RetryPolicy(min_backoff=0.1, max_backoff=1, max_age=1e10))
    with Running(desk.vhost.url, process):
        publish(desk.vhost.url, ORDER)
        eventually(lambda: desk.vhost.queues()[EVENTS_QUEUE].messages == 2)
        eventually(lambda: not any(desk.vhost.queues()[name].messages for name in TOPOLOGY.consumed))
    assert [event["type"].split(".")[-2] for event in desk.events()] == ["delayed", "succeeded"]
    assert [(state.faults, state.posted_at) for state in desk.scenario.states[1:]] == [
        (0, 1e9 + 5),
        (1, 1e9 + 5),
        (1, 1e9 + 5),
    ]


def test_a_settled_message_is_let_go_of_at_once(desk: Desk) -> None:
    """Bodies are large: what was refused or rescheduled is not kept until a garbage collection."""
    gc.disable()
    try:
        for step in (Rejected(Code.SHIFT_NOT_OPEN), Postponed(1.0, Wait.RATE_LIMIT), Unavailable({})):
            delivery = Delivery("fiscalize", ORDER)
            kept = weakref.ref(delivery)
            desk.scenario.script = [step]
            desk.work(delivery)
            del delivery
            assert kept() is None
    finally:
        gc.enable()
