"""The table of metrics in the documents, made from the catalogue.

``python -m docs.build.metrics_table docs/metrics.md`` writes it between the markers of the file.
"""

from __future__ import annotations

import sys
from pathlib import Path

from worker.telemetry import metrics as declared
from worker.telemetry.catalogue import CATALOGUE, Described

BEGIN = "<!-- metrics table: begin (python -m docs.build.metrics_table writes it) -->"
END = "<!-- metrics table: end -->"


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


def with_table(document: str) -> str:
    """The document with the table of now between its markers; raises ``ValueError`` where it has none."""
    before, _, rest = document.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not end:
        raise ValueError("the document has no markers for the table of metrics")
    return f"{before}{BEGIN}\n{metrics_table()}{END}{after}"


if __name__ == "__main__":
    for name in sys.argv[1:]:
        Path(name).write_text(with_table(Path(name).read_text("utf-8")), "utf-8")
