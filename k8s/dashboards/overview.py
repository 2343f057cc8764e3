"""The first dashboard: is it well, what flows, why not, and how the worker itself is."""

from __future__ import annotations

from grafana_foundation_sdk.builders.dashboard import Dashboard, Row
from queries import CHOSEN, DEAD_LETTERS, FAILED, JOB, SUCCEEDED, VALID, quantiles, rate
from shapes import bars_panel, board, by_integration, series_panel, stat_panel


def overview() -> Dashboard:
    """The dashboard."""
    empty = by_integration(
        board("fiscal-overview", "Fiscal worker", "From Bimp's order to Checkbox's fiscal number.")
    )
    return _the_worker(_why_not(_what_flows(_is_it_well(empty))))


def _is_it_well(dashboard: Dashboard) -> Dashboard:
    return (
        dashboard.with_row(Row("Is it well?"))
        .with_panel(
            stat_panel(
                "Fiscalized in the last hour",
                "Orders that got a receipt with a fiscal number, or had one already.",
                f"sum(increase({SUCCEEDED}[1h]))",
                decimals=0,
                nothing="0",
            )
        )
        .with_panel(
            stat_panel(
                "Valid orders fiscalized",
                "Of the valid orders of the last 24 hours; the objective is 99.5 %.",
                f"sum(increase({SUCCEEDED}[24h])) / sum(increase({VALID}[24h]))",
                unit="percentunit",
                bad_below=(0.99, 0.995),
                nothing="no orders",
            )
        )
        .with_panel(
            stat_panel(
                "Oldest request waiting",
                "Since a worker first saw the oldest request that it holds.",
                f"time() - min(fiscal_oldest_waiting_timestamp_seconds{JOB})",
                unit="s",
                limits=(300, 900),
                nothing="none",
            )
        )
        .with_panel(
            stat_panel(
                "Dead letters",
                "Messages that wait for a person.",
                DEAD_LETTERS,
                limits=(1, 10),
            )
        )
        .with_panel(
            stat_panel(
                "Processes consuming",
                "Of the worker processes that the settings ask for.",
                f"sum(fiscal_processes_consuming{JOB}) / sum(fiscal_processes{JOB})",
                unit="percentunit",
                bad_below=(0.5, 1),
                decimals=0,
                nothing="no worker",
            )
        )
        .with_panel(
            stat_panel(
                "Bimp listens",
                "Consumers of bimp.fiscal.events; with none, Bimp does not learn the outcome of orders.",
                f"max(fiscal_events_consumers{JOB})",
                bad_below=(1, 1),
            )
        )
    )


def _what_flows(dashboard: Dashboard) -> Dashboard:
    return (
        dashboard.with_row(Row("What flows"))
        .with_panel(
            series_panel(
                "Requests by outcome",
                "Each request when it ends, and once more when it is delayed for the first time.",
                [(rate("fiscal_requests_total", "outcome", CHOSEN), "{{outcome}}")],
                unit="reqps",
                stacked=True,
            )
        )
        .with_panel(
            series_panel(
                "Messages in the queues",
                "Ready ones, and those that workers hold until they are due.",
                [
                    (f"max by (queue) (fiscal_queue_messages{JOB})", "{{queue}}"),
                    (f"sum by (queue) (fiscal_waiting_requests{JOB})", "{{queue}}, held"),
                ],
            )
        )
        .with_panel(
            series_panel(
                "Events that Bimp has not taken",
                "Ready messages of bimp.fiscal.events.",
                [(f"max(fiscal_events_unread{JOB})", "unread")],
            )
        )
        .with_panel(
            series_panel(
                "From request to event",
                "Orders that were fiscalized: quantiles, waiting included; a replay counts from its request.",
                quantiles("fiscal_request_duration_seconds", only=',outcome="succeeded"'),
                unit="s",
            )
        )
        .with_panel(
            series_panel(
                "From request to a worker's first look",
                "A backlog shows here before it shows anywhere else.",
                quantiles("fiscal_request_wait_seconds"),
                unit="s",
            )
        )
        .with_panel(
            series_panel(
                "Money on receipts",
                "Hryvnias an hour by integration; returns apart.",
                [
                    (
                        "sum by (integration, operation) "
                        f"(rate(fiscal_receipts_amount_kopecks_total{CHOSEN}[$__rate_interval])) * 36",
                        "{{integration}} {{operation}}",
                    )
                ],
            )
        )
    )


