"""The table of metrics in the documents, made from the catalogue."""

from __future__ import annotations

from worker.telemetry import metrics as declared
from worker.telemetry.catalogue import CATALOGUE, Described


def metrics_table() -> str:
    """A Markdown table with a row for each metric."""
    assert declared.REQUESTS  # importing them is what fills the catalogue
    rows = ["| metric | type | labels | unit | meaning |", "|---|---|---|---|---|"]
    rows += [_row(described) for described in CATALOGUE.values()]
    return "\n".join(rows) + "\n"


def _row(described: Described) -> str:
    labels = ", ".join(f"`{label}`" for label in described.labels)
    cells = (f"`{described.name}`", described.kind, labels, described.unit, described.meaning)
    return "| " + " | ".join(cells) + " |"
