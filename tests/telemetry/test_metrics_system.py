"""What Prometheus sees of running workers: after a known run, after the death of a process, in trouble."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pika
import pytest

from tests.conftest import PATIENCE
from tests.fault_proxy import FaultProxy
from tests.system.shop import Shop
from tests.telemetry.orders import order, request_id
from tests.telemetry.prometheus import Prometheus, samples
from tests.telemetry.queries import RULES, dashboard_queries, filled, metrics_in, query_of, rules
from worker.demo.sandbox_process import SandboxProcess
from worker.demo.vhost import VirtualHost
from worker.rabbit.topology import DEAD_LETTERS, EVENTS_QUEUE

SUCCEEDED = 'fiscal_requests_total{code="",integration="shop-main",outcome="succeeded"}'
AMOUNT = 'fiscal_receipts_amount_kopecks_total{integration="shop-main",operation="SELL"}'
TOTAL = 27000
RESTARTS = "fiscal_process_restarts_total"
#: Panels that may be empty: all is well, no journal is kept, no integration was checked yet.
EMPTY_WHEN_WELL = (
    "checkbox: Waiting for the journal",
    "checkbox: Differences",
    "overview: Oldest request waiting",
    "overview: Put right without a failure",
    "checkbox: Unknown for",
    "checkbox: Findings of integrations",
    "checkbox: Offline codes left",
)
#: Metrics of rules that may be absent for the same reasons.
ABSENT_WHEN_WELL = {
    "fiscal_journal_lag_messages",
    "fiscal_reconciliation_differences",
    "fiscal_integration_findings",
    "fiscal_key_end_timestamp_seconds",
    "fiscal_register_offline_seconds",
    "fiscal_subscription_end_timestamp_seconds",
    "fiscal_oldest_waiting_timestamp_seconds",
    "fiscal_oldest_unknown_outcome_timestamp_seconds",
    "fiscal_unfinished_receipt_timestamp_seconds",
}


def shown(running: Shop) -> dict[str, float]:
    """The samples of the worker's page now."""
    return samples(running.worker.page("/metrics")[1])


def events_of(running: Shop, *bodies: bytes) -> None:
    """Wait for the outcome of each order; events are taken, dead letters stay where they are."""
    missing = {request_id(body) for body in bodies}
    deadline = time.monotonic() + PATIENCE
    with pika.BlockingConnection(pika.URLParameters(running.vhost.url)) as connection:
        channel = connection.channel()
        while missing:
            assert time.monotonic() < deadline, running.worker.log.read_text()[-2000:]
            method, _, body = channel.basic_get(EVENTS_QUEUE, auto_ack=True)
            if method is None:
                connection.sleep(0.02)
            elif method.routing_key != "fiscalization.delayed":
                missing.discard(json.loads(body)["data"]["requestId"])


def replay(running: Shop, code: str) -> None:
    """As an operator does."""
    subprocess.run(
        [sys.executable, "-m", "worker", "dead-letters", "replay", "--code", code, "--yes", "--no-wait"],
        env={**os.environ, "FISCAL_RABBITMQ_URL": running.vhost.url},
        check=True,
        capture_output=True,
    )


