"""Circuit breakers and bulkheads: what hangs is remembered, and takes no more than its part."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from worker.http.bulkhead import PATIENCE, Bulkhead, BulkheadFull
from worker.http.circuit_breaker import SILENCE, CircuitBreakers, CircuitOpen, Scope, listening

Eventually = Callable[..., Any]


class Clock:
    """Monotonic seconds that a test moves."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


class Partner:
    """Passes of different callers through circuits of two kinds."""

    def __init__(self, clock: Clock, trials: int = 2) -> None:
        self.clock = clock
        self.breakers = CircuitBreakers(clock, trials)

    def scopes(self, caller: str, shop: str = "shop") -> tuple[Scope, ...]:
        return Scope("cashier", caller, caller, 1), Scope("shop", shop, caller, 3)

    def answers(self, caller: str, shop: str = "shop") -> None:
        with self.breakers.closed(self.scopes(caller, shop)), listening(self.clock):
            pass

    def hangs(self, caller: str, shop: str = "shop", seconds: float = 8.0) -> None:
        try:
            with self.breakers.closed(self.scopes(caller, shop)), listening(self.clock):
                self.clock.now += seconds
                raise TimeoutError
        except TimeoutError:
            pass

    def is_open(self, caller: str, shop: str = "shop") -> bool:
        """Without a call: says nothing about the partner."""
        try:
            with self.breakers.closed(self.scopes(caller, shop)):
                return False
        except CircuitOpen:
            return True


@pytest.fixture
def partner() -> Partner:
    return Partner(Clock())


def test_a_day_of_silence_ends(partner: Partner) -> None:
    """However often a circuit was opened, the next trial's answer closes it."""
    for _ in range(2000):
        partner.hangs("olena")
        partner.clock.now += 61
    partner.answers("olena")
    assert not partner.is_open("olena")


def test_silence_opens_the_cashiers_circuit_at_once_and_no_others(partner: Partner) -> None:
    """His next order is not sent; a colleague's is."""
    partner.hangs("olena")
    assert partner.is_open("olena")
    assert not partner.is_open("petro")


def test_silence_for_three_opens_the_shops_circuit(partner: Partner) -> None:
    """A fourth cashier is the trial at once, and the fifth waits for what comes of it."""
    for cashier in ("olena", "petro", "ivan"):
        partner.hangs(cashier)
    with partner.breakers.closed(partner.scopes("maria")):
        assert partner.is_open("olga")
        assert not partner.is_open("olga", "another")
    partner.hangs("maria")
    assert partner.is_open("maria")
    partner.answers("olga")
    assert not partner.is_open("inna")


def test_the_trouble_of_one_is_not_that_of_all(partner: Partner) -> None:
    """However often a single cashier hangs, and whoever hangs between others' answers."""
    for _ in range(5):
        partner.hangs("olena")
        partner.clock.now += 60
    assert not partner.is_open("petro")
    for cashier in ("a", "b", "c", "d"):
        partner.hangs(cashier)
        partner.answers("petro")
    assert not partner.is_open("ivan")


def test_who_was_never_served_says_nothing_of_the_others(partner: Partner) -> None:
    """An address that three cashiers cannot use may be well."""
    for shop in ("a", "b", "c", "d"):
        scope = Scope("address", "checkbox", shop, 3, counts=False)
        with partner.breakers.closed((scope,)), listening(partner.clock) as call:
            partner.clock.now += 8
            call.is_fault = True
    with (
        partner.breakers.closed((Scope("address", "checkbox", "e", 3),)),
        partner.breakers.closed((Scope("address", "checkbox", "f", 3),)),
    ):
        pass


def test_quick_faults_open_nothing(partner: Partner) -> None:
    """They cost no thread, and each order is tried again by itself."""
    for cashier in ("a", "b", "c", "d"):
        partner.hangs(cashier, seconds=SILENCE - 0.1)
        assert not partner.is_open(cashier)


def test_a_slow_answer_that_is_a_fault_counts_as_silence(partner: Partner) -> None:
    """A gateway's 504 after five seconds took the thread for five seconds."""
    with partner.breakers.closed(partner.scopes("olena")), listening(partner.clock) as call:
        partner.clock.now += 5
        call.is_fault = True
    assert partner.is_open("olena")


