"""The queries of the dashboards and of the rules, and the metrics in them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from worker.telemetry.catalogue import CATALOGUE, Described

ROOT = Path(__file__).parents[2]
DASHBOARDS = sorted((ROOT / "k8s" / "dashboards").glob("*.json"))
RULES = ROOT / "k8s" / "alerts" / "fiscal-worker.rules.yaml"
RULE_TESTS = sorted(RULES.parent.glob("*.test.yaml"))


def panels(board: dict[str, Any]) -> list[dict[str, Any]]:
    """What shows something; rows do not."""
    return [panel for panel in board["panels"] if panel["type"] != "row"]


def dashboard_queries() -> Iterator[tuple[str, str]]:
    """Where it stands, and the query with Grafana's variables filled in."""
    for path in DASHBOARDS:
        for panel in panels(json.loads(path.read_text())):
            for target in panel["targets"]:
                yield f"{path.stem}: {panel['title']}: {target['refId']}", filled(target["expr"])


def filled(expression: str, integration: str = ".*") -> str:
    """With Grafana's variables as they are when all deployments and this integration are chosen."""
    return (
        expression.replace("$__rate_interval", "1m")
        .replace("$__range", "1h")
        .replace("$job", ".*")
        .replace("$integration", integration)
    )


def query_of(board: str, title: str) -> str:
    """The first query of a panel, with Grafana's variables in it."""
    [path] = [path for path in DASHBOARDS if path.stem == board]
    [panel] = [panel for panel in panels(json.loads(path.read_text())) if panel["title"] == title]
    return str(panel["targets"][0]["expr"])


def rules() -> list[dict[str, Any]]:
    """Recording and alert rules."""
    groups = yaml.safe_load(RULES.read_text())["groups"]
    return [rule for group in groups for rule in group["rules"]]


def alerts() -> list[dict[str, Any]]:
    return [rule for rule in rules() if "alert" in rule]


def metrics_in(expression: str) -> set[str]:
    """Names of metrics; those of a histogram's series are the histogram's."""
    return {_of_series(name) for name in re.findall(r"\bfiscal_\w+", expression)}


def _of_series(name: str) -> str:
    base = re.sub(r"_(bucket|sum|count)$", "", name)
    described: Described | None = CATALOGUE.get(base)
    return base if described is not None and described.kind == "histogram" else name
