"""One tenant's mistake is his own, with real processes."""

from __future__ import annotations

import os
import signal
import subprocess
from pathlib import Path

from tests.system.counter import Counter, counter, words
from tests.system.test_neighbours import an_integration, integrations_file
from worker.demo.vhost import VirtualHost

COMPANY = "/companies/000001398"


def _reads(shop: Counter) -> int:
    return sum(line["event"] == "integrations_file_read" for line in shop.worker.lines())


def processes(shop: Counter) -> list[int]:
    """The worker's, without the main one."""
    assert shop.worker.process is not None
    listed = subprocess.run(["pgrep", "-P", str(shop.worker.process.pid)], capture_output=True, text=True)
    return [int(pid) for pid in listed.stdout.split()]


def _code(shop: Counter, name: str, cashier: str, integration: str) -> str:
    return shop.code(shop.order(name, cashier, integration, source=COMPANY))


def test_three_tenants(vhost: VirtualHost, tmp_path: Path) -> None:
    """A wrong code and a missing secret are told to their own; mended, they sell, and so do their letters."""
    secret = tmp_path / "secret"
    tenants = [
        an_integration("sound", ["olena"]),
        an_integration("wrong-code", ["petro"], tax_rates=[{"rate": 20, "code": "zero"}]),
        an_integration("no-secret", ["ivan"]),
    ]
    tenants[2]["cashiers"][0]["password"] = f"file:{secret}"
    of_worker = integrations_file(tmp_path / "worker.yaml", *tenants)
    all_sound = integrations_file(
        tmp_path / "sandbox.yaml",
        *(an_integration(name, [who]) for name, who in (("a", "olena"), ("b", "petro"), ("c", "ivan"))),
    )
    with counter(vhost, all_sound, FISCAL_INTEGRATIONS_FILE=str(of_worker), FISCAL_PROCESSES="2") as shop:
        assert _code(shop, "1", "olena", "sound") == "succeeded"
        for name, cashier, integration, path in (
            ("2", "petro", "wrong-code", "/tax_rates/0/code"),
            ("3", "ivan", "no-secret", "/cashiers/0/password"),
        ):
            shop.order(name, cashier, integration, source=COMPANY)
            event = shop.outcome(name)["data"]
            assert event["code"] == "CONFIGURATION_INVALID"
            assert [problem["path"] for problem in event["detail"]["problems"]] == [path]
            assert path in event["message"]["uk"]
        shop.until(lambda: len(shop.letters) == 2)

        # A mended row sells; a sound one that is spoilt sells on as it was, in a new process too.
        read = _reads(shop)
        secret.write_text("ivan-secret")
        tenants[0]["cashiers"][0]["password"] = "env:NOT_THERE"
        tenants[1]["tax_rates"] = [{"rate": 20, "code": 1}]
        integrations_file(of_worker, *tenants)
        shop.until(lambda: _reads(shop) >= read + 2)
        assert shop.replay() == 2
        shop.until(lambda: len(shop.events) == 2)
        assert {event["routing_key"] for event in shop.events} == {"fiscalization.succeeded"}
        assert _code(shop, "4", "olena", "sound") == "succeeded"
        for pid in processes(shop):
            os.kill(pid, signal.SIGKILL)
        shop.until(lambda: sum(line["event"] == "process_died" for line in shop.worker.lines()) == 3)
        shop.until(lambda: shop.worker.page("/readyz")[0] == 200)
        assert _code(shop, "5", "olena", "sound") == "succeeded"
        told = [line for line in shop.worker.lines() if line["event"] == "integration_out_of_service"]
        assert {line["integration"] for line in told} == {"sound", "wrong-code", "no-secret"}
        assert "ivan-secret" not in words(shop)
