"""What telemetry costs: ``python -m tests.bench.telemetry [--orders 25] [--rounds 80]``.

The orders of ``tests.bench.profile`` (one thread, its CPU time, both passes), in turn with all telemetry and
with all of it taken out: lines, metrics, the context of the trace, spans. Prints medians of short rounds,
since a machine's own speed may change within seconds.
The worker itself spends more on an order (threads, consumers, acknowledgements) and no more on telemetry, so
that the share is an upper bound.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack
from pathlib import Path
from typing import Any, Self
from unittest.mock import patch

from tests.bench.candidates import OURS
from tests.bench.profile import both_passes, settlement_on
from tests.bench.stage import Shape, Stage
from worker.checkbox import transport
from worker.demo.rabbitmq import PrivateRabbitMQ
from worker.rabbit.connection import parameters
from worker.rabbit.loop import Loop
from worker.rabbit.publisher import Publisher
from worker.telemetry import logs, metrics, pass_log, spans, trace
from worker.telemetry.counting import Counter, Gauge, Histogram


class _Nothing:
    """A metric, a line, a span and a context that are none."""

    def __init__(self, *_: object, **__: object) -> None: ...

    def __getattr__(self, _: str) -> Any:
        return self

    def __call__(self, *_: object, **__: object) -> Self:
        return self

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None: ...


@contextlib.contextmanager
def without_telemetry() -> Iterator[None]:
    nothing = _Nothing()
    with ExitStack() as stack:
        for name, value in vars(metrics).copy().items():
            if isinstance(value, Counter | Gauge | Histogram):
                stack.enter_context(patch.object(metrics, name, nothing))
        for module, names in (
            (transport, ("CHECKBOX_REQUESTS", "CHECKBOX_REQUEST_DURATION")),
            (pass_log, ("logged",)),
            (spans, ("calling",)),
        ):
            for name in names:
                stack.enter_context(patch.object(module, name, nothing))
        for name in ("carried_by", "carried_in"):
            stack.enter_context(patch.object(trace, name, lambda _: {}))
        yield


def main() -> None:
    """Print milliseconds an order with and without, and the share."""
    parser = argparse.ArgumentParser("python -m tests.bench.telemetry", description=__doc__)
    parser.add_argument("--orders", type=int, default=25)
    parser.add_argument("--rounds", type=int, default=80)
    chosen = parser.parse_args()
    ways: dict[str, Callable[[], AbstractContextManager[None]]] = {
        "with telemetry": contextlib.nullcontext,
        "without": without_telemetry,
    }
    found: dict[str, list[float]] = {name: [] for name in ways}
    with (
        Path(os.devnull).open("w") as lines,
        PrivateRabbitMQ() as node,
        tempfile.TemporaryDirectory() as folder,
        Stage(node, OURS, Shape(latency=0.0, done_after=0.0), Path(folder)) as stage,
    ):
        logs.configure("json", "INFO", lines)
        publisher = Publisher(Loop(), parameters(stage.place.broker_url, "telemetry"))
        settled = settlement_on(stage, publisher, Path(folder))
        both_passes(settled, stage.requests(150))
        for _ in range(chosen.rounds):
            for name, way in ways.items():
                requests = list(stage.requests(chosen.orders))
                with way():
                    began = time.thread_time()
                    both_passes(settled, requests)
                    found[name].append((time.thread_time() - began) * 1000 / chosen.orders)
    for name, times in found.items():
        low, _, high = statistics.quantiles(times, n=4)
        print(f"{statistics.median(times):7.3f} ms  {name} (quartiles {low:.3f} to {high:.3f})")
    pairs = list(zip(*found.values(), strict=True))
    telemetry = statistics.median(more - less for more, less in pairs)
    share = statistics.median((more - less) / more for more, less in pairs)
    print(f"{telemetry:7.3f} ms  telemetry: {share:.1%} of an order, at most")


if __name__ == "__main__":
    main()
