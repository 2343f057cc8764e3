"""The command: ``python -m tests.bench``. A table on stdout, everything in ``build/bench.json``."""

from __future__ import annotations

import argparse
import json
import sys
import time
from pathlib import Path

from tests.bench import machine, parts
from tests.bench.measuring import Figures
from tests.bench.ratios import ratios
from worker.demo.rabbitmq import PrivateRabbitMQ

RESULT = Path("build/bench.json")
_COLUMNS = {
    "orders_per_second": "orders/s",
    "cpu_ms_per_order": "CPU ms",
    "requests_per_order": "calls",
    "largest_process_mib": "MiB",
    "p50_ms": "p50 ms",
    "p95_ms": "p95 ms",
    "p99_ms": "p99 ms",
    "added_p50_ms": "added p50",
    "added_p99_ms": "added p99",
    "look_p99_ms": "look p99",
}


def main() -> int:
    """Measure, print, write."""
    chosen = _arguments()
    written = {"machine": machine.described(), "rounds": chosen.rounds, "orders": chosen.orders, "rows": {}}
    print(", ".join(f"{name} {value}" for name, value in machine.described().items()))
    print(f"\n{'':28}" + "".join(f"{title:>10}" for title in _COLUMNS.values()), flush=True)
    with PrivateRabbitMQ() as node:
        for name in chosen.parts.split(","):
            rows = _part(node, name, chosen)
            written["rows"].update(rows)
            for row, figures in rows.items():
                print(_line(row, figures), flush=True)
            written["ratios"] = ratios(written["rows"])
            RESULT.parent.mkdir(exist_ok=True)
            RESULT.write_text(json.dumps(written, indent=2, ensure_ascii=False) + "\n")
    print("\n" + "\n".join(f"{ratio:8.3f}  {name}" for name, ratio in written["ratios"].items()))
    return 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser("python -m tests.bench", description=__doc__)
    every = [*parts.PARTS, "cold_start", "replay"]
    parser.add_argument("--parts", default=",".join(every), help=f"some of {', '.join(every)}")
    parser.add_argument("--only", help=f"candidates, some of {', '.join(parts.ALL)}")
    parser.add_argument(
        "--orders", type=int, default=500, help="of a usual run; the others have their share of it"
    )
    parser.add_argument("--rounds", type=int, default=3, help="of which medians are told")
    return parser.parse_args()


def _part(node: PrivateRabbitMQ, name: str, chosen: argparse.Namespace) -> dict[str, Figures]:
    if name == "cold_start":
        return parts.cold_start(node, chosen.rounds)
    if name == "replay":
        return parts.replay(node, chosen.rounds, chosen.orders)
    rows = parts.PARTS[name](chosen.orders, parts.candidates(chosen.only))
    return parts.run(node, rows, chosen.rounds, lambda line: _progress(f"{name}: {line}"))


def _progress(line: str) -> None:
    print(f"{time.strftime('%H:%M:%S')} {line}", file=sys.stderr, flush=True)


def _line(row: str, figures: Figures) -> str:
    if "orders_per_second" not in figures:
        return f"{row:28}  " + ", ".join(f"{name} {value:g}" for name, value in figures.items())
    cells = (f"{figures[name]:10.1f}" if name in figures else f"{'':>10}" for name in _COLUMNS)
    return f"{row:28}" + "".join(cells)


if __name__ == "__main__":
    sys.exit(main())
