"""What the fleet costs Checkbox, by Checkbox's own books; larger runs are `python -m tests.load`."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.load import runs
from worker.demo.vhost import VirtualHost


def test_two_processes_keep_to_the_rate_and_spare_checkbox(vhost: VirtualHost, tmp_path: Path) -> None:
    """2.3 requests for a receipt, a sign-in for each cashier and process, 2 receipts a second.

    Three of the requests are made once for each cashier and process: sign-in, shift, and the key's register.
    """
    figures = runs.fleet(vhost.url, tmp_path, count=120, of=5)
    assert figures["succeeded"] == figures["receipts"] == 120
    assert figures["requests_for_a_receipt"] <= 2.3
    assert figures["most_sign_ins_of_a_cashier"] <= 2
    assert figures["busiest_second_of_a_register"] <= 2
    assert figures["seconds"] < 25


@pytest.mark.parametrize(("workers", "processes"), [(2, 1), (1, 6)], ids=["two of one", "one of six"])
def test_the_rate_is_one_for_all(vhost: VirtualHost, tmp_path: Path, workers: int, processes: int) -> None:
    """A burst right after the start of two workers that do not know each other, or of six processes."""
    figures = runs.one_register(vhost.url, tmp_path, count=10, workers=workers, processes=processes)
    assert figures["busiest_second_of_a_register"] <= 2
    assert figures["receipts"] == 10


def test_a_cashier_with_an_expired_shift_does_not_delay_the_others(
    vhost: VirtualHost, tmp_path: Path
) -> None:
    """95 of 100 of the others' orders take at most half as long again."""
    figures = runs.isolation(vhost.url, tmp_path, count=80, others=8, per_second=8.0, seconds=3.0)
    assert figures["ratio"] <= 1.5
