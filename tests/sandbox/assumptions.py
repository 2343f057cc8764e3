"""What the sandbox assumes of Checkbox, switched to its other side, one assumption at a time.

    python -m tests.sandbox.assumptions [--only NAME] tests/checkbox tests/contracts tests/cli

The worker has to pass either way: nobody has seen which side is Checkbox's. The tests run once as they are,
to see which option each of them depends on; then, for each other side, those that depend on it, the cheapest
first.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.sandbox.tracing import Traced, readers, traced

#: Seconds of tests that are over before several processes have started.
SHORT = 30.0
#: Of each assumed option the values that are not its default.
OTHER_SIDES: dict[str, tuple[Any, ...]] = {
    "over_24h_status": (422,),
    "over_24h_code": ("base.bad_request", None),
    "language": ("en",),
    "force_close_at_24h": (True,),
    "cashier_has_shift_code": (None, "cashier.has_shift"),
    "register_busy_code": ("base.bad_request",),
    "busy_status": (409,),
    "own_shift": ("busy",),
    "underpayment_status": (422,),
    "underpayment_code": ("base.bad_request",),
    "card_overpayment": ("accept",),
    "rounding": ("truncate", "half_even"),
    "round_at": ("line",),
    "line_sum": ("after_discounts",),
    "total_sum_is_rounded": (True,),
    "discount_sum": ("positive",),
    "serials": ("shift",),
    "unknown_tax_status": (422,),
    "close_with_unfinished": ("refuse",),
    "client_name_check": (True,),
    "search_form": ("short",),
    "page_limit": (2,),
    "token_lifetime": (3600.0,),
    "blocked_refuses": ("everything",),
    "sign_out_body": ("empty",),
    "duplicate_before_shift": (False,),
    "offline_done": ("after_upload",),
    "webhook_on_error": (True,),
    "relation_exists_code": ("receipt.relation_exists",),
    "repeated_payment": ("refused",),
    "relation_receipts": ("ids",),
    "refused_payment": ("counted",),
    "refused_return": ("CANCELLED", "unchanged"),
    "closing_lines": ("goods",),
}


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--only", action="append", choices=OTHER_SIDES, default=[])
    parser.add_argument("--trace", type=Path, default=Path("build/assumptions"), metavar="FOLDER")
    parser.add_argument("-n", type=int, default=4, metavar="PROCESSES")
    parser.add_argument("tests", nargs="*", help="traced first; without any, those that FOLDER tells of")
    chosen = parser.parse_args(arguments)
    spread = (f"-n{chosen.n}", "--dist=worksteal")
    failed = []
    if chosen.tests:
        shutil.rmtree(chosen.trace, ignore_errors=True)
        traces = ("-p", "tests.sandbox.tracing", "--sandbox-trace", str(chosen.trace))
        failed += [] if _passes("as it is", chosen.tests, *spread, *traces) else ["none"]
    tests = traced(chosen.trace)
    runs = {side: readers(tests, side.partition("=")[0]) for side in _sides(chosen.only or list(OTHER_SIDES))}
    for side in sorted(runs, key=lambda side: _seconds(runs[side])):
        found = [one.test for one in runs[side]]
        several = spread if _seconds(runs[side]) > SHORT else ()
        if not found:
            print(f"{side}: no test depends on it")
        elif not _passes(side, found, *several, f"--sandbox-option={side}"):
            failed.append(side)
    print(f"{len(tests)} tests; failed with: {', '.join(failed) or '-'}")
    return int(bool(failed))


def _sides(names: list[str]) -> Iterator[str]:
    for name in names:
        for value in OTHER_SIDES[name]:
            yield f"{name}={'null' if value is None else value}"


def _seconds(tests: list[Traced]) -> float:
    return sum(one.seconds for one in tests)


def _passes(title: str, tests: list[str], *options: str) -> bool:
    """A line tells of it, and one of each test that does not pass."""
    with tempfile.NamedTemporaryFile("w", suffix=".txt") as file:
        file.write("\n".join(tests))
        file.flush()
        command = [sys.executable, "-m", "pytest", "-q", "--no-header", *options, f"@{file.name}"]
        run = subprocess.run(command, capture_output=True, text=True, check=False)
    lines = run.stdout.strip().splitlines()
    print(f"{title}: {lines[-1] if lines else run.stderr}", flush=True)
    for line in lines:
        if line.startswith(("FAILED", "ERROR")):
            print(f"  {line}", flush=True)
    return run.returncode == 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
