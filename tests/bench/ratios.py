"""What may be compared between machines: ours against the floor and the peers of the same run.

``python -m tests.bench.ratios`` compares the last run with the recorded ratios and fails on a loss.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from pathlib import Path

from tests.bench.measuring import Figures

RECORDED = Path(__file__).with_name("recorded.json")
_RESULT = Path("build/bench.json")
_LOSS = 1.20

#: Row, row it is measured by, and figure. Less is better, but for orders a second.
_PAIRS = (
    ("ours", "floor", "cpu_ms_per_order"),
    ("ours, 0 ms", "floor, 0 ms", "cpu_ms_per_order"),
    ("ours", "celery", "cpu_ms_per_order"),
    ("ours", "faststream", "cpu_ms_per_order"),
    ("ours", "pika", "cpu_ms_per_order"),
    ("ours, classic queues", "ours", "cpu_ms_per_order"),
    ("ours, with telemetry", "ours, without telemetry", "cpu_ms_per_order"),
    ("ours, 1000 cashiers", "ours, 10 cashiers", "cpu_ms_per_order"),
    ("ours, 10000 cashiers", "ours, 10 cashiers", "cpu_ms_per_order"),
    ("ours, 2000 waiting", "ours, 0 waiting", "cpu_ms_per_order"),
    ("ours, 100000 waiting", "ours, 0 waiting", "cpu_ms_per_order"),
    ("ours, 2 processes", "faststream, 2 processes", "cpu_ms_per_order"),
    ("ours", "floor", "orders_per_second"),
    ("ours", "celery", "orders_per_second"),
    ("ours", "faststream", "orders_per_second"),
    ("ours", "pika", "orders_per_second"),
    ("ours, 300 ms", "floor, 300 ms", "orders_per_second"),
    ("ours, 2 processes", "ours, 1 processes", "orders_per_second"),
    ("ours, 4 processes", "ours, 1 processes", "orders_per_second"),
    ("ours, 2 processes", "floor, 2 processes", "orders_per_second"),
    ("ours, 2 processes", "faststream, 2 processes", "orders_per_second"),
    ("ours", "floor", "largest_process_mib"),
    ("ours, 10000 cashiers", "ours", "largest_process_mib"),
    ("ours, 100000 waiting", "ours", "largest_process_mib"),
)


def ratios(rows: Mapping[str, Figures]) -> dict[str, float]:
    """Those whose two rows were measured."""
    return {
        f"{one} / {other}: {figure}": round(rows[one][figure] / rows[other][figure], 3)
        for one, other, figure in _PAIRS
        if one in rows and other in rows
    }


def losses(measured: Mapping[str, float], recorded: Mapping[str, float]) -> list[str]:
    """A line for each ratio that got worse by more than a fifth."""
    found = []
    for name, now in measured.items():
        before = recorded.get(name, now)
        worse = before / now if name.endswith("orders_per_second") else now / before
        if worse > _LOSS:
            found.append(f"{name}: {before} was recorded, {now} was measured")
    return found


def main() -> int:
    """0, or 1 with the losses on stdout."""
    measured = json.loads(_RESULT.read_text())["ratios"]
    recorded = json.loads(RECORDED.read_text())["ratios"]
    lost = losses(measured, recorded)
    print("\n".join(lost) or f"no loss over {_LOSS - 1:.0%} in {len(measured.keys() & recorded)} ratios")
    return 1 if lost else 0


if __name__ == "__main__":
    sys.exit(main())
