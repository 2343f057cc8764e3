"""The command: ``python -m tests.load``. One JSON line of figures for each run."""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from pathlib import Path

from tests.load import runs
from worker.demo.rabbitmq import PrivateRabbitMQ


def main() -> int:
    parser = argparse.ArgumentParser("python -m tests.load", description=__doc__)
    parser.add_argument("run", choices=("fleet", "burst", "isolation"))
    parser.add_argument(
        "--orders", type=int, help="1000 for the fleet, 17 for the burst, 300 for the isolation"
    )
    parser.add_argument("--cashiers", type=int, default=50)
    parser.add_argument("--workers", type=int, default=1, help="so many times `fiscal-worker run`")
    parser.add_argument("--processes", type=int, default=2, help="of each worker")
    parser.add_argument("--latency", type=float, default=0.0, help="of Checkbox, in seconds (burst)")
    parser.add_argument("--rounds", type=int, default=2, help="calm and disturbed in turn (isolation)")
    arguments = parser.parse_args()
    with PrivateRabbitMQ() as broker, tempfile.TemporaryDirectory() as folder:
        print(json.dumps({"run": arguments.run, **_run(arguments, broker.url, Path(folder))}))
    return 0


def _run(arguments: argparse.Namespace, url: str, folder: Path) -> runs.Figures:
    shape = {"workers": arguments.workers, "processes": arguments.processes}
    if arguments.run == "fleet":
        return runs.fleet(url, folder, count=arguments.orders or 1000, of=arguments.cashiers, **shape)
    if arguments.run == "burst":
        count = arguments.orders or 17
        return runs.one_register(url, folder, count=count, latency=arguments.latency, **shape)
    return runs.isolation(url, folder, count=arguments.orders or 300, rounds=arguments.rounds)


if __name__ == "__main__":
    sys.exit(main())
