"""The partner's dashboard: rate, errors, time; and what cashiers and shifts are up to."""

from __future__ import annotations

from grafana_foundation_sdk.builders.dashboard import Dashboard, Row
from queries import CALLS, CHOSEN, JOB, NO_ANSWER, OPENED, quantiles, rate
from shapes import board, by_integration, series_panel, stat_panel


def checkbox() -> Dashboard:
    """The dashboard."""
    empty = by_integration(
        board("fiscal-checkbox", "Fiscal worker: Checkbox", "Calls, sign-ins and shifts at Checkbox.")
    )
    return _cashiers(_how_long(_how_many(_what_is_wrong(empty))))


def _what_is_wrong(dashboard: Dashboard) -> Dashboard:
    return (
        dashboard.with_row(Row("Calls"))
        .with_panel(
            stat_panel(
                "Calls without a usable answer",
                "5xx, time-outs, broken connections; of all calls of the last 5 minutes.",
                f"(sum(rate({NO_ANSWER}[5m])) or vector(0)) / sum(rate({CALLS}[5m]))",
                unit="percentunit",
                limits=(0.02, 0.2),
                nothing="no calls",
                width=6,
            )
        )
        .with_panel(
            stat_panel(
                "Unknown outcomes",
                "Orders for which a receipt may have been made and no look-up has been answered.",
                f"sum(fiscal_unknown_outcomes_waiting{JOB})",
                limits=(1, 10),
                width=6,
            )
        )
        .with_panel(
            stat_panel(
                "Unknown for",
                "Since the longest of them has been unknown.",
                f"time() - min(fiscal_oldest_unknown_outcome_timestamp_seconds{JOB})",
                unit="s",
                limits=(60, 900),
                nothing="none",
                width=6,
            )
        )
        .with_panel(
            stat_panel(
                "Words that are not in the table",
                "Refusals that worker/checkbox/failures.py does not know, in the time that is shown.",
                f"sum(increase(fiscal_unknown_answers_total{JOB}[$__range]))",
                limits=(1, 10),
                decimals=0,
                nothing="0",
                width=6,
            )
        )
    )


def _how_many(dashboard: Dashboard) -> Dashboard:
    return dashboard.with_panel(
        series_panel(
            "By status",
            "HTTP status, or the kind of fault where there was no answer.",
            [(rate("fiscal_checkbox_requests_total", "status"), "{{status}}")],
            unit="reqps",
            stacked=True,
        )
    ).with_panel(
        series_panel(
            "By endpoint",
            "A usual sale is one POST and one GET.",
            [(rate("fiscal_checkbox_requests_total", "endpoint"), "{{endpoint}}")],
            unit="reqps",
            stacked=True,
        )
    )


def _how_long(dashboard: Dashboard) -> Dashboard:
    return (
        dashboard.with_panel(
            series_panel(
                "Length of the calls",
                "Quantiles over all endpoints.",
                quantiles("fiscal_checkbox_request_duration_seconds"),
                unit="s",
            )
        )
        .with_panel(
            series_panel(
                "95 % of the calls are shorter than",
                "By endpoint.",
                [(quantiles("fiscal_checkbox_request_duration_seconds", "endpoint")[1][0], "{{endpoint}}")],
                unit="s",
                width=12,
            )
        )
        .with_panel(
            series_panel(
                "Duplicates prevented",
                "Look-ups and already_exists answers that found a receipt.",
                [(f"sum(rate(fiscal_duplicates_prevented_total{JOB}[$__rate_interval]))", "prevented")],
                unit="cps",
                width=12,
            )
        )
    )


def _cashiers(dashboard: Dashboard) -> Dashboard:
    return (
        dashboard.with_row(Row("Cashiers"))
        .with_panel(
            series_panel(
                "Sign-ins by result",
                "Few is good: a token lives until it is revoked.",
                [(rate("fiscal_signins_total", "result"), "{{result}}")],
                unit="cps",
                width=12,
            )
        )
        .with_panel(
            series_panel(
                "Age of the shifts",
                "As far as known; after 24 hours a shift takes no receipts.",
                [(f"time() - max by (integration, cashier) ({OPENED})", "{{integration}}/{{cashier}}")],
                unit="s",
                width=12,
            )
        )
        .with_panel(
            series_panel(
                "Findings of integrations",
                "Of the last check of each integration against Checkbox.",
                [(f"sum by (severity) (fiscal_integration_findings{CHOSEN})", "{{severity}}")],
                width=12,
            )
        )
        .with_panel(
            series_panel(
                "Offline codes left",
                "Of the registers' stock; Checkbox fetches new ones by itself.",
                [
                    (
                        f"min by (integration, cashier) (fiscal_register_offline_codes{CHOSEN})",
                        "{{integration}}/{{cashier}}",
                    )
                ],
                width=12,
            )
        )
        .with_row(Row("Books"))
        .with_panel(
            series_panel(
                "Differences",
                "Between the journal and Checkbox, in the shifts that were closed in the last 48 hours.",
                [
                    (
                        f"sum by (integration, kind) (fiscal_reconciliation_differences{CHOSEN})",
                        "{{integration}} {{kind}}",
                    )
                ],
                unit="short",
                width=12,
            )
        )
        .with_panel(
            series_panel(
                "Waiting for the journal",
                "Messages of its queue; orders do not wait for them.",
                [(f"max(fiscal_journal_lag_messages{JOB})", "messages")],
                unit="short",
                width=12,
            )
        )
    )
