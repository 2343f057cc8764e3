"""Passes of several deliveries, interleaved call by call, over a Checkbox that lags, loses and lands late.

Each delivery runs in a thread of its own, and one thread runs at a time: at every call to Checkbox it waits
until the schedule, made from a seed, lets it go on. Time is the world's own. Nothing sleeps.
"""

from __future__ import annotations

import random
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from uuid import UUID, uuid4

from tests.builders import an_integration, configured, issued
from tests.fiscal.fakes import NOW, a_shift
from worker.fiscal.attempt_state import AttemptState
from worker.fiscal.fiscalization import Fiscalization
from worker.fiscal.integrations import Cashier, Integration
from worker.fiscal.issuing import PassDependencies
from worker.fiscal.number_times import NumberTimes
from worker.fiscal.order import Operation, Request
from worker.fiscal.outcomes import Fiscalized, IssuedReceipt, Postponed, Rejected, Unavailable
from worker.fiscal.ports import ArchiveCheck, ReceiptExists, ReturnsPage, Shift
from worker.fiscal.receipt import Receipt

#: Seconds: the longest that a POST takes to land, and that a read lags behind.
LANDING = 8.0
LAG = 4.0
NUMBER_AFTER = 2.0


class Crash(BaseException):
    """The process of a delivery was killed."""


@dataclass
class Landed:
    """A receipt in the ledger; it is CREATED until its end comes."""

    receipt: IssuedReceipt
    at: float
    end: str

    def seen(self, now: float) -> IssuedReceipt:
        if now < self.at + NUMBER_AFTER:
            return replace(self.receipt, status="CREATED", fiscal_code=None)
        return replace(self.receipt, status=self.end, fiscal_code="N" if self.end == "DONE" else None)


@dataclass
class Delivery:
    """A message, and what became of it."""

    request: Request
    state: AttemptState = field(default_factory=lambda: AttemptState(first_seen=NOW))
    due: float = NOW
    outcome: Fiscalized | Rejected | None = None
    passes: int = 0
    waits: list[Postponed] = field(default_factory=list)
    #: The process stands still until then.
    frozen_until: float = 0.0
    go: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(0))
    thread: threading.Thread | None = None


