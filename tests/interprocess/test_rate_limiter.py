"""The rate limiter: how often a register may be served, and how those who wait are spread."""

from __future__ import annotations

import heapq
import os
import signal
import time
from collections.abc import Callable

import pytest

from worker.interprocess.rate_limiter import LEASE, RegisterRateLimiter, Reservations

REGISTER = "https://api.checkbox.ua 7e83f1a0"
OTHER = "https://api.checkbox.ua 9c11d2b4"


@pytest.fixture
def limiter() -> RegisterRateLimiter:
    return RegisterRateLimiter()


#: Seconds that a message takes to come back.
HOP = 0.01


def served(
    limiter: RegisterRateLimiter, askers: int, share: float, call: float, every: float = 0.0
) -> list[float]:
    """When each of the askers reaches Checkbox; ``call`` is the length of a call in seconds."""
    coming = [(1000.0 + number * every, number, False) for number in range(askers)]
    ending: list[tuple[float, int]] = []
    reached: list[float] = []
    while coming:
        now, number, again = heapq.heappop(coming)
        while ending and ending[0][0] <= now:
            end, permit = heapq.heappop(ending)
            limiter.used(permit, REGISTER, end, share)
        permit_taken, wait = limiter.acquire(REGISTER, now, share, again)
        if permit_taken is None:
            assert wait > 0
            heapq.heappush(coming, (now + wait + HOP, number, True))
        else:
            reached.append(now)
            heapq.heappush(ending, (now + call, permit_taken))
    return reached


def most_within(seconds: float, times: list[float]) -> int:
    return max(sum(0 <= other - one < seconds for other in times) for one in times)


@pytest.mark.parametrize("every", [0.0, 0.017])
@pytest.mark.parametrize("call", [0.001, 0.2, 0.9, 3.0])
@pytest.mark.parametrize(("share", "most"), [(2.0, 2), (1.0, 1), (3.5, 3), (25.0, 25)])
def test_never_more_than_the_rate_in_any_second(
    limiter: RegisterRateLimiter, share: float, most: int, call: float, every: float
) -> None:
    """However long the calls take, and whether the askers come at once or one by one."""
    assert most_within(1.0, served(limiter, 30, share, call, every)) <= most


def test_a_third_of_a_receipt_a_second_is_one_in_three_seconds(limiter: RegisterRateLimiter) -> None:
    """A worker with one process in a fleet of six."""
    assert most_within(2.99, served(limiter, 5, 1 / 3, 0.05)) == 1


def test_a_burst_is_served_nearly_at_the_rate(limiter: RegisterRateLimiter) -> None:
    """Seventeen orders at two a second take eight seconds and little more."""
    times = served(limiter, 17, 2.0, 0.01)
    assert times[-1] - times[0] < 8.6


def test_a_long_row_is_served_nearly_at_the_rate(limiter: RegisterRateLimiter) -> None:
    """Nobody's reservation is lost because he came back a moment too late, however long the row is."""
    times = served(limiter, 120, 2.0, 0.05)
    assert times[-1] - times[0] < 60 * 1.1


def test_a_register_does_not_wait_for_another(limiter: RegisterRateLimiter) -> None:
    """Each has permits of its own."""
    for _ in range(2):
        assert limiter.acquire(REGISTER, 10.0, 2.0, again=False)[0] is not None
    assert limiter.acquire(REGISTER, 10.0, 2.0, again=False)[0] is None
    assert limiter.acquire(OTHER, 10.0, 2.0, again=False)[0] is not None


def test_a_permit_that_was_not_used_is_the_next_ones(limiter: RegisterRateLimiter) -> None:
    """A pass that ended before it sent anything costs the register nothing."""
    permit, _ = limiter.acquire(REGISTER, 10.0, 1.0, again=False)
    assert permit is not None
    limiter.unused(permit, REGISTER, 10.1)
    assert limiter.acquire(REGISTER, 10.1, 1.0, again=False) == (permit, 0.0)


def test_a_permit_of_a_process_that_died_comes_back(limiter: RegisterRateLimiter) -> None:
    """Nobody gives it back, and the register is not closed for ever."""
    limiter.acquire(REGISTER, 10.0, 1.0, again=False)
    assert limiter.acquire(REGISTER, 10.0 + LEASE - 0.1, 1.0, again=False)[0] is None
    assert limiter.acquire(REGISTER, 10.0 + LEASE, 1.0, again=True)[0] is not None


def test_reservations_nobody_came_for_do_not_hold_up_the_next(limiter: RegisterRateLimiter) -> None:
    """Three hundred who waited have gone into the dead letters: the next burst starts at once."""
    permit, _ = limiter.acquire(REGISTER, 10.0, 1.0, again=False)
    assert permit is not None
    limiter.used(permit, REGISTER, 10.1, 1.0)
    promised = [limiter.reserve(REGISTER, 10.2, 1.0) for _ in range(300)]
    assert promised == sorted(promised)
    assert promised[-1] > 299
    permit, _ = limiter.acquire(REGISTER, 20.0, 1.0, again=False)
    assert permit is not None
    limiter.used(permit, REGISTER, 20.1, 1.0)
    assert limiter.acquire(REGISTER, 20.2, 1.0, again=False)[1] < 3


