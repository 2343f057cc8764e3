"""`python -m tests.deploy.prometheus_rule` writes the PrometheusRule out of the rules for promtool.

With ``FISCAL_RUNBOOK_URL`` the alerts link to a runbook of one's own.
"""

from __future__ import annotations

from pathlib import Path
from textwrap import indent

from config import settings

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


def manifest(runbook_url: str = settings.RUNBOOK_URL) -> str:
    """The text of the manifest: the same rules, two columns to the right, with links to this runbook."""
    return _HEAD + indent(RULES.read_text().replace(settings.RUNBOOK_URL, runbook_url), "  ")


if __name__ == "__main__":
    MANIFEST.write_text(manifest(settings.load().runbook_url))
