"""One shop's trouble is its own: a worker, a broker, the sandbox, and partners that accept and never answer."""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import yaml

from tests.system.counter import CLOSE, Counter, ago, counter
from worker.sandbox.vhost import VirtualHost

SOUND = [f"sound-{number}" for number in range(16)]
HANGING = [f"hanging-{number}" for number in range(40)]


@contextmanager
def a_silent_address() -> Iterator[str]:
    """Takes connections, and says nothing."""
    with socket.create_server(("127.0.0.1", 0), backlog=512) as silent:
        yield f"http://127.0.0.1:{silent.getsockname()[1]}"


def integrations_file(path: Path, *integrations: Mapping[str, Any]) -> Path:
    path.write_text(yaml.safe_dump({"integrations": list(integrations)}))
    return path


def an_integration(name: str, cashiers: Sequence[str], **members: Any) -> dict[str, Any]:
    rows = [
        {"id": one, "login": one, "password": f"{one}-secret", "license_key": f"test-{one}"}
        for one in cashiers
    ]
    rates = [{"rate": 20, "code": 1}]
    return {"id": name, "shifts": "manual", "cashiers": rows, "tax_rates": rates, **members}


def times_of(shop: Counter, names: Sequence[str], timeout: float) -> list[float]:
    """Seconds from now until each has its outcome, in order."""
    began, waiting, times = time.monotonic(), set(names), []

    def look() -> bool:
        told = {event["data"]["requestId"] for event in shop.events if "receipt" in event["data"]} & waiting
        waiting.difference_update(told)
        times.extend([time.monotonic() - began] * len(told))
        shop.events.clear()
        return not waiting

    shop.until(look, timeout)
    return times


def p95(times: Sequence[float]) -> float:
    return sorted(times)[len(times) * 95 // 100 - 1]


def sell_200(shop: Counter, run: str, timeout: float = 60.0) -> float:
    names = [shop.order(f"{run}-{n}", SOUND[n % len(SOUND)]) for n in range(200)]
    return p95(times_of(shop, names, timeout))


def test_an_address_that_hangs_does_not_delay_another_shop(vhost: VirtualHost, tmp_path: Path) -> None:
    """40 cashiers of one integration hang, with several orders each; 200 orders of the others take their time."""
    with a_silent_address() as silent:
        integrations = integrations_file(
            tmp_path / "integrations.yaml",
            an_integration("shop-main", SOUND),
            an_integration("hanging", HANGING, checkbox_url=silent),
        )
        with counter(vhost, integrations) as shop:
            sell_200(shop, "first")  # signs in, and warms up
            alone = sell_200(shop, "alone")
            for number in range(80):
                shop.order(f"hangs-{number}", HANGING[number % 40], "hanging")
            beside = sell_200(shop, "beside")
            assert beside < 2 * alone
            # It goes on like that: what hangs is tried again and again.
            time.sleep(10)
            assert sell_200(shop, "later") < 2 * alone
            assert shop.metric('fiscal_dead_letters_total{code="INTERNAL_ERROR"} 0.0')
