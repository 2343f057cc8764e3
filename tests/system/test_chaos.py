"""Never twice, never lost, in a short run; `make chaos` plays the long ones."""

from __future__ import annotations

import pytest

from tests.chaos.run import Plan, run


@pytest.mark.timeout(240)
def test_a_short_run_keeps_every_promise() -> None:
    """Each order ends in one receipt and one told success, whatever is killed, cut, stalled and garbled."""
    outcome = run(Plan(orders=150, cashiers=12, seed=11, created_for=6.0, over=20.0, pause=(0.5, 1.5)))
    assert outcome.violations == []
    figures = outcome.figures
    assert figures["receipts_done"] == 150
    assert figures["worker_killed"] >= 3
    assert figures["broker_killed"] >= 1
    assert figures["checkbox_drop_after_commit"] >= 1