def _why_not(dashboard: Dashboard) -> Dashboard:
    return (
        dashboard.with_row(Row("Why not"))
        .with_panel(
            bars_panel(
                "Failed by code",
                "In the time that is shown. What to do for each code: docs/runbook.md.",
                (f"sum by (code) (increase({FAILED}[$__range])) > 0", "{{code}}"),
                limits=(1, 10),
            )
        )
        .with_panel(
            series_panel(
                "Faults and doubts",
                "Retries, receipts whose outcome is not known, passes that the broker did not confirm, and "
                "messages of another company than the integration's.",
                [
                    (f"sum(rate(fiscal_retries_total{JOB}[$__rate_interval]))", "retries"),
                    (f"sum(rate(fiscal_unknown_outcomes_total{JOB}[$__rate_interval]))", "unknown outcomes"),
                    (f"sum(fiscal_unknown_outcomes_waiting{JOB})", "unknown outcomes now"),
                    (f"sum(rate(fiscal_unsettled_total{JOB}[$__rate_interval]))", "not confirmed"),
                    (
                        f"sum(rate(fiscal_foreign_requests_total{CHOSEN}[$__rate_interval]))",
                        "of another company",
                    ),
                ],
            )
        )
        .with_panel(
            series_panel(
                "Waits that are not faults",
                "For a number, the register's turn, the cashier, a shift, the sale of a return.",
                [(rate("fiscal_postponed_total", "reason"), "{{reason}}")],
                unit="cps",
                stacked=True,
            )
        )
        .with_panel(
            series_panel(
                "Put right without a failure",
                "Warnings by kind: a malformed buyer, an unknown payment label, a whole card number.",
                [(rate("fiscal_warnings_total", "kind"), "{{kind}}")],
                unit="cps",
            )
        )
        .with_panel(
            series_panel(
                "Duplicates prevented",
                "Receipts that were found where a second one would have been made.",
                [(f"sum(rate(fiscal_duplicates_prevented_total{JOB}[$__rate_interval]))", "prevented")],
                unit="cps",
            )
        )
        .with_panel(
            series_panel(
                "Since the last success",
                "Long at night; by day it should stay low.",
                [(f"time() - max(fiscal_last_success_timestamp_seconds{JOB})", "since")],
                unit="s",
            )
        )
    )


def _the_worker(dashboard: Dashboard) -> Dashboard:
    return (
        dashboard.with_row(Row("The worker"))
        .with_panel(
            series_panel(
                "In flight",
                "Requests in worker threads; near the number of threads it is saturated.",
                [(f"sum by (instance) (fiscal_in_flight{JOB})", "{{instance}}")],
                width=5,
            )
        )
        .with_panel(
            series_panel(
                "Age of the heartbeat",
                "Over a minute a process counts as dead.",
                [(f"time() - min by (instance) (fiscal_heartbeat_timestamp_seconds{JOB})", "{{instance}}")],
                unit="s",
                width=5,
            )
        )
        .with_panel(
            series_panel(
                "Consuming, and the broker",
                "0 when a worker stopped itself, or lost the broker; consumers of the whole fleet by queue.",
                [
                    (f"min(fiscal_consuming{JOB})", "none stopped"),
                    (f"min(fiscal_broker_up{JOB})", "broker there"),
                    (f"max by (queue) (fiscal_queue_consumers{JOB})", "{{queue}}"),
                ],
                width=5,
            )
        )
        .with_panel(
            stat_panel(
                "Died",
                "Processes of the worker that died, in the time that is shown.",
                f"sum(increase(fiscal_process_restarts_total{JOB}[$__range]))",
                limits=(1, 3),
                decimals=0,
                width=3,
            ).height(8)
        )
        .with_panel(
            stat_panel(
                "File broken",
                "1 while the integrations file cannot be used and an older one is in force.",
                f"max(fiscal_integrations_file_broken{JOB})",
                limits=(1, 1),
                width=3,
            ).height(8)
        )
        .with_panel(
            stat_panel(
                "Versions",
                "How many versions run; more than one only while a release is rolled out.",
                f"count(count by (version) (fiscal_build_info{JOB}))",
                width=3,
            ).height(8)
        )
    )
