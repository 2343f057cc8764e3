"""The integrations file changes while the worker runs."""

from __future__ import annotations

from pathlib import Path

from tests.system.counter import SIGN_IN, counter, write
from worker.demo.vhost import VirtualHost

BROKEN = "fiscal_integrations_file_broken"


def test_a_changed_file_counts_without_a_restart(vhost: VirtualHost, tmp_path: Path) -> None:
    """A new password is used, a file that cannot be read changes nothing, and a mended one counts again."""
    integrations = write(tmp_path / "integrations.yaml")
    with counter(vhost, integrations, FISCAL_PROCESSES="2") as shop:
        shop.sandbox.put_cashier("olena", password="word-of-olena-2", sign_out=True)
        assert shop.code(shop.order("refused")) == "CASHIER_CREDENTIALS_REJECTED"
        asked = shop.sandbox.requests(SIGN_IN)
        assert shop.code(shop.order("refused-too")) == "CASHIER_CREDENTIALS_REJECTED"
        assert shop.sandbox.requests(SIGN_IN) <= asked + 1  # of the other process, if it came there

        good = integrations.read_text().replace("olena-secret", "word-of-olena-2")
        integrations.write_text(good)
        shop.until(lambda: _read(shop.worker.lines()) == 3)  # at the start, and now by both processes
        assert shop.replay() == 2
        shop.until(lambda: len(shop.events) == 2)
        assert {event["routing_key"] for event in shop.events} == {"fiscalization.succeeded"}

        integrations.write_text(good.replace("integrations:", "shops:"))
        shop.until(lambda: shop.metric(f"{BROKEN} 1.0"))
        refused = [line for line in shop.worker.lines() if line["event"] == "integrations_file_refused"]
        assert refused
        assert "does not hold the key integrations" in str(refused[0]["problems"])
        assert shop.code(shop.order("sold")) == "succeeded"

        integrations.write_text(good)
        shop.until(lambda: shop.metric(f"{BROKEN} 0.0"))
        assert shop.code(shop.order("sold-too")) == "succeeded"
        assert "word-of-olena-2" not in shop.worker.log.read_text()


def _read(lines: list[dict[str, object]]) -> int:
    return sum(line["event"] == "integrations_file_read" for line in lines)
