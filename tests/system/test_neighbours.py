"""One shop's trouble is its own, with real processes: backlogs, large orders, partners that never answer."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import yaml

from tests.system.counter import CLOSE, Counter, ago, counter
from worker.demo.vhost import VirtualHost
from worker.rabbit.topology import Topology

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
    """40 cashiers of one integration hang, with two orders each; 200 orders of others take their time."""
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


def test_cashiers_that_hang_at_the_common_address_do_not_delay_the_others(
    vhost: VirtualHost, tmp_path: Path
) -> None:
    """40 in twenty integrations: the address serves others all the while, so its circuit stays closed."""
    integrations = integrations_file(
        tmp_path / "integrations.yaml",
        an_integration("shop-main", SOUND),
        *(an_integration(f"hanging-{n}", HANGING[n::20]) for n in range(20)),
    )
    with counter(vhost, integrations) as shop:
        sell_200(shop, "first")
        alone = sell_200(shop, "alone")
        for cashier in HANGING:
            shop.sandbox.fault("delay", cashier=cashier, seconds=60)
        for number in range(80):
            shop.order(f"hangs-{number}", HANGING[number % 40], f"hanging-{number % 20}")
        assert sell_200(shop, "beside") < 2 * alone
        assert sell_200(shop, "later") < 2 * alone
        opened = {line["kind"] for line in shop.worker.lines() if line["event"] == "circuit_opened"}
        assert opened <= {"cashier", "integration"}
        shop.sandbox.clear_faults()
        names = [f"hangs-{number}" for number in range(80)]
        shop.until(lambda: _all_told(shop, names))


def _all_told(shop: Counter, names: Sequence[str]) -> bool:
    return {event["data"]["requestId"] for event in shop.events if "receipt" in event["data"]} >= set(names)


def test_cashiers_that_hang_do_not_keep_another_shops_shift_open(vhost: VirtualHost, tmp_path: Path) -> None:
    """Sixty in twenty integrations hang; a sound one's shift, due in some seconds, is closed in time."""
    with a_silent_address() as silent:
        names = [f"hanging-{number}" for number in range(60)]
        integrations = integrations_file(
            tmp_path / "integrations.yaml",
            *(
                an_integration(f"hanging-{n}", names[n::20], checkbox_url=silent, shifts="auto")
                for n in range(20)
            ),
            an_integration("shop-main", ["olena"], shifts="auto"),
        )
        with counter(vhost, integrations) as shop:
            shop.sandbox.open_shift("olena", ago(hours=23, seconds=15))
            # Eight at once, 8 s each: a minute for all; one after the other it would be eight.
            shop.until(lambda: shop.accepted(CLOSE) == 1)


def test_a_long_row_of_one_register_hides_nobody(vhost: VirtualHost, tmp_path: Path) -> None:
    """Three thousand orders of a register wait; another shop's meets one 503 and is tried again on time."""
    integrations = integrations_file(
        tmp_path / "integrations.yaml",
        an_integration("shop-main", ["olena"]),
        an_integration("another", ["petro"]),
    )
    pace = {
        "FISCAL_REGISTER_RATE": "2",
        "FISCAL_RETRY_MIN_BACKOFF": "PT1S",
        "FISCAL_RETRY_MAX_BACKOFF": "PT10M",
    }
    with counter(vhost, integrations, **pace) as shop:
        for number in range(3000):
            shop.order(f"olena-{number}")
        waiting = Topology().consumed[1:]
        shop.until(lambda: sum(shop.vhost.queues()[name].messages for name in waiting) > 2800)
        shop.sandbox.fault("html_503", cashier="petro", count=1)
        assert shop.code(shop.order("petro", "petro", "another")) == "succeeded"
        assert shop.events_of("petro", "delayed")
        assert shop.sandbox.counters()["faults"]["html_503"] == 1


def test_large_orders_that_wait_do_not_fill_the_memory(vhost: VirtualHost, tmp_path: Path) -> None:
    """Four hundred of 900 KB wait for one register: all processes together take half of a pod at most."""
    integrations = integrations_file(
        tmp_path / "integrations.yaml",
        an_integration("shop-main", ["olena"]),
        an_integration("another", ["petro"]),
    )
    with counter(vhost, integrations, FISCAL_REGISTER_RATE="0.1") as shop:
        for number in range(400):
            shop.order(f"olena-{number}", padding="x" * 900 * 1024)
        waiting = Topology().consumed[1:]
        shop.until(lambda: sum(shop.vhost.queues()[name].messages for name in waiting) > 380)
        assert memory_of(shop) < 256 * 1024
        assert shop.code(shop.order("petro", "petro", "another")) == "succeeded"


def memory_of(shop: Counter) -> int:
    """Kilobytes of all processes of the worker, what they share counted once."""
    assert shop.worker.process is not None
    group, found = shop.worker.process.pid, 0
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):  # it ended meanwhile
            if int(stat.read_text().rpartition(")")[2].split()[2]) == group:
                rollup = (stat.parent / "smaps_rollup").read_text()
                found += int(rollup.partition("Pss:")[2].split()[0])
    return found