def test_after_a_pause_a_single_trial_is_made(partner: Partner) -> None:
    """While it is under way all others wait; its silence doubles the pause, its answer ends it."""
    partner.hangs("olena")
    scopes = partner.scopes("olena")
    pauses = []
    for _ in range(7):
        with pytest.raises(CircuitOpen) as refused, partner.breakers.closed(scopes):
            pass
        pauses.append(refused.value.seconds)
        partner.clock.now += refused.value.seconds
        with partner.breakers.closed(scopes):
            assert partner.is_open("olena")
        partner.hangs("olena")
    assert pauses == [2, 4, 8, 16, 32, 60, 60]
    partner.clock.now += 60
    partner.answers("olena")
    partner.hangs("petro")
    assert not partner.is_open("olena")


def test_a_trial_that_made_no_call_decides_nothing(partner: Partner) -> None:
    """It had to wait for its register: the next one is the trial."""
    partner.hangs("olena")
    partner.clock.now += 2
    assert not partner.is_open("olena")
    partner.hangs("olena")
    assert partner.is_open("olena")


def test_those_known_to_hang_get_a_few_trials_at_once(partner: Partner) -> None:
    """Two hundred of them have two threads, and not all."""
    for number in range(4):
        partner.hangs(f"cashier-{number}", f"shop-{number}")
    partner.clock.now += 2
    with (
        partner.breakers.closed(partner.scopes("cashier-0", "shop-0")),
        partner.breakers.closed(partner.scopes("cashier-1", "shop-1")),
    ):
        assert partner.is_open("cashier-2", "shop-2")
    assert not partner.is_open("cashier-2", "shop-2")


def test_those_who_were_under_way_when_it_opened_do_not_prolong_the_pause(partner: Partner) -> None:
    """Eight that hang side by side are one piece of news."""
    scopes = [partner.scopes(f"cashier-{number}") for number in range(8)]
    gate = threading.Barrier(8)

    def hang(mine: tuple[Scope, ...]) -> None:
        with partner.breakers.closed(mine), listening(partner.clock) as call:
            gate.wait(10)
            call.is_fault = True
            partner.clock.now = 1008.0

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(hang, scopes))
    with pytest.raises(CircuitOpen) as refused, partner.breakers.closed(scopes[0]):
        pass
    assert refused.value.seconds == 2


def test_a_full_compartment_refuses_at_once_when_it_is_slow() -> None:
    """Nobody waits for what has been silent for a while; another compartment is free."""
    clock = Clock()
    bulkhead = Bulkhead(clock)
    with bulkhead.within({"shop": 2}), bulkhead.within({"shop": 2}):
        clock.now += PATIENCE + 0.1
        with pytest.raises(BulkheadFull) as full, bulkhead.within({"shop": 2}):
            pass
        assert full.value.seconds >= PATIENCE
        with bulkhead.within({"another": 1}):
            pass
        with pytest.raises(BulkheadFull), bulkhead.within({"third": 1, "shop": 2}):
            pass
        with bulkhead.within({"third": 1}):
            pass
    with bulkhead.within({"shop": 2}):
        pass


def test_a_full_compartment_that_moves_is_waited_for(eventually: Eventually) -> None:
    """A healthy shop with many orders loses no speed to rescheduling."""
    bulkhead = Bulkhead(time.monotonic)
    leave, waited = threading.Event(), []

    def work() -> None:
        with bulkhead.within({"shop": 1}):
            waited.append(leave.is_set())

    with bulkhead.within({"shop": 1}):
        thread = threading.Thread(target=work)
        thread.start()
        thread.join(0.05)
        leave.set()
    thread.join(10)
    assert waited == [True]


def test_those_who_are_refused_are_spread() -> None:
    """A thousand that wait for a shop that is slow come back one after the other."""
    clock = Clock()
    bulkhead = Bulkhead(clock)
    with bulkhead.within({"shop": 1}):
        clock.now += 1
        waits = []
        for _ in range(100):
            with pytest.raises(BulkheadFull) as full, bulkhead.within({"shop": 1}):
                pass
            waits.append(full.value.seconds)
    assert waits == sorted(waits)
    assert waits[-1] > 20
