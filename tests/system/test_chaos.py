"""Never twice, never lost, in a short run; `make chaos` plays the long ones."""

from __future__ import annotations

from tests.chaos.run import Plan, run


def test_a_short_run_keeps_every_promise() -> None:
    """One receipt and one told success for each order, whatever is killed, cut, stalled and garbled.

    Every sixth order is returned, in parts and by several documents at once, and never beyond itself. A
    few are paid in three parts, each of them one receipt, and every second of those is returned as a whole.
    The journal, which is killed too, agrees with Checkbox's books but for the faults that are planted then.
    """
    outcome = run(
        Plan(orders=80, chains=0.125, cashiers=12, seed=11, created_for=6.0, over=20.0, pause=(0.5, 1.5))
    )
    assert outcome.violations == []
    figures = outcome.figures
    assert figures["orders_returned"] == 13
    assert figures["returns_made"] == 18
    assert figures["chains"] == 10
    assert figures["receipts_done"] == 80 + 18
    assert figures["worker_killed"] >= 3
    assert figures["broker_killed"] >= 1
    assert figures["journal_killed"] >= 2
    assert figures["faults_found"] == figures["faults_planted"] == 6
    assert figures["checkbox_drop_after_commit"] >= 1