def test_after_a_known_run_every_query_gives_the_figures_of_the_run(
    shop: Callable[..., Shop], shop_sandbox: SandboxProcess, eventually: Callable[..., object]
) -> None:
    """Three good, three failed by three codes, one retried, one replayed; scraped by a real Prometheus."""
    running = shop()
    with Prometheus({"w1": running.worker.port}, RULES) as prometheus:
        eventually(lambda: prometheus.value("fiscal_processes_consuming") == 2)
        eventually(lambda: prometheus.query("fiscal_requests_total"))
        good = [order() for _ in range(3)]
        bad = [order("invalid/TOTALS_MISMATCH.total"), order("invalid/UNKNOWN_INTEGRATION.typo")]
        for body in (*good, *bad):
            running.publish(body)
        events_of(running, *good, *bad)
        shop_sandbox.fault("html_503", count=1, endpoint="POST /receipts/sell")
        retried = order()
        running.publish(retried)
        events_of(running, retried)
        shop_sandbox.fault("error_receipt", count=1)
        rejected = order()
        running.publish(rejected)
        events_of(running, rejected)
        replay(running, "RECEIPT_REJECTED")
        eventually(lambda: shown(running)[SUCCEEDED] == 5)
        eventually(lambda: prometheus.value('sum(fiscal_requests_total{outcome="succeeded"})') == 5)
        eventually(lambda: prometheus.value('fiscal_queue_messages{queue="fiscalize.dead_letters"}') == 2)

        expected = {
            'sum(fiscal_requests_total{outcome="succeeded",integration="shop-main"})': 5,
            'sum(fiscal_requests_total{outcome="failed"})': 3,
            'sum(fiscal_requests_total{outcome="failed",integration="unknown"})': 1,
            'sum(fiscal_requests_total{outcome="delayed",code="CHECKBOX_UNAVAILABLE"})': 1,
            "sum(fiscal_request_duration_seconds_count)": 9,
            "sum(fiscal_request_wait_seconds_count)": 7,
            "sum(fiscal_receipts_amount_kopecks_total)": 5 * TOTAL,
            "sum(fiscal_dead_letters_total)": 3,
            'fiscal_dead_letters_total{code="RECEIPT_REJECTED"}': 1,
            "sum(fiscal_replayed_total)": 1,
            'fiscal_replayed_total{code="RECEIPT_REJECTED"}': 1,
            "fiscal_retries_total": 1,
            "fiscal_unknown_outcomes_total": 1,
            "fiscal_unknown_outcomes_waiting": 0,
            "fiscal_duplicates_prevented_total": 0,
            'fiscal_checkbox_requests_total{endpoint="/api/v1/receipts/sell",status="503"}': 1,
            'fiscal_checkbox_requests_total{endpoint="/api/v1/receipts/sell",status="201"}': 6,
            'sum(fiscal_signins_total{result!="ok"})': 0,
            "fiscal_in_flight": 0,
            "fiscal_consuming": 1,
            "fiscal_broker_up": 1,
            "fiscal_events_consumers": 0,
            "fiscal_queue_consumers{queue='fiscalize'}": 2,
            "time() - fiscal_last_success_timestamp_seconds < bool 60": 1,
            "count(time() - fiscal_heartbeat_timestamp_seconds < 60)": 2,
        }
        # A scrape that timed out on a busy machine leaves no figures until the next one.
        eventually(lambda: {query: prometheus.value(query) for query in expected} == expected)
        assert prometheus.value("sum(fiscal_request_duration_seconds_sum)") < 120  # type: ignore[operator]
        _assert_panels_and_rules_have_data(prometheus, eventually)
        _assert_panels_follow_the_integration(prometheus, eventually)


def empty_panels(prometheus: Prometheus) -> set[str]:
    """Those with a query that finds nothing now."""
    empty = [where for where, query in dashboard_queries() if not prometheus.query(query)]
    return {where.rpartition(": ")[0] for where in empty}


def _assert_panels_and_rules_have_data(prometheus: Prometheus, eventually: Callable[..., object]) -> None:
    # A scrape that timed out on a busy machine leaves every panel empty until the next one.
    eventually(lambda: empty_panels(prometheus) <= set(EMPTY_WHEN_WELL))
    states = {rule["name"]: (rule["health"], rule.get("lastError")) for rule in prometheus.rules()}
    assert set(states.values()) == {("ok", None)}
    used = {metric for rule in rules() for metric in metrics_in(rule["expr"])}
    eventually(lambda: absent(prometheus, used) <= ABSENT_WHEN_WELL)


