"""The worker with its telemetry taken out, to be measured beside the whole one: not for use."""

from __future__ import annotations

import sys

from tests.bench.telemetry import without_telemetry
from worker.cli import main

if __name__ == "__main__":
    sys.argv = ["fiscal-worker", "run"]
    with without_telemetry():
        main()
