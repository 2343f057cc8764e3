"""The comparison of a run with what was recorded."""

from __future__ import annotations

from tests.bench.ratios import losses, ratios

CPU = "ours / floor: cpu_ms_per_order"
SPEED = "ours / floor: orders_per_second"


def test_a_ratio_needs_both_of_its_rows() -> None:
    """A run of some parts only compares what it has measured."""
    row = {"cpu_ms_per_order": 6.0, "orders_per_second": 70.0, "largest_process_mib": 60.0}
    half = {name: value / 2 for name, value in row.items()}
    assert ratios({"ours": row}) == {}
    assert ratios({"ours": row, "floor": half})[CPU] == 2.0


def test_more_cost_is_a_loss_from_a_fifth_on() -> None:
    """CPU time is better when it is less."""
    assert losses({CPU: 2.38}, {CPU: 2.0}) == []
    assert len(losses({CPU: 2.42}, {CPU: 2.0})) == 1


def test_fewer_orders_a_second_are_a_loss() -> None:
    """Throughput is better when it is more, and a gain is no loss."""
    assert len(losses({SPEED: 0.8}, {SPEED: 1.0})) == 1
    assert losses({SPEED: 1.3}, {SPEED: 1.0}) == []


def test_what_was_never_recorded_is_no_loss() -> None:
    """A new row is compared from the next record on."""
    assert losses({CPU: 9.0}, {}) == []
