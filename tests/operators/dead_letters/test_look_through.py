"""Looking through the dead letters leaves them as they were, and taking one takes that one."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime
from itertools import islice

import pika
import pytest

from tests.cli.letters import connect, headers, numbers, put, ready
from worker.operators.dead_letters.filter import Filter
from worker.operators.dead_letters.lock import LOCK, Locked, locked
from worker.operators.dead_letters.look_through import LookThrough, NoDeadLetterQueue, depth
from worker.rabbit.dead_letter import DeadLetter
from worker.rabbit.topology import DEAD_LETTERS


def everything(_: DeadLetter) -> bool:
    return True


def number(letter: DeadLetter) -> int:
    return int((letter.doc_number or "").removeprefix("N-"))


@pytest.mark.parametrize("queue_type", ["quorum", "classic"])
def test_looks_of_any_length_leave_all_letters_in_order(amqp_url: str, queue_type: str) -> None:
    """Whether a look ends at once, in the middle or at the end: all are there afterwards, in their order."""
    put(amqp_url, range(900), queue_type=queue_type)
    with connect(amqp_url) as connection:
        for wanted in (900, 0, 1, 90, 150, 700, 900, 10):
            with LookThrough(connection, everything, depth(connection)) as look:
                seen = [number(letter) for letter in islice(look.letters(), wanted)]
            assert seen == list(range(wanted))
            assert depth(connection) == 900
    assert numbers(amqp_url) == list(range(900))


def test_what_is_removed_is_gone_and_the_others_keep_their_order(amqp_url: str) -> None:
    """Every third letter is taken; the others stay where they were, behind each other."""
    put(amqp_url, range(600))
    with connect(amqp_url) as connection:
        with LookThrough(connection, lambda letter: number(letter) % 3 == 0, 600) as look:
            for _ in islice(look.letters(), 150):
                look.remove()
        assert depth(connection) == 450
    assert numbers(amqp_url) == [n for n in range(600) if n % 3 or n >= 450]


def test_a_pass_that_takes_all_has_few_in_hand_however_many_there_are(amqp_url: str) -> None:
    """Where every letter goes, the broker sends 100 ahead: memory does not grow with the queue."""
    put(amqp_url, range(1500))
    with connect(amqp_url) as connection, LookThrough(connection, everything, 1500) as look:
        for letter in look.letters():
            look.remove()
            if number(letter) % 250 == 0:
                assert ready(amqp_url, DEAD_LETTERS) >= 1500 - look.removed - 100
    assert numbers(amqp_url) == []


def test_letters_that_come_during_a_pass_are_not_met(amqp_url: str) -> None:
    """What fails again during a replay is not replayed again in the same run, and waits behind the rest."""
    put(amqp_url, range(5))
    with connect(amqp_url) as connection:
        seen = []
        with LookThrough(connection, everything, depth(connection)) as look:
            for letter in look.letters():
                seen.append(number(letter))
                put(amqp_url, [100 + number(letter)])
    assert seen == [0, 1, 2, 3, 4]
    assert numbers(amqp_url) == [0, 1, 2, 3, 4, 100, 101, 102, 103, 104]


def test_a_slow_pass_is_renewed_before_the_broker_ends_it(amqp_url: str) -> None:
    """Past ten minutes the letters go back and are taken anew: none is met twice, none is missed."""
    put(amqp_url, range(300))
    now = [0.0]
    with connect(amqp_url) as connection:
        seen, is_renewed = [], []
        with LookThrough(connection, everything, 300, clock=lambda: now[0] + time.monotonic()) as look:
            for letter in look.letters():
                seen.append(number(letter))
                is_renewed.append(letter.delivery.redelivered)
                if number(letter) % 2:
                    look.remove()
                if number(letter) % 100 == 50:
                    now[0] += 601
    assert seen == list(range(300))
    assert is_renewed == [False] * 51 + [True] * 249
    assert numbers(amqp_url) == list(range(0, 300, 2))


def test_letters_that_somebody_else_takes_end_the_pass(amqp_url: str) -> None:
    """A queue that was purged meanwhile does not make the command wait for ever."""
    put(amqp_url, range(3))
    with connect(amqp_url) as connection, LookThrough(connection, everything, 10) as look:
        assert [number(letter) for letter in look.letters()] == [0, 1, 2]


def test_a_missing_queue_is_told(amqp_url: str) -> None:
    """Where no worker ever ran, there is no queue to look at."""
    with connect(amqp_url) as connection, pytest.raises(NoDeadLetterQueue):
        depth(connection)


def test_a_second_command_is_told_who_is_at_work(amqp_url: str) -> None:
    """The holder answers for itself, and when it is gone nothing of the lock is left."""
    first, second = connect(amqp_url), connect(amqp_url)

    class Ticking:
        """Lets the holder see to its connection while the other one waits."""

        def __call__(self) -> float:
            first.process_data_events(0.02)
            return time.monotonic()

    with first, second:
        with (
            locked(first, "replay by olena", changes=True, clock=time.monotonic),
            pytest.raises(Locked, match="replay by olena"),
            locked(second, "x", changes=True, clock=Ticking()),
        ):
            pass
        with locked(second, "list by taras", changes=False, clock=time.monotonic):
            pass
        with pytest.raises(pika.exceptions.ChannelClosedByBroker, match="NOT_FOUND"):
            second.channel().queue_declare(LOCK, passive=True)


def test_a_reading_command_is_waited_for(amqp_url: str) -> None:
    """A list takes a second: a replay that comes at the same time goes on after it."""
    first, second = connect(amqp_url), connect(amqp_url)
    asked = []

    def clock() -> float:
        asked.append(1)
        if len(asked) < 4:
            first.process_data_events(0.02)
        elif first.is_open:
            first.close()
        return time.monotonic()

    with (
        second,
        locked(first, "list by taras", changes=False, clock=time.monotonic),
        locked(second, "replay by olena", changes=True, clock=clock),
    ):
        assert not first.is_open


def letter(**others: object) -> DeadLetter:
    method = pika.spec.Basic.Deliver(exchange="", redelivered=False)
    return DeadLetter.received(method, pika.BasicProperties(headers=headers(1, **others)), b"{}")


@pytest.mark.parametrize(
    ("chosen", "matches"),
    [
        (Filter(), True),
        (Filter(codes=frozenset({"SHIFT_NOT_OPEN", "OTHER"})), True),
        (Filter(codes=frozenset({"OTHER"})), False),
        (Filter(integrations=frozenset({"shop-main"}), cashiers=frozenset({"olena"})), True),
        (Filter(integrations=frozenset({"shop-main"}), cashiers=frozenset({"taras"})), False),
        (Filter(order="N-1"), True),
        (Filter(order="00000000-0000-0000-0000-000000000001".upper()), True),
        (Filter(order="N-2"), False),
        (Filter(since=datetime(2026, 5, 5, 10, 0, 1, tzinfo=UTC)), True),
        (Filter(since=datetime(2026, 5, 5, 10, 0, 2, tzinfo=UTC)), False),
        (Filter(until=datetime(2026, 5, 5, 10, 0, 1, tzinfo=UTC)), True),
        (Filter(until=datetime(2026, 5, 5, 10, 0, 0, tzinfo=UTC)), False),
    ],
)
def test_a_filter_keeps_what_it_names(chosen: Filter, matches: bool) -> None:
    """All that is given must fit; an order is its uuid in any case or its number."""
    assert chosen(letter()) is matches


def test_a_letter_without_headers_is_met_all_the_same() -> None:
    """Somebody else's message in the queue has nothing to tell, and no time that a filter could fit."""
    method = pika.spec.Basic.Deliver(exchange="", redelivered=False)
    bare = DeadLetter.received(method, pika.BasicProperties(), b"\xff")
    assert bare.line()["code"] is None
    assert bare.line()["replays"] == 0
    assert bare.export_line()["bodyBase64"] == "/w=="
    assert Filter()(bare)
    assert not Filter(since=datetime(2020, 1, 1, tzinfo=UTC))(bare)


def test_headers_are_not_believed_where_bimp_could_have_written_them() -> None:
    """Through Bimp's own exchange a message cannot say what code or queue it has."""
    method = pika.spec.Basic.Deliver(exchange="bimp.orders", redelivered=False)
    forged = DeadLetter.received(method, pika.BasicProperties(headers={"x-fiscal-queue": "x"}), b"{}")
    assert forged.queue is None


def test_the_lock_and_the_letters_are_free_when_their_holder_is_gone(
    amqp_url: str, eventually: Callable[..., object]
) -> None:
    """A connection that ends gives its letters back, and another command can begin."""
    put(amqp_url, range(50))
    holder = connect(amqp_url)
    look = LookThrough(holder, everything, 50)
    with locked(holder, "x", changes=True, clock=time.monotonic):
        look.__enter__()
        assert len(list(look.letters())) == 50
        assert ready(amqp_url, DEAD_LETTERS) == 0
        holder.close()
    with connect(amqp_url) as other, locked(other, "y", changes=True, clock=time.monotonic):
        eventually(lambda: ready(amqp_url, DEAD_LETTERS) == 50)
