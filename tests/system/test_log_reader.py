"""Nobody reads the worker's log, or its reader is gone: orders go on, and the end comes in time."""

from __future__ import annotations

import fcntl
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.system.counter import Counter, write
from worker.demo.sandbox_process import SandboxProcess
from worker.demo.vhost import VirtualHost
from worker.demo.worker_process import WorkerProcess

Start = Callable[[int], Counter]
#: Bytes that the pipe takes before a writer blocks.
_PIPE = 4096


@pytest.fixture
def into(vhost: VirtualHost, tmp_path: Path) -> Iterator[Start]:
    """`into(fd)` starts a worker whose stdout and stderr are this descriptor, and waits until it consumes."""
    integrations = write(tmp_path / "integrations.yaml")
    shops: list[Counter] = []
    with SandboxProcess(integrations=integrations, options={"done_after": 0.3}) as sandbox:

        def start(output: int) -> Counter:
            settings = {
                "FISCAL_RABBITMQ_URL": vhost.url,
                "FISCAL_CHECKBOX_URL": sandbox.url,
                "FISCAL_INTEGRATIONS_FILE": str(integrations),
                "FISCAL_REGISTER_RATE": "100",
            }
            worker = WorkerProcess(settings, tmp_path / "worker.log")
            worker.log.touch()
            shops.append(Counter(vhost, sandbox, worker))
            worker.process = subprocess.Popen(
                [sys.executable, "-m", "worker", "run"],
                env={**os.environ, **worker.settings},
                stdout=output,
                stderr=output,
                start_new_session=True,
            )
            os.close(output)
            worker.wait_until_ready()
            return shops[-1]

        yield start
        for shop in shops:
            shop.close()


def all_settled(shop: Counter, count: int) -> None:
    """One event for each order, one receipt for each, and nothing that the broker still has."""
    names = {shop.order(f"r{number}") for number in range(count)}
    shop.until(lambda: {event["data"]["requestId"] for event in shop.events} == names)
    shop.until(lambda: sum(depth.messages for depth in shop.vhost.queues().values()) == 0)
    assert [event["routing_key"] for event in shop.events] == ["fiscalization.succeeded"] * count
    assert len({event["data"]["receipt"]["id"] for event in shop.events}) == count


def test_a_reader_that_stands_still_stops_nothing(into: Start) -> None:
    """All are fiscalized; it is alive and ready, and ends in time with exit code 0."""
    reading, writing = os.pipe()
    fcntl.fcntl(writing, fcntl.F_SETPIPE_SZ, _PIPE)
    shop = into(writing)
    all_settled(shop, 300)
    assert shop.worker.page("/healthz")[0] == shop.worker.page("/readyz")[0] == 200
    began = time.monotonic()
    assert shop.worker.terminate(timeout=25) == 0
    assert time.monotonic() - began < 25
    os.close(reading)


def test_a_reader_that_is_gone_stops_nothing(into: Start) -> None:
    """Each order is told once and acknowledged; what was not written is counted."""
    reading, writing = os.pipe()
    shop = into(writing)
    os.close(reading)
    all_settled(shop, 20)
    page = shop.worker.page("/metrics")[1]
    [dropped] = [line for line in page.splitlines() if line.startswith("fiscal_log_lines_dropped_total")]
    assert float(dropped.split()[1]) >= 20
    assert shop.worker.terminate(timeout=25) == 0
