"""The figures of one run."""

from __future__ import annotations

import statistics
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Self

from tests.bench import machine
from tests.bench.stage import Stage
from tests.load.figures import percentile

Figures = dict[str, float]


@dataclass(frozen=True, slots=True)
class Counted:
    """What there was up to a moment: calls to Checkbox, sales among them, events; CPU in seconds."""

    at: float
    cpu: float
    largest_mib: float
    calls: int
    sales: int
    events: int

    @classmethod
    def of(cls, stage: Stage) -> Counted:
        pids = stage.pids()
        calls, sales = _calls_and_sales(stage.sandbox.counters()["requests"])
        events = len(stage.heard.at)
        return cls(
            time.monotonic(), machine.cpu_seconds(pids), machine.largest_mib(pids), calls, sales, events
        )

    def costs(self, before: Counted, orders: float) -> Figures:
        """Of so many orders between the two moments."""
        return {
            "cpu_ms_per_order": (self.cpu - before.cpu) / orders * 1000,
            "requests_per_order": (self.calls - before.calls) / orders,
            "largest_process_mib": self.largest_mib,
        }


def _calls_and_sales(requests: Mapping[str, Mapping[str, int]]) -> tuple[int, int]:
    sales = sum(requests.get("POST /receipts/sell", {}).values())
    return sum(sum(statuses.values()) for statuses in requests.values()), sales


def measure(stage: Stage) -> Figures:
    """The figures of a run: the candidate is warm, and gets its orders at once or evenly."""
    figures = _with_a_backlog(stage) if stage.shape.backlog else _with_new_orders(stage)
    assert not stage.heard.failed, f"{stage.heard.failed} requests failed"
    return figures


def _with_new_orders(stage: Stage) -> Figures:
    """All of them are sold, looked up and told within the window."""
    shape = stage.shape
    stage.start()
    stage.warm_up()
    before = Counted.of(stage)
    with Watched(stage) as watched:
        published = stage.publish(shape.orders, shape.pace)
        stage.heard.wait_for(set(published))
        after = Counted.of(stage)
    first = min(stage.heard.at[request] for request in published)
    took = [stage.heard.at[request] - at for request, at in published.items()]
    return {
        "orders_per_second": watched.orders_per_second(first, shape.orders),
        **after.costs(before, shape.orders),
        **_times(took),
        **_own_times(stage, published),
    }


def _with_a_backlog(stage: Stage) -> Figures:
    """A window in the middle, with orders on their way at both of its ends.

    An order has two halves, the sale and the look-up that its event follows: one that was only sold in the
    window, or only told, counts half. The worker sells in waves as large as what it keeps in flight, and a
    sale costs more than a look-up, so the window has to be of many waves.
    """
    shape = stage.shape
    stage.fill(shape.backlog)
    stage.start()
    stage.heard.wait_for_count(shape.active + 200)
    before = Counted.of(stage)
    stage.heard.wait_for_count(before.events + shape.orders)
    after = Counted.of(stage)
    halves = (after.sales - before.sales) + (after.events - before.events)
    look = [shown - done for made, done, shown in stage.seen_by_checkbox().values() if made > before.at]
    return {
        "orders_per_second": halves / 2 / (after.at - before.at),
        **after.costs(before, halves / 2),
        "look_p99_ms": percentile(look, 0.99) * 1000,
    }


class Watched:
    """How fast a run is once it is running: by the calls that Checkbox gets while orders are still waiting.

    Before the first event the calls are sales only, and after the last sale some threads have nothing to do.
    """

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        self._seen: list[tuple[float, int, int]] = []
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> Self:
        self._look()
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()
        self._look()

    def _watch(self) -> None:
        while not self._stop.wait(0.1):
            self._look()

    def _look(self) -> None:
        requests = self._stage.sandbox.counters()["requests"]
        self._seen.append((time.monotonic(), *_calls_and_sales(requests)))

    def orders_per_second(self, first_event: float, orders: int) -> float:
        """Of a run that all orders were sold in."""
        (_, calls_before, _), (_, calls_after, sales) = self._seen[0], self._seen[-1]
        selling = [seen for seen in self._seen if calls_before < seen[1] and seen[2] < sales]
        # Who sells everything before he looks at anything has no such time: all threads are busy selling.
        running = [seen for seen in selling if seen[0] >= first_event]
        running = running if len(running) > 1 else selling
        if len(running) < 2:
            raise ValueError("the run was too short: more orders are needed")
        (began, earlier, _), (ended, later, _) = running[0], running[-1]
        return (later - earlier) / (ended - began) / ((calls_after - calls_before) / orders)


def _times(took: Sequence[float]) -> Figures:
    """Milliseconds from message to event."""
    return {f"p{share}_ms": percentile(took, share / 100) * 1000 for share in (50, 95, 99)}


def _own_times(stage: Stage, published: Mapping[str, float]) -> Figures:
    """What Checkbox's own ledger leaves to the candidate, in milliseconds; nothing for who looks too early.

    ``added``: from the message to the call that sells, and from the answer that has the number to the event.
    ``look``: from DONE to the look-up that finds it.
    """
    added, look = [], []
    for request, (made, done, shown) in stage.seen_by_checkbox().items():
        if request in published:
            answered = shown + stage.shape.latency
            added.append((made - published[request]) + (stage.heard.at[request] - answered))
            look.append(shown - done)
    if len(added) < len(published):
        return {}
    return {
        **{f"added_p{share}_ms": percentile(added, share / 100) * 1000 for share in (50, 99)},
        "look_p99_ms": percentile(look, 0.99) * 1000,
    }


def median_of(rounds: Sequence[Figures]) -> Figures:
    """Of each figure."""
    told = [name for name in rounds[0] if all(name in one for one in rounds)]
    return {name: round(statistics.median(one[name] for one in rounds), 3) for name in told}
