"""`python -m tests.deploy.prometheus_rule` writes the PrometheusRule out of the rules for promtool."""

from __future__ import annotations

from pathlib import Path
from textwrap import indent

ALERTS = Path(__file__).parents[2] / "k8s" / "alerts"
RULES = ALERTS / "fiscal-worker.rules.yaml"
MANIFEST = ALERTS / "prometheusrule.yaml"
_HEAD = """\
# Written by `python -m tests.deploy.prometheus_rule` out of fiscal-worker.rules.yaml.
apiVersion: monitoring.coreos.com/v1
kind: PrometheusRule
metadata:
  name: fiscal-worker
spec:
"""


def manifest() -> str:
    """The text of the manifest: the same rules, two columns to the right."""
    return _HEAD + indent(RULES.read_text(), "  ")


if __name__ == "__main__":
    MANIFEST.write_text(manifest())
