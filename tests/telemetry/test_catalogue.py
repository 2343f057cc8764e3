"""The catalogue: what the document, the page and Prometheus' own linter say of the metrics."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from worker.fiscal.outcomes import NOT_DEAD_LETTERED, Code
from worker.telemetry.catalogue import CATALOGUE

ROOT = Path(__file__).parents[2]

#: Section 7 of the contract.
CONTRACT = {
    "fiscal_requests_total": ("counter", ("outcome", "code", "integration")),
    "fiscal_request_duration_seconds": ("histogram", ("outcome",)),
    "fiscal_in_flight": ("gauge", ()),
    "fiscal_receipts_amount_kopecks_total": ("counter", ("integration", "operation")),
    "fiscal_checkbox_requests_total": ("counter", ("endpoint", "status")),
    "fiscal_checkbox_request_duration_seconds": ("histogram", ("endpoint",)),
    "fiscal_duplicates_prevented_total": ("counter", ()),
    "fiscal_foreign_requests_total": ("counter", ("integration",)),
    "fiscal_signins_total": ("counter", ("result",)),
    "fiscal_shift_opened_timestamp_seconds": ("gauge", ("integration", "cashier")),
    "fiscal_queue_messages": ("gauge", ("queue",)),
    "fiscal_dead_letters_total": ("counter", ("code",)),
    "fiscal_replayed_total": ("counter", ("code",)),
    "fiscal_consuming": ("gauge", ()),
}
#: A process of the worker, and a page of the monitor beside it.
PAGE = """
from prometheus_client import CollectorRegistry, generate_latest
from worker.process import probe_pages
from worker.telemetry import metrics
from worker.interprocess.heartbeat import Heartbeat, HeldCounts
metrics.start_at_zero(["shop-main"])
metrics.REQUESTS.labels("succeeded", "", "shop-main").inc()
metrics.REQUEST_DURATION.labels("succeeded").observe(2)
{more}
heartbeat = Heartbeat(2)
heartbeat.beat(0, True)
heartbeat.hold(0, HeldCounts(1, 2, 5.0, 1, 7.0))
view = probe_pages.BrokerView({{"fiscalize": 3}}, {{"fiscalize": 1}}, 4, 0)
registry = CollectorRegistry()
registry.register(probe_pages.KnownOnly())
held_in = ("fiscalize.follow_up", "fiscalize.retry")
registry.register(probe_pages.Observed(lambda: view, lambda: False, heartbeat, held_in))
print(generate_latest(registry).decode(), end="")
"""


def page(more: str = "") -> str:
    """What is scraped of a worker with some of everything."""
    done = subprocess.run(
        [sys.executable, "-c", PAGE.format(more=more)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout


def test_the_contract_is_kept() -> None:
    """Names, types and labels on which others depend."""
    declared = {name: (one.kind, one.labels) for name, one in CATALOGUE.items()}
    assert {name: declared.get(name) for name in CONTRACT} == CONTRACT


@pytest.mark.parametrize("described", CATALOGUE.values(), ids=CATALOGUE)
def test_names_follow_the_conventions(described: object) -> None:
    """The prefix, `_total` on counters, base units in the name, and no label that grows with orders."""
    one = CATALOGUE[described.name]  # type: ignore[attr-defined]
    assert one.name.startswith("fiscal_")
    assert one.name.endswith("_total") == (one.kind == "counter")
    assert one.name.endswith("_seconds") == one.unit.startswith("seconds")
    assert one.meaning.endswith(".")
    assert not {"order", "request", "receipt", "id", "docNumber"} & set(one.labels)


def test_prometheus_has_no_remark_on_the_page() -> None:
    """`promtool check metrics` on a whole page."""
    done = subprocess.run(
        ["promtool", "check", "metrics"], input=page(), capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_the_page_has_types_and_meanings_of_the_catalogue() -> None:
    """Nothing on the page is without its row in the document."""
    lines = page().splitlines()
    types = dict(line.split()[2:] for line in lines if line.startswith("# TYPE"))
    helps = {line.split()[2]: line.split(maxsplit=3)[3] for line in lines if line.startswith("# HELP")}
    assert types == {name: CATALOGUE[name].kind for name in types}
    assert helps == {name: CATALOGUE[name].meaning for name in types}
    assert set(types) >= {
        "fiscal_requests_total",
        "fiscal_queue_messages",
        "fiscal_oldest_waiting_timestamp_seconds",
    }


def test_a_time_that_never_came_is_absent() -> None:
    """A last success at 0 would be in the year 1970."""
    name = "fiscal_last_success_timestamp_seconds"
    assert f"\n{name} " not in page()
    assert f"\n{name} 5.0" in page("metrics.LAST_SUCCESS.set(5)")


def test_counters_of_closed_sets_start_at_zero() -> None:
    """A rate over a counter that begins with its first event does not see that event."""
    text = page()
    for code in Code:
        shown = f'fiscal_dead_letters_total{{code="{code.value}"}} 0.0' in text
        assert shown is (code not in NOT_DEAD_LETTERED)
    assert 'fiscal_signins_total{result="refused"} 0.0' in text
    assert 'fiscal_requests_total{code="SHIFT_NOT_OPEN",integration="shop-main",outcome="failed"} 0.0' in text
