"""What processes count together, in memory that they inherit."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
#: `as_process(n, text)` runs the text in a forked process of this number, which then dies.
PROLOGUE = """
import os, signal
from prometheus_client import CollectorRegistry, generate_latest
from worker.process import probe_pages
from worker.telemetry import metrics
from worker.telemetry.tally import TALLY

def as_process(number, text):
    if not (pid := os.fork()):
        TALLY.write_as(number)
        exec(text)
        os.kill(os.getpid(), signal.SIGKILL)
    os.waitpid(pid, 0)

def page():
    registry = CollectorRegistry()
    registry.register(probe_pages.KnownOnly())
    return generate_latest(registry).decode()

TALLY.share(2)
"""


def lines(program: str, **environment: str) -> list[str]:
    """What the program prints."""
    done = subprocess.run(
        [sys.executable, "-c", PROLOGUE + program],
        cwd=ROOT,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.splitlines()


def test_processes_are_summed_and_one_that_replaces_another_goes_on() -> None:
    """Two of number 0, one after the other, and one of number 1; what the killed ones counted stays."""
    shown = lines(
        """
for number in (0, 0, 1):
    as_process(number, "metrics.DEAD_LETTERS.labels('INVALID_MESSAGE').inc(2)")
    as_process(number, "metrics.REQUEST_WAIT.observe(0.5)")
metrics.RETRIES.inc()
print(page())
"""
    )
    assert 'fiscal_dead_letters_total{code="INVALID_MESSAGE"} 6.0' in shown
    assert 'fiscal_request_wait_seconds_bucket{le="0.1"} 0.0' in shown
    assert 'fiscal_request_wait_seconds_bucket{le="0.5"} 3.0' in shown
    assert 'fiscal_request_wait_seconds_bucket{le="+Inf"} 3.0' in shown
    assert "fiscal_request_wait_seconds_count 3.0" in shown
    assert "fiscal_request_wait_seconds_sum 1.5" in shown
    assert "fiscal_retries_total 1.0" in shown


def test_gauges_show_the_greatest_or_the_latest() -> None:
    """A file that is broken for one process; a shift that another process saw later; NaN is unknown."""
    shown = lines(
        """
as_process(0, "metrics.INTEGRATIONS_BROKEN.set(1); metrics.SHIFT_OPENED.labels('a', 'known').set(7)")
as_process(1, "metrics.INTEGRATIONS_BROKEN.set(0); metrics.SHIFT_OPENED.labels('a', 'known').set(5)")
as_process(0, "metrics.SHIFT_OPENED.labels('a', 'gone').set(float('nan'))")
print(page())
"""
    )
    assert "fiscal_integrations_file_broken 1.0" in shown
    assert 'fiscal_shift_opened_timestamp_seconds{cashier="known",integration="a"} 5.0' in shown
    assert not [line for line in shown if 'cashier="gone"' in line]


def test_a_gauge_that_is_withdrawn_is_gone_or_anothers() -> None:
    """Also what a process set that died: the one in its place withdraws it, and leaves what others set."""
    shown = lines(
        """
as_process(0, "metrics.KEY_END.labels('a', 'moved').set(7); metrics.KEY_END.labels('a', 'gone').set(7)")
as_process(1, "metrics.KEY_END.labels('a', 'moved').set(5)")
as_process(0, "metrics.KEY_END.withdraw_all()")
as_process(1, "metrics.SUBSCRIPTION_END.labels('a').set(5); metrics.SUBSCRIPTION_END.labels('a').withdraw()")
print(page())
"""
    )
    assert 'fiscal_key_end_timestamp_seconds{cashier="moved",integration="a"} 5.0' in shown
    assert not [line for line in shown if 'cashier="gone"' in line]
    assert not [line for line in shown if line.startswith("fiscal_subscription")]


def test_a_memory_that_is_full_raises_nothing_and_counts_on_what_it_has() -> None:
    """Far more label sets than fit: the known ones go on."""
    shown = lines(
        """
for number in range(200_000):
    metrics.WARNINGS.labels(f"{number} of very many kinds of warnings, which nobody has").inc()
metrics.WARNINGS.labels("0 of very many kinds of warnings, which nobody has").inc()
print(page())
"""
    )
    first = 'fiscal_warnings_total{kind="0 of very many kinds of warnings, which nobody has"} 2.0'
    assert first in shown
    assert len([line for line in shown if line.startswith("fiscal_warnings_total")]) < 200_000
