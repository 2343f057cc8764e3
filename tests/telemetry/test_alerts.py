"""The alert rules: Prometheus' own checks and tests of them, and what a person finds in an alert."""

from __future__ import annotations

import re
import shlex
import subprocess
from typing import Any

import pytest
import yaml

from config.settings import RUNBOOK_URL
from docs.build import runbook
from docs.build.alerts import ALERTS as ENTRIES
from tests.telemetry.queries import ROOT, RULE_TESTS, RULES, alerts, metrics_in, rules
from tests.test_structure import headings
from worker.telemetry.catalogue import CATALOGUE

ALERTS = alerts()


def test_prometheus_accepts_the_rules() -> None:
    """`promtool check rules` with every lint."""
    done = subprocess.run(
        ["promtool", "check", "rules", "--lint=all", "--lint-fatal", RULES],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("path", RULE_TESTS, ids=lambda path: path.name)
def test_each_alert_fires_when_it_should_and_only_then(path: Any) -> None:
    """`promtool test rules`; up to nine times more where it fails.

    Over hours promtool may read while it compacts what it has just written, and then misses samples
    (prometheus/prometheus#10863). A rule that is wrong fails each time.
    """
    for _ in range(10):
        done = subprocess.run(
            ["promtool", "test", "rules", path], capture_output=True, text=True, check=False
        )
        if done.returncode == 0:
            return
    pytest.fail(done.stdout + done.stderr)


def test_each_alert_has_a_firing_and_a_quiet_case() -> None:
    """An alert that was never seen to fire, or never to be quiet, is not trusted."""
    seen: dict[str, set[bool]] = {}
    for path in RULE_TESTS:
        for case in yaml.safe_load(path.read_text())["tests"]:
            for one in case["alert_rule_test"]:
                seen.setdefault(one["alertname"], set()).add(bool(one["exp_alerts"]))
    assert seen == {alert["alert"]: {True, False} for alert in ALERTS}


@pytest.mark.parametrize("alert", ALERTS, ids=[alert["alert"] for alert in ALERTS])
def test_an_alert_says_what_it_means_and_what_to_do(alert: dict[str, Any]) -> None:
    """Name, `for`, severity, summary without figures, description, and its entry in each runbook."""
    assert re.fullmatch(r"Fiscal([A-Z][a-z0-9]+)+", alert["alert"])
    assert alert["for"]
    assert alert["labels"]["severity"] in ("critical", "warning")
    told = alert["annotations"]
    assert "{{" not in told["summary"]
    assert told["description"]
    links = {"en": told["runbook_url"], "uk": told["runbook_url_uk"], "ru": told["runbook_url_ru"]}
    for language, link in links.items():
        document, _, anchor = link.partition("#")
        assert document == RUNBOOK_URL.replace("runbook.md", runbook.path(language).name)
        assert anchor == alert["alert"].lower()
        assert anchor in headings(runbook.path(language).read_text("utf-8"))


def test_the_links_of_the_rules_can_be_replaced() -> None:
    """By the command of docs/scaling.md, for a Prometheus without Kubernetes."""
    document = (ROOT / "docs" / "scaling.md").read_text("utf-8")
    [command] = re.findall(r"^sed .*$", document, re.MULTILINE)
    done = subprocess.run(shlex.split(command), cwd=ROOT, capture_output=True, text=True, check=True)
    links = re.findall(r"runbook_url(?:_uk|_ru)?: (\S+)/runbook", done.stdout)
    assert len(links) == 3 * len(ALERTS)
    assert set(links) == {"https://wiki.example/fiscal-worker"}


def test_the_runbook_knows_each_alert_and_no_other() -> None:
    """An entry whose alert is gone misleads."""
    assert ENTRIES.keys() == {alert["alert"] for alert in ALERTS}


def test_every_metric_of_a_rule_exists() -> None:
    """A rule over a metric that nobody counts never fires."""
    used = {metric for rule in rules() for metric in metrics_in(rule["expr"])}
    assert used <= set(CATALOGUE)
