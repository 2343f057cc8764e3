"""Integrations from an address of Bimp's, with real processes."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path
from urllib.parse import urlsplit

from tests.conftest import PATIENCE
from tests.integrations.serving import serving
from tests.system.counter import Counter, counter, words, write
from tests.system.test_integrations_isolated import processes
from tests.system.test_neighbours import an_integration
from worker.demo.free_ports import free_ports
from worker.demo.vhost import VirtualHost
from worker.demo.worker_process import WorkerProcess


def _read(shop: Counter) -> int:
    return sum(line["event"] == "integrations_file_read" for line in shop.worker.lines())


def test_the_end_while_the_first_answer_is_awaited(tmp_path: Path) -> None:
    """SIGTERM is heard: nothing is in flight, and the exit code is 0."""
    settings = {"FISCAL_INTEGRATIONS_URL": "http://127.0.0.1:1/integrations"}
    worker = WorkerProcess(settings, tmp_path / "worker.log").start(wait=False)
    try:
        deadline = time.monotonic() + PATIENCE
        while "waits for the integrations" not in worker.page("/readyz")[1]:
            assert time.monotonic() < deadline
            time.sleep(0.05)
        assert worker.terminate() == 0
    finally:
        worker.kill()


def test_an_address_that_comes_and_goes(vhost: VirtualHost, tmp_path: Path) -> None:
    """Waited for at the start; when it is gone, the last version stays, in a new process too."""
    file, port = write(tmp_path / "integrations.yaml"), free_ports(1)[0]
    settings = {
        "FISCAL_INTEGRATIONS_FILE": "",
        "FISCAL_INTEGRATIONS_URL": f"http://127.0.0.1:{port}/integrations?all=1",
        "FISCAL_INTEGRATIONS_TOKEN": "t0ken-of-bimp",
        "FISCAL_INTEGRATIONS_POLL": "PT1S",
        "FISCAL_LOG_LEVEL": "DEBUG",
    }
    with counter(vhost, file, wait=False, **settings) as shop:
        shop.wait_for_page("/readyz", 503, "FISCAL_INTEGRATIONS_URL: no answer: connect_error")
        assert shop.worker.page("/healthz")[0] == 200
        with serving(port) as place:
            place.put({"error": "not now"})
            shop.wait_for_page("/readyz", 503, "does not hold the key integrations")
            sound = an_integration("shop-main", ["olena"])
            stranger = an_integration("stranger", ["petro"])
            stranger["cashiers"][0]["password"] = "file:/etc/passwd"
            place.put({"integrations": [sound, stranger]})
            shop.worker.wait_until_ready()
            assert shop.code(shop.order("1")) == "succeeded"
            assert shop.code(shop.order("2", "petro", "stranger")) == "CONFIGURATION_INVALID"
            asked = len(place.requests)
            shop.until(lambda: len(place.requests) > asked + 2)
            assert place.requests[-1]["If-None-Match"] == place.etag

            read = _read(shop)
            stranger["cashiers"][0]["password"] = "petro-secret"
            place.put({"integrations": [sound, stranger]})
            shop.until(lambda: _read(shop) == read + 2)  # by both processes
            assert shop.code(shop.order("3", "petro", "stranger")) == "succeeded"
        shop.until(lambda: shop.metric("fiscal_integrations_file_broken 1.0"))
        for pid in processes(shop):
            os.kill(pid, signal.SIGKILL)
        died = 3  # the monitor too
        shop.until(lambda: sum(line["event"] == "process_died" for line in shop.worker.lines()) == died)
        shop.worker.wait_until_ready()
        assert shop.code(shop.order("4")) == "succeeded"
        shop.wait_for_page("/readyz", 200, "the integrations are those of the last answer")
        with serving(urlsplit(settings["FISCAL_INTEGRATIONS_URL"]).port or 0) as place:
            place.put({"integrations": [sound]})
            shop.until(lambda: shop.metric("fiscal_integrations_file_broken 0.0"))
            shop.until(lambda: shop.code(shop.order("5", "petro", "stranger")) == "UNKNOWN_INTEGRATION")
        told = words(shop)
        for secret in ("t0ken-of-bimp", "olena-secret", "petro-secret", "root:x"):
            assert secret not in told