class World:
    """Checkbox, the clock, and who goes on next; everything follows from the seed."""

    def __init__(
        self, seed: int, faults: bool = True, errors: float = 0.15, prepayments: bool = False
    ) -> None:
        """``errors`` is how often the tax service refuses a receipt."""
        self.random = random.Random(seed)
        self.errors = errors
        #: How often a process stands still at a call.
        self.freezes = 0.02
        self.now = NOW
        self.faults = faults
        self.ledger: dict[str, Landed] = {}
        #: What lands later, and how: told the time.
        self.under_way: list[tuple[float, Callable[[float], None]]] = []
        #: What people do, and when.
        self.people: list[tuple[float, Callable[[], None]]] = []
        self.deliveries: list[Delivery] = []
        self.posts = 0
        self.open_shift: Shift | None = a_shift()
        #: What no pass should raise.
        self.broken: Exception | None = None
        self._idle = threading.Semaphore(0)
        self._current: Delivery | None = None
        self.integration = an_integration(prepayments=prepayments)
        self._story = Fiscalization(
            lambda: configured(self.integration),
            self,
            PassDependencies(
                archive=self.archive(),
                clock=lambda: self.now,
                monotonic=lambda: self.now,
                return_wait=60.0,
                number_times=NumberTimes(),
                duplicate_prevented=lambda: None,
                warn=lambda _: None,
            ),
        )

    def happens(self, probability: float) -> bool:
        return self.faults and self.random.random() < probability

    def archive(self) -> ArchiveCheck | None:
        """Whom the worker asks right before a sale."""
        return None

    # The schedule.

    def run(self, *requests: Request) -> None:
        """Until every delivery has its outcome."""
        self.deliver(*map(Delivery, requests))

    def deliver(self, *deliveries: Delivery) -> None:
        """``run`` of requests that earlier deliveries left a state behind of."""
        self.deliveries = list(deliveries)
        for delivery in self.deliveries:
            delivery.due = NOW + self.random.choice([0, 0, 0.5, 3, 20])
        for _ in range(20_000):
            open_ones = [one for one in self.deliveries if one.outcome is None]
            if not open_ones:
                break
            times = [one.due if one.thread is None else one.frozen_until for one in open_ones]
            ready = [one for one, due in zip(open_ones, times, strict=True) if due <= self.now]
            if not ready:
                self._pass_time(min(times) - self.now)
                continue
            self._let_go(self.random.choice(ready))
            if self.broken is not None:
                raise self.broken
            self._pass_time(self.random.choice([0, 0, 0.01, 0.3, 1.5]))
        assert all(one.outcome for one in self.deliveries), "a delivery never ends"
        self._pass_time(60)

    def _pass_time(self, seconds: float) -> None:
        self.now += max(seconds, 0)
        due = [one for one in self.under_way if one[0] <= self.now]
        self.under_way = [one for one in self.under_way if one[0] > self.now]
        for at, act in [one for one in self.people if one[0] <= self.now]:
            self.people.remove((at, act))
            act()
        for at, land in sorted(due, key=lambda one: one[0]):
            with suppress(ReceiptExists, Rejected):
                land(at)

    def _let_go(self, delivery: Delivery) -> None:
        self._current = delivery
        if delivery.thread is None:
            delivery.thread = threading.Thread(target=self._work, args=(delivery,), daemon=True)
            delivery.thread.start()
        else:
            delivery.go.release()
        self._idle.acquire()

    def _work(self, delivery: Delivery) -> None:
        delivery.passes += 1
        state = delivery.state
        try:
            delivery.outcome = self._story.fiscalize(delivery.request, state)
        except Rejected as verdict:
            delivery.outcome = verdict
        except Postponed as wait:
            delivery.state = replace(wait.state or state, redelivered=False)
            delivery.waits.append(wait)
            delivery.due = self.now + wait.after
        except Unavailable as fault:
            after = replace(fault.state or state, redelivered=False)
            delivery.state = after.after_fault(self.now if fault.may_have_sold else None)
            delivery.due = self.now + self.random.choice([5, 10])
        except Crash:
            delivery.state = replace(state, redelivered=True, look_up_first=True)
            delivery.due = self.now + self.random.choice([0, 1, 10])
        except Exception as error:
            self.broken = error
        delivery.thread = None
        self._idle.release()

    def step(self) -> None:
        """The delivery stands still here until the schedule comes back to it."""
        delivery = self._current
        assert delivery is not None
        if self.happens(0.01):
            raise Crash
        if self.happens(self.freezes):
            delivery.frozen_until = self.now + self.random.choice([6, 12, 40])
        self._idle.release()
        delivery.go.acquire()
        if self.happens(0.01):
            raise Crash

    # Checkbox, as a session shows it.

    @contextmanager
    def enter(self, integration: Integration, cashier: Cashier) -> Iterator[World]:
        yield self

    def look_up(self, receipt_id: UUID, secrets: Iterable[str] = ()) -> IssuedReceipt | None:
        self.step()
        landed = self.ledger.get(str(receipt_id))
        if landed is None:
            return None
        if self.now < landed.at + LAG and self.happens(0.4):
            return None
        return landed.seen(self.now)

    def sell(self, receipt_id: UUID, receipt: Receipt, context: Mapping[str, str | int]) -> IssuedReceipt:
        self._step_before_sending()
        related = receipt.related_receipt_id
        made = issued(
            receipt,
            id=str(receipt_id),
            context=dict(context),
            is_return=receipt.operation is Operation.RETURN,
            related_receipt_id=str(related) if related else None,
        )
        end = self.end()
        self.post(lambda at: self.land(made, at, end))
        return self.ledger[made.id].seen(self.now)

    def end(self) -> str:
        """What becomes of a receipt."""
        return "ERROR" if self.happens(self.errors) else "DONE"

    def land(self, made: IssuedReceipt, at: float, end: str) -> None:
        """The receipt is in the ledger now."""
        if made.id in self.ledger:
            raise ReceiptExists
        self.ledger[made.id] = Landed(made, at, end)

    def post(self, land: Callable[[float], None]) -> None:
        """What is asked for lands at once, or later, or never; its answer may be lost."""
        self.posts += 1
        if self.happens(0.15):  # no answer, and nobody knows whether it lands
            if self.happens(0.8):
                self.under_way.append((self.now + self.random.uniform(0, LANDING), land))
            raise Unavailable({"reason": "timeout"}, may_have_sold=True)
        land(self.now)
        if self.happens(0.1):
            raise Crash

    def _step_before_sending(self) -> None:
        """Nobody comes between the last look at the clock and the socket."""

    def search_returns(self, sale: IssuedReceipt, offset: int) -> Iterator[ReturnsPage]:
        self.step()
        till = [one for one in self.ledger.values() if "document" not in one.receipt.context]
        found = (one.seen(self.now) for one in till if one.receipt.related_receipt_id == sale.id)
        yield ReturnsPage(tuple(found), None)

    def shift(self, good_for: float) -> Shift | None:
        self.step()
        return self.open_shift

    def taxes(self, within: float) -> None:
        """Checkbox's table cannot be read, and sales go on."""

    def key_register(self) -> None:
        """The row names no licence key."""

    def acquire_permit(self, again: bool) -> float:
        return 0.0 if self.random.random() < 0.7 else 0.5

    def reserve_permit(self) -> float:
        return 0.5

    # What there is in the end.

    def returns_of(self, sale: str) -> list[IssuedReceipt]:
        ended = (one.seen(self.now) for one in self.ledger.values())
        return [one for one in ended if one.related_receipt_id == sale and one.is_numbered]

    def receipts_of(self, document: UUID) -> list[IssuedReceipt]:
        ended = (one.seen(self.now) for one in self.ledger.values())
        return [one for one in ended if one.is_numbered and one.context.get("document") == str(document)]

    def add(self, receipt: IssuedReceipt, end: str = "DONE", age: float = 3600.0) -> None:
        """A receipt made that many seconds ago."""
        self.ledger[receipt.id] = Landed(receipt, self.now - age, end)

    def at_the_till(self, sale: IssuedReceipt, receipt: Receipt, after: float) -> None:
        """A person returns this, after so many seconds, if it was not returned by then."""

        def give_back() -> None:
            open_ones = [one.receipt for one in self.ledger.values()]
            taken = sum(one.total for one in open_ones if one.related_receipt_id == sale.id)
            if taken + receipt.total <= sale.total:
                self.add(
                    issued(receipt, id=str(uuid4()), is_return=True, related_receipt_id=sale.id), age=2.0
                )

        self.people.append((self.now + after, give_back))