def absent(prometheus: Prometheus, names: set[str]) -> set[str]:
    """Metrics without any series now."""
    return {name for name in names if not prometheus.query(f'{{__name__=~"{name}(_count)?"}}')}


def _assert_panels_follow_the_integration(prometheus: Prometheus, eventually: Callable[..., object]) -> None:
    failed, shifts = query_of("overview", "Failed by code"), query_of("checkbox", "Age of the shifts")
    ours, foreign = {"TOTALS_MISMATCH", "RECEIPT_REJECTED"}, {"UNKNOWN_INTEGRATION"}
    expected = {
        "shop-main": (ours, {"shop-main"}),
        "unknown": (foreign, set()),
        "shop-main|unknown": (ours | foreign, {"shop-main"}),
        "another": (set(), set()),
    }

    def values(query: str, chosen: str, label: str) -> set[str]:
        return {series["metric"].get(label, "") for series in prometheus.query(filled(query, chosen))}

    for chosen, (codes, integrations) in expected.items():
        eventually(lambda: values(failed, chosen, "code") == codes)  # noqa: B023 - called at once
        eventually(lambda: values(shifts, chosen, "integration") == integrations)  # noqa: B023


@pytest.mark.parametrize("processes", [1, 3])
def test_a_killed_process_takes_no_count_along_and_leaves_no_gauge_behind(
    shop: Callable[..., Shop],
    shop_sandbox: SandboxProcess,
    eventually: Callable[..., object],
    processes: int,
) -> None:
    """Counters never go down in the life of the main process; what is held and in flight is not doubled."""
    running = shop(
        FISCAL_PROCESSES=str(processes), FISCAL_RETRY_MIN_BACKOFF="PT1M", FISCAL_RETRY_MAX_BACKOFF="PT1M"
    )
    first = [order() for _ in range(6)]
    for body in first:
        running.publish(body)
    events_of(running, *first)
    shop_sandbox.fault("html_503", endpoint="POST /receipts/sell", count=4)
    held = [order() for _ in range(4)]
    for body in held:
        running.publish(body)
    retry = 'fiscal_waiting_requests{queue="fiscalize.retry"}'
    eventually(lambda: shown(running)[retry] == 4)
    shop_sandbox.fault("delay", seconds=60.0, count=1, endpoint="POST /receipts/sell")
    running.publish(order())
    eventually(lambda: shown(running)["fiscal_in_flight"] == 1)
    before = shown(running)

    # The order that hangs is in one of them; its answer would come after the client's patience.
    for deaths, pid in enumerate(_worker_processes(running), 1):
        os.kill(pid, signal.SIGKILL)
        eventually(lambda: shown(running)[RESTARTS] >= deaths)  # noqa: B023 - called at once
        page = shown(running)
        _assert_never_down(before, page)
        assert page["fiscal_in_flight"] <= 1
        assert page[retry] <= 4
    eventually(lambda: shown(running).get("fiscal_processes_consuming") == processes)
    eventually(lambda: shown(running)[retry] == 4)
    _assert_never_down(before, shown(running))
    second = [order() for _ in range(3)]
    for body in second:
        running.publish(body)
    eventually(lambda: shown(running)[SUCCEEDED] == before[SUCCEEDED] + 4)
    assert shown(running)[AMOUNT] == before[AMOUNT] + 4 * TOTAL
    eventually(lambda: shown(running)["fiscal_in_flight"] == 0)


def _assert_never_down(before: dict[str, float], after: dict[str, float]) -> None:
    counted = {series for series in before if "_total" in series or "_count" in series or "_bucket" in series}
    assert counted
    assert {series for series in counted if after.get(series, 0) < before[series]} == set()


def _children(running: Shop) -> list[int]:
    assert running.worker.process is not None
    main = running.worker.process.pid
    return [int(pid) for pid in Path(f"/proc/{main}/task/{main}/children").read_text().split()]


def _worker_processes(running: Shop) -> list[int]:
    """All children but the monitor, which was started first."""
    return _children(running)[1:]


