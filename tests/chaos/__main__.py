"""The command: ``python -m tests.chaos``. Exit code 0 when every promise was kept, in every run."""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import replace

from rich.console import Console
from rich.table import Table

from tests.chaos.havoc import KINDS
from tests.chaos.run import CHECKBOX_FAULTS, Outcome, Plan, run

_CHOICES = (*KINDS, *CHECKBOX_FAULTS)


def main() -> int:
    arguments = _arguments()
    left_out = [kind for kind in _CHOICES if getattr(arguments, f"no_{kind}")]
    plan = Plan(
        orders=arguments.orders,
        cashiers=arguments.cashiers,
        processes=arguments.processes,
        queue_type=arguments.queue_type,
        left_out=left_out,
        created_for=arguments.created_for,
        over=arguments.over,
    )
    outcomes = []
    for seed in range(arguments.seed, arguments.seed + arguments.seeds):
        _say(f"seed {seed}: {plan.orders} orders, {plan.cashiers} cashiers, {plan.queue_type} queues")
        outcomes.append(run(replace(plan, seed=seed), _say))
        for violation in outcomes[-1].violations:
            _say(f"seed {seed}: {violation}")
    _show(outcomes, as_json=arguments.json)
    return 1 if any(outcome.violations for outcome in outcomes) else 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser("python -m tests.chaos", description=__doc__)
    parser.add_argument("--orders", type=int, default=2000)
    parser.add_argument("--cashiers", type=int, default=50)
    parser.add_argument("--seed", type=int, default=1, help="decides the orders and the order of the faults")
    parser.add_argument("--seeds", type=int, default=1, help="so many runs, with this seed and the next ones")
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--queue-type", choices=("quorum", "classic"), default="quorum")
    parser.add_argument("--over", type=float, default=40.0, help="seconds over which the orders come")
    parser.add_argument("--created-for", type=float, default=60.0, help="seconds that a few receipts wait")
    parser.add_argument("--json", action="store_true", help="the figures as JSON lines")
    for kind in _CHOICES:
        parser.add_argument(
            f"--no-{kind.replace('_', '-')}", action="store_true", help="leave this fault out"
        )
    return parser.parse_args()


def _show(outcomes: list[Outcome], *, as_json: bool) -> None:
    if as_json:
        for outcome in outcomes:
            row = {"seed": outcome.plan.seed, "violations": outcome.violations, **outcome.figures}
            print(json.dumps(row, ensure_ascii=False))
        return
    table = Table("figure", *(f"seed {outcome.plan.seed}" for outcome in outcomes))
    names = dict.fromkeys(name for outcome in outcomes for name in outcome.figures)
    for name in names:
        table.add_row(name.replace("_", " "), *(str(outcome.figures.get(name, "")) for outcome in outcomes))
    table.add_row("promises broken", *(str(len(outcome.violations)) for outcome in outcomes))
    console = Console()
    if not console.is_terminal:
        console.width = 120
    console.print(table)


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
