"""What waits for a person, why, and what replays do to it."""

from __future__ import annotations

from grafana_foundation_sdk.builders.dashboard import Dashboard
from queries import DEAD_LETTERS, JOB
from shapes import bars_panel, board, series_panel, stat_panel


def dead_letters() -> Dashboard:
    """The dashboard."""
    empty = board(
        "fiscal-dead-letters",
        "Fiscal worker: dead letters",
        "`fiscal-worker dead-letters list` shows each of them; what to do: docs/runbook.md.",
    )
    return _by_code(_in_all(empty))


def _in_all(dashboard: Dashboard) -> Dashboard:
    return (
        dashboard.with_panel(
            stat_panel(
                "Waiting", "Messages in fiscalize.dead_letters now.", DEAD_LETTERS, limits=(1, 10), width=6
            )
        )
        .with_panel(
            stat_panel(
                "New",
                "Put there in the time that is shown.",
                f"sum(increase(fiscal_dead_letters_total{JOB}[$__range]))",
                decimals=0,
                nothing="0",
                width=6,
            )
        )
        .with_panel(
            stat_panel(
                "Replayed",
                "Replays that arrived at a worker in the time that is shown.",
                f"sum(increase(fiscal_replayed_total{JOB}[$__range]))",
                decimals=0,
                nothing="0",
                width=6,
            )
        )
        .with_panel(
            stat_panel(
                "Workers that stopped themselves",
                "After too many dead letters in a row; `fiscal-worker resume` lets them go on.",
                f"count(fiscal_consuming{JOB} == 0) or vector(0)",
                limits=(1, 1),
                width=6,
            )
        )
        .with_panel(
            series_panel(
                "Waiting, over time",
                "A step up is an incident, a step down a replay or a person who discarded some.",
                [(DEAD_LETTERS, "dead letters")],
                width=24,
            )
        )
    )


def _by_code(dashboard: Dashboard) -> Dashboard:
    return (
        dashboard.with_panel(
            bars_panel(
                "New by code",
                "In the time that is shown.",
                (f"sum by (code) (increase(fiscal_dead_letters_total{JOB}[$__range])) > 0", "{{code}}"),
                width=8,
            )
        )
        .with_panel(
            bars_panel(
                "Replayed by code",
                "The code that each letter had; in the time that is shown.",
                (f"sum by (code) (increase(fiscal_replayed_total{JOB}[$__range])) > 0", "{{code}}"),
                width=8,
            )
        )
        .with_panel(
            series_panel(
                "New by code, over time",
                "Each minute.",
                [
                    (
                        f"sum by (code) (rate(fiscal_dead_letters_total{JOB}[$__rate_interval])) * 60 > 0",
                        "{{code}}",
                    )
                ],
                unit="cpm",
                stacked=True,
            )
        )
    )
