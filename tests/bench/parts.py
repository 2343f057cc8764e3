"""What `make bench` measures, part by part; the rounds of a part's rows take turns."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from tests.bench.candidates import ALL, CLASSIC, FASTSTREAM, FLOOR, OURS, UNTOLD, Candidate
from tests.bench.measuring import Figures, measure, median_of
from tests.bench.stage import Shape, Stage
from worker.demo.rabbitmq import PrivateRabbitMQ

Row = tuple[Candidate, Shape]
Rows = dict[str, Row]
#: What a part is given: orders of a run, and the candidates that were asked for.
Part = Callable[[int, list[Candidate]], Rows]
_IDLE = Shape(latency=0.0, done_after=0.0)


def usual(orders: int, candidates: list[Candidate]) -> Rows:
    """A call takes 50 ms and a receipt is DONE after 2 s; one process of 8 threads."""
    return {one.name: (one, Shape(orders=orders)) for one in candidates}


def instant(orders: int, candidates: list[Candidate]) -> Rows:
    """Checkbox answers at once: what is left is the candidate itself, limited by its processor."""
    chosen = [one for one in candidates if one is not CLASSIC]
    return {f"{one.name}, 0 ms": (one, replace(_IDLE, orders=orders)) for one in chosen}


def slow(orders: int, candidates: list[Candidate]) -> Rows:
    """300 ms a call."""
    shape = Shape(latency=0.3, orders=max(60, orders // 5), active=24)
    return {f"{one.name}, 300 ms": (one, shape) for one in candidates if one in (FLOOR, OURS)}


def paced(orders: int, _: list[Candidate]) -> Rows:
    """Half of what one process can do at 50 ms a call, evenly."""
    shape = Shape(orders=orders * 3 // 5, pace=36.0)
    return {
        "ours, 36/s": (OURS, shape),
        "ours, 36/s, DONE at once": (OURS, replace(shape, done_after=0.0)),
        "floor, 36/s": (FLOOR, replace(shape, done_after=0.0)),
    }


def cashiers(orders: int, _: list[Candidate]) -> Rows:
    """Rows in the integrations file; the orders come evenly from up to 300 of them, who are signed in.

    All at once, the orders of 10 cashiers would wait for each other at their registers, which costs too.
    """
    shape = replace(_IDLE, orders=orders * 3 // 4, pace=60.0)
    return {
        f"ours, {count} cashiers": (OURS, replace(shape, cashiers=count, active=min(count, 300)))
        for count in (10, 1_000, 10_000)
    }


def backlog(orders: int, _: list[Candidate]) -> Rows:
    """So many wait when the worker starts; with 0 it is there first, and the measured orders come at once."""
    shape = replace(_IDLE, orders=min(orders * 2, 1_500))
    return {
        f"ours, {waiting} waiting": (OURS, replace(shape, backlog=waiting)) for waiting in (0, 2_000, 100_000)
    }


def processes(orders: int, candidates: list[Candidate]) -> Rows:
    """One machine of few cores, which broker, Checkbox and the orders' publisher share.

    The broker deals orders out in turn: an odd number of cashiers has each of them meet each process, so
    that all are signed in before it counts. Runs are as long in time as those of one process.
    """
    shape = Shape(cashiers=63, active=63)
    return {
        f"{one.name}, {count} processes": (one, replace(shape, orders=orders * count, processes=count))
        for one, counts in ((OURS, (1, 2, 4)), (FLOOR, (2,)), (FASTSTREAM, (2,)))
        for count in counts
        if one in candidates
    }


def telemetry(orders: int, _: list[Candidate]) -> Rows:
    """All lines, metrics and trace contexts, and none."""
    shape = Shape(orders=orders)
    return {"ours, with telemetry": (OURS, shape), UNTOLD.name: (UNTOLD, shape)}


PARTS: dict[str, Part] = {
    part.__name__: part for part in (usual, telemetry, instant, paced, cashiers, backlog, processes, slow)
}


def run(node: PrivateRabbitMQ, rows: Rows, rounds: int, say: Callable[[str], None]) -> dict[str, Figures]:
    """The medians of each row."""
    found: dict[str, list[Figures]] = {name: [] for name in rows}
    for number in range(rounds):
        for name, (candidate, shape) in rows.items():
            with staged(node, candidate, shape) as stage:
                found[name].append(measure(stage))
            rate, cpu = (found[name][-1][figure] for figure in ("orders_per_second", "cpu_ms_per_order"))
            say(f"{name}: round {number + 1} of {rounds}: {rate:.1f}/s, {cpu:.1f} ms")
    return {name: median_of(figures) for name, figures in found.items()}


def cold_start(node: PrivateRabbitMQ, rounds: int) -> dict[str, Figures]:
    """Seconds from the start of ``fiscal-worker run`` to Checkbox's first call, and to the first event."""
    found = []
    for _ in range(rounds):
        with staged(node, OURS, _IDLE) as stage:
            published = set(stage.publish(1))
            before = stage.counted()
            began = time.monotonic()
            stage.start()
            while stage.counted() == before:
                time.sleep(0.01)
            called = time.monotonic() - began
            stage.heard.wait_for(published)
            told = max(stage.heard.at.values()) - began
            found.append({"first_call_seconds": called, "first_event_seconds": told})
    return {"ours, cold start": median_of(found)}


def replay(node: PrivateRabbitMQ, rounds: int, orders: int) -> dict[str, Figures]:
    """Dead letters of cashiers without a shift, sent back when there is one."""
    found = []
    for _ in range(rounds):
        with staged(node, OURS, replace(_IDLE, active=16)) as stage:
            stage.start()
            stage.warm_up()
            for row in stage.rows[:16]:
                stage.sandbox.close_shift(row.cashier)
            stage.heard.wait_for(set(stage.publish(orders)))
            failed, stage.heard.at = stage.heard.failed, {}
            for row in stage.rows[:16]:
                stage.sandbox.open_shift(row.cashier)
            time.sleep(6)  # the worker believes a refusal for 5 s
            began = time.monotonic()
            assert stage.command("dead-letters", "replay", "--yes", "--rate", "0", "--no-wait") == 0
            sent = time.monotonic() - began
            while len(stage.heard.at) < failed:
                time.sleep(0.02)
            whole = max(stage.heard.at.values()) - began
            found.append({"dead_letters": failed, "sent_per_second": failed / sent, "seconds": whole})
    return {"ours, replay": median_of(found)}


@contextmanager
def staged(node: PrivateRabbitMQ, candidate: Candidate, shape: Shape) -> Iterator[Stage]:
    """A stage in a folder of its own; when it fails, the candidate's last lines are told."""
    with tempfile.TemporaryDirectory() as folder, Stage(node, candidate, shape, Path(folder)) as stage:
        try:
            yield stage
        except Exception as error:
            log = Path(folder) / "candidate.log"
            error.add_note(f"{candidate.name}: {log.read_text()[-2000:] if log.exists() else 'not started'}")
            raise


def candidates(names: str | None) -> list[Candidate]:
    """All, or those of the names with commas between."""
    return [ALL[name.strip()] for name in names.split(",")] if names else list(ALL.values())