def test_the_monitor_may_die_too(shop: Callable[..., Shop], eventually: Callable[..., object]) -> None:
    """Its successor shows the same counts."""
    running = shop()
    body = order()
    running.publish(body)
    events_of(running, body)
    before = shown(running)
    os.kill(_children(running)[0], signal.SIGKILL)
    eventually(lambda: shown(running).get(RESTARTS) == 1)
    _assert_never_down(before, shown(running))
    eventually(lambda: 'fiscal_queue_messages{queue="fiscalize"}' in shown(running))


def test_an_unknown_outcome_is_shown_until_a_look_up_settles_it(
    shop: Callable[..., Shop], shop_sandbox: SandboxProcess, eventually: Callable[..., object]
) -> None:
    """The answer to a sale is lost and the look-ups fail; then one is answered."""
    running = shop()
    shop_sandbox.fault("drop_after_commit", count=1, endpoint="POST /receipts/sell")
    shop_sandbox.fault("error_500", endpoint="GET /receipts/{receipt_id}")
    body = order()
    running.publish(body)
    eventually(lambda: shown(running)["fiscal_unknown_outcomes_waiting"] == 1)
    page = shown(running)
    assert time.time() - 20 < page["fiscal_oldest_unknown_outcome_timestamp_seconds"] <= time.time()
    assert time.time() - 20 < page["fiscal_oldest_waiting_timestamp_seconds"] <= time.time()
    assert page["fiscal_unknown_outcomes_total"] == 1
    shop_sandbox.clear_faults()
    events_of(running, body)
    eventually(lambda: shown(running)["fiscal_unknown_outcomes_waiting"] == 0)
    eventually(lambda: "fiscal_oldest_waiting_timestamp_seconds" not in shown(running))
    page = shown(running)
    assert "fiscal_oldest_unknown_outcome_timestamp_seconds" not in page
    assert page["fiscal_duplicates_prevented_total"] >= 1
    assert page[SUCCEEDED] == 1


def test_what_the_broker_does_not_tell_is_absent(
    shop: Callable[..., Shop], vhost: VirtualHost, eventually: Callable[..., object]
) -> None:
    """Not 0, which would look like empty queues; the worker is alive all the same."""
    with FaultProxy.before(vhost.url) as proxy:
        running = shop(FISCAL_RABBITMQ_URL=proxy.through(vhost.url))
        queue = f'fiscal_queue_messages{{queue="{DEAD_LETTERS}"}}'
        eventually(lambda: shown(running).get(queue) == 0)
        assert shown(running)["fiscal_events_consumers"] == 0
        proxy.refuse()
        eventually(lambda: shown(running)["fiscal_broker_up"] == 0)
        page = shown(running)
        assert not [series for series in page if "queue_" in series or "fiscal_events" in series]
        eventually(lambda: running.worker.page("/readyz")[0] == 503)
        assert running.worker.page("/healthz")[0] == 200
        proxy.resume()
        eventually(lambda: shown(running).get(queue) == 0)
        eventually(lambda: running.worker.page("/readyz")[0] == 200)


def test_it_is_seen_whether_bimp_listens(
    shop: Callable[..., Shop], eventually: Callable[..., object]
) -> None:
    """Consumers of `bimp.fiscal.events`, and the events that nobody has taken."""
    running = shop()
    body = order()
    running.publish(body)
    eventually(lambda: shown(running).get("fiscal_events_unread") == 1)
    with pika.BlockingConnection(pika.URLParameters(running.vhost.url)) as connection:
        connection.channel().basic_consume(EVENTS_QUEUE, lambda *_: None, auto_ack=True)
        eventually(lambda: shown(running)["fiscal_events_consumers"] == 1)
        eventually(lambda: shown(running)["fiscal_events_unread"] == 0)
    eventually(lambda: shown(running)["fiscal_events_consumers"] == 0)
