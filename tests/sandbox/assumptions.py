"""What the sandbox assumes of Checkbox, switched to its other side, one assumption at a time.

    python -m tests.sandbox.assumptions [--only NAME] tests/checkbox tests/contracts tests/cli

The worker has to pass either way: nobody has seen which side is Checkbox's.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

#: Of each assumed option the values that are not its default.
OTHER_SIDES: dict[str, tuple[Any, ...]] = {
    "over_24h_status": (422,),
    "over_24h_code": ("base.bad_request", None),
    "language": ("en",),
    "force_close_at_24h": (True,),
    "cashier_has_shift_code": (None, "cashier.has_shift"),
    "register_busy_code": ("base.bad_request",),
    "busy_status": (409,),
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
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", action="append", choices=OTHER_SIDES, default=[])
    parser.add_argument("tests", nargs="+")
    chosen = parser.parse_args(arguments)
    failed = [text for text in _sides(chosen.only or list(OTHER_SIDES)) if not _passes(text, chosen.tests)]
    print(f"failed with: {', '.join(failed) or 'none'}")
    return int(bool(failed))


def _sides(names: list[str]) -> Iterator[str]:
    for name in names:
        for value in OTHER_SIDES[name]:
            yield f"{name}={'null' if value is None else value}"


def _passes(text: str, tests: list[str]) -> bool:
    command = [sys.executable, "-m", "pytest", "-q", "--no-header", f"--sandbox-option={text}", *tests]
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    lines = run.stdout.strip().splitlines()
    print(f"{text}: {lines[-1] if lines else run.stderr}", flush=True)
    for line in lines:
        if line.startswith(("FAILED", "ERROR")):
            print(f"  {line}", flush=True)
    return run.returncode == 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
