"""The runs, each on a stage of its own."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

from tests.chaos.orders import CashierRow, OrderRequest, a_request
from tests.chaos.orders import requests as orders
from tests.load.figures import load_on_checkbox, percentile, times_by_register
from tests.load.stage import LoadStage

Figures = dict[str, float]


def cashiers(count: int) -> list[CashierRow]:
    """Of two shops, whose shifts are people's and open."""
    return [CashierRow(f"shop-{number % 2}", f"cashier-{number:03}") for number in range(count)]


def burst(row: CashierRow, count: int, name: str) -> Iterator[OrderRequest]:
    """Many orders of one cashier."""
    for number in range(count):
        yield a_request(uuid4(), f"{name}-{number}", row, f"{name}-{number:05}")


def fleet(
    broker_url: str, folder: Path, *, count: int, of: int, workers: int = 1, processes: int = 2
) -> Figures:
    """``count`` orders, at once, evenly over ``of`` cashiers."""
    rows = cashiers(of)
    with LoadStage(broker_url, rows, folder, workers=workers, processes=processes) as stage:
        began = time.monotonic()
        published = stage.bimp.publish(orders(count, rows, random.Random(1), pressed_twice=0.0))
        stage.bimp.await_all(published, timeout=60 + count / of)
        took = time.monotonic() - began
        return {
            "orders": count,
            "cashiers": of,
            "workers": workers,
            "processes": processes,
            "seconds": round(took, 1),
            "succeeded": sum(kind == "succeeded" for _, kind in stage.bimp.heard.values()),
            **load_on_checkbox(stage.sandbox),
        }


def one_register(
    broker_url: str, folder: Path, *, count: int, workers: int = 1, processes: int = 2, latency: float = 0.0
) -> Figures:
    """``count`` orders of one cashier at once: how near the register comes to its rate."""
    rows = cashiers(1)
    options = {"latency": latency}
    with LoadStage(broker_url, rows, folder, workers=workers, processes=processes, options=options) as stage:
        published = stage.bimp.publish(burst(rows[0], count, "burst"))
        stage.bimp.await_all(published, timeout=60 + count)
        (times,) = times_by_register(stage.sandbox.ledger(body=False)).values()
        return {
            "orders": count,
            "seconds_from_first_to_last": round(times[-1] - times[0], 2),
            "seconds_at_the_rate": (count - 1) / 2,
            **load_on_checkbox(stage.sandbox),
        }


def isolation(
    broker_url: str,
    folder: Path,
    *,
    count: int = 300,
    others: int = 20,
    per_second: float = 10.0,
    seconds: float = 20.0,
    rounds: int = 1,
) -> Figures:
    """How long the others' orders take while one cashier has ``count`` orders in an expired shift.

    Calm and burst take turns, so that whatever else the machine does weighs on both.
    """
    rows = cashiers(others + 1)
    expired, rest = rows[0], rows[1:]
    calm: list[float] = []
    disturbed: list[float] = []
    with LoadStage(broker_url, rows, folder) as stage:
        stage.sandbox.close_shift(expired.cashier)
        opened_at = datetime.now(UTC) - timedelta(hours=25)
        stage.sandbox.open_shift(expired.cashier, opened_at.isoformat())
        _paced(stage, rest, per_second, seconds / 4, "warm")
        for number in range(rounds):
            calm += _paced(stage, rest, per_second, seconds, f"calm-{number}")
            refused = list(burst(expired, count, f"expired-{number}"))
            publishing = threading.Thread(target=stage.bimp.publish, args=(refused,))
            publishing.start()
            disturbed += _paced(stage, rest, per_second, seconds, f"disturbed-{number}")
            publishing.join()
            stage.bimp.await_all([request.id for request in refused], timeout=120)
        verdicts = {kind for request, (_, kind) in stage.bimp.heard.items() if request.startswith("expired")}
        assert verdicts == {"failed"}, verdicts
        before, during = percentile(calm, 0.95), percentile(disturbed, 0.95)
        return {
            "orders_in_the_expired_shift": count * rounds,
            "others_orders": len(calm) + len(disturbed),
            "p95_calm": round(before, 3),
            "p95_disturbed": round(during, 3),
            "ratio": round(during / before, 3),
            "median_calm": round(percentile(calm, 0.5), 3),
            "median_disturbed": round(percentile(disturbed, 0.5), 3),
        }


def _paced(
    stage: LoadStage, rows: list[CashierRow], per_second: float, seconds: float, name: str
) -> list[float]:
    count = int(per_second * seconds)
    requests = (
        a_request(uuid4(), f"{name}-{number}", rows[number % len(rows)], f"{name}-{number:05}")
        for number in range(count)
    )
    published = stage.bimp.publish(requests, per_second)
    stage.bimp.await_all(published, timeout=60)
    return [stage.bimp.heard[request][0] for request in published]