def test_who_missed_his_reservation_does_not_stand_behind_those_who_came_later(
    limiter: RegisterRateLimiter,
) -> None:
    """Those who had a reservation before wait among themselves."""
    limiter.acquire(REGISTER, 10.0, 1.0, again=False)
    for _ in range(50):
        limiter.reserve(REGISTER, 10.0, 1.0)
    assert limiter.acquire(REGISTER, 10.5, 1.0, again=True)[1] < 2
    assert limiter.acquire(REGISTER, 10.5, 1.0, again=False)[1] > 50


def test_processes_share_the_limiter(limiter: RegisterRateLimiter) -> None:
    """What a forked process takes is taken."""
    child = os.fork()
    if child == 0:
        limiter.acquire(REGISTER, 10.0, 1.0, again=False)
        os._exit(0)
    os.waitpid(child, 0)
    assert limiter.acquire(REGISTER, 10.0, 1.0, again=False)[0] is None


def test_reservations_spread_those_who_wait() -> None:
    """Each gets a moment of his own; a row that has ended starts anew at once."""
    reservations = Reservations()
    assert [round(reservations.reserve(100.0, 0.5), 3) for _ in range(3)] == [0.0, 0.5, 1.0]
    assert reservations.reserve(200.0, 0.5) == 0.0


SHOPS = [f"https://api.checkbox.ua {number:08d}" for number in range(10_000)]


def in_children(*works: Callable[[], None]) -> list[int]:
    """Run each in a forked process of its own; how they ended, as ``waitpid`` tells it."""
    children = []
    for work in works:
        child = os.fork()
        if child == 0:
            work()
            os._exit(0)
        children.append(child)
    return [os.waitpid(child, 0)[1] for child in children]


def test_ten_thousand_registers_share_nothing(limiter: RegisterRateLimiter) -> None:
    """Each gets its own permit, and each but once: whatever the others do."""
    assert all(limiter.acquire(shop, 10.0, 1.0, again=False)[0] is not None for shop in SHOPS)
    assert all(limiter.acquire(shop, 10.0, 1.0, again=False)[0] is None for shop in SHOPS)


def test_processes_that_come_at_once_get_each_register_once(limiter: RegisterRateLimiter) -> None:
    """Four of them ask for all registers side by side; together they get one permit of each."""
    got_out, got_in = os.pipe()

    def take_all() -> None:
        got = sum(limiter.acquire(shop, 10.0, 1.0, again=False)[0] is not None for shop in SHOPS)
        os.write(got_in, got.to_bytes(4, "little"))

    assert in_children(*[take_all] * 4) == [0] * 4
    os.close(got_in)
    with os.fdopen(got_out, "rb") as told:
        counts = [int.from_bytes(told.read(4), "little") for _ in range(4)]
    assert sum(counts) == len(SHOPS)


def test_a_long_row_of_one_register_is_kept_while_others_come_and_go() -> None:
    """A place is given to another register only when nothing of it counts any more."""
    limiter = RegisterRateLimiter(places=4)
    limiter.acquire(REGISTER, 10.0, 1.0, again=False)
    waits = [limiter.reserve(REGISTER, 10.0, 1.0) for _ in range(300)]
    for number, shop in enumerate(SHOPS[:100]):
        now = 11.0 + number * 2 * LEASE / 100
        if now > 10.0 + waits[-1] + LEASE:
            break
        limiter.acquire(shop, now, 1.0, again=False)
        assert limiter.reserve(REGISTER, 10.0, 1.0) > waits[-1]


def test_a_place_that_was_idle_for_long_is_used_again() -> None:
    """So the memory is enough for ever, however many registers there were."""
    limiter = RegisterRateLimiter(places=4)
    for number, shop in enumerate(SHOPS[:100]):
        permit, _ = limiter.acquire(shop, number * 2 * LEASE, 1.0, again=False)
        assert permit is not None
        limiter.used(permit, shop, number * 2 * LEASE + 0.1, 1.0)


def test_more_registers_than_places_get_their_permits_all_the_same() -> None:
    """It never refuses: whoever was idle for longest is forgotten, and nobody is shared with."""
    limiter = RegisterRateLimiter(places=4)
    permits = [limiter.acquire(shop, 10.0 + n, 1.0, again=False)[0] for n, shop in enumerate(SHOPS[:8])]
    assert None not in permits
    forgotten = permits[0]
    assert forgotten is not None
    limiter.used(forgotten, SHOPS[0], 20.0, 1.0)
    limiter.unused(forgotten, SHOPS[0], 20.0)
    assert limiter.acquire(SHOPS[7], 20.0, 1.0, again=False)[0] is None


def test_the_death_of_a_process_that_has_the_lock_frees_it(limiter: RegisterRateLimiter) -> None:
    """SIGKILL in the midst of it."""

    def die_with_it() -> None:
        with limiter.lock:
            os.kill(os.getpid(), signal.SIGKILL)

    assert in_children(die_with_it) == [signal.SIGKILL]
    began = time.monotonic()
    assert limiter.acquire(REGISTER, 10.0, 1.0, again=False)[0] is not None
    assert time.monotonic() - began < 0.04


def test_a_process_that_stands_still_with_the_lock_holds_up_nobody(limiter: RegisterRateLimiter) -> None:
    """SIGSTOP in the midst of it: the others do without the lock."""
    child = os.fork()
    if child == 0:
        with limiter.lock:
            os.kill(os.getpid(), signal.SIGSTOP)
        os._exit(0)
    os.waitpid(child, os.WUNTRACED)
    try:
        assert limiter.acquire(REGISTER, 10.0, 1.0, again=False)[0] is not None
    finally:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
