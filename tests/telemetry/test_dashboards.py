"""The dashboards: built, complete, and of metrics that exist."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.telemetry.queries import DASHBOARDS, ROOT, dashboard_queries, metrics_in, panels, rules
from worker.telemetry.catalogue import CATALOGUE

BUILDER = ROOT / "k8s" / "dashboards" / "build.py"
BOARDS = [(path.stem, json.loads(path.read_text())) for path in DASHBOARDS]
PANELS = [(f"{name}: {panel['title']}", panel) for name, board in BOARDS for panel in panels(board)]


def test_what_is_checked_in_is_what_is_built(tmp_path: Path) -> None:
    """`python k8s/dashboards/build.py` has nothing to write."""
    subprocess.run([sys.executable, BUILDER, tmp_path], check=True)
    built = {path.name: path.read_text() for path in tmp_path.glob("*.json")}
    assert built == {path.name: path.read_text() for path in DASHBOARDS}
    assert len(built) == 3


@pytest.mark.parametrize(("name", "board"), BOARDS, ids=[name for name, _ in BOARDS])
def test_a_dashboard_goes_into_any_grafana(name: str, board: dict[str, Any]) -> None:
    """The data source is a variable, nobody edits it by hand, and it tells what it is."""
    variables = [variable["name"] for variable in board["templating"]["list"]]
    follows = "$integration" in json.dumps(board["panels"])
    assert variables == ["datasource", "job", *(["integration"] if follows else [])]
    assert board["editable"] is False
    assert board["uid"].startswith("fiscal-")
    assert board["description"]
    assert board["refresh"] == "1m"
    ids = [panel["id"] for panel in board["panels"]]
    assert len(set(ids)) == len(ids)


@pytest.mark.parametrize(("where", "panel"), PANELS, ids=[where for where, _ in PANELS])
def test_a_panel_explains_itself(where: str, panel: dict[str, Any]) -> None:
    """Title, description, unit, the variable data source, and only series of the chosen deployment."""
    assert panel["title"]
    assert panel["description"].endswith(".")
    assert panel["fieldConfig"]["defaults"]["unit"]
    for target in panel["targets"]:
        assert target["datasource"]["uid"] == "${datasource}"
        assert target["expr"].count('job=~"$job"') == len(_selectors(target["expr"]))
        assert (
            "rate(" not in target["expr"]
            or "[$__rate_interval]" in target["expr"]
            or "[5m]" in target["expr"]
        )


def _selectors(expression: str) -> list[str]:
    """Each metric with its selector in braces."""
    return re.findall(r"fiscal_\w+(?:\{[^}]*\})?", expression)


@pytest.mark.parametrize(("where", "panel"), PANELS, ids=[where for where, _ in PANELS])
def test_what_is_counted_by_integration_follows_the_chosen_one(where: str, panel: dict[str, Any]) -> None:
    """And says so; no other metric asks for a label that it does not have, and is empty for that."""
    selectors = [one for target in panel["targets"] for one in _selectors(target["expr"])]
    for selector in selectors:
        [metric] = metrics_in(selector.partition("{")[0])
        assert ('integration=~"$integration"' in selector) == ("integration" in CATALOGUE[metric].labels)
    follows = any("$integration" in selector for selector in selectors)
    assert ("Of the chosen integrations" in panel["description"]) == follows


def test_every_metric_of_a_dashboard_exists() -> None:
    """A panel over a metric that nobody counts would be empty for ever."""
    used = {metric for _, query in dashboard_queries() for metric in metrics_in(query)}
    assert used <= set(CATALOGUE)


def test_every_metric_is_looked_at() -> None:
    """A metric that is in no dashboard and no rule is counted for nobody."""
    shown = {metric for _, query in dashboard_queries() for metric in metrics_in(query)}
    ruled = {metric for rule in rules() for metric in metrics_in(rule["expr"])}
    assert set(CATALOGUE) - shown - ruled == set()


def test_panels_do_not_lie_on_each_other() -> None:
    """Grafana moves what overlaps, and the board looks other than it was built."""
    for _, board in BOARDS:
        taken = set()
        for panel in board["panels"]:
            place = panel["gridPos"]
            cells = {
                (x, y)
                for x in range(place["x"], place["x"] + place["w"])
                for y in range(place["y"], place["y"] + place["h"])
            }
            assert not taken & cells, panel["title"]
            assert place["x"] + place["w"] <= 24
            taken |= cells
