"""The table of endpoints in the document of the sandbox, made from Checkbox's OpenAPI document.

``python -m docs.build.sandbox_table docs/sandbox.md`` writes it between the markers of the file.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

_DOCUMENT = Path(__file__).parents[2] / "tests" / "data" / "checkbox" / "openapi.json"


def endpoints_table() -> str:
    """A Markdown table with a row for each operation of Checkbox's document.

    An operation without ``x-known`` is known from the vendor's document alone.
    """
    rows = ["| endpoint | known by | what the sandbox does |", "|---|---|---|"]
    document: Mapping[str, Any] = json.loads(_DOCUMENT.read_text("utf-8"))
    for path, methods in sorted(document["paths"].items()):
        for method, operation in sorted(methods.items()):
            known = operation.get("x-known", "the vendor's document")
            short = path.removeprefix("/api/v1")
            rows.append(f"| `{method.upper()} {short}` | {known} | {operation.get('x-sandbox', '')} |")
    return "\n".join(rows) + "\n"


def with_table(text: str) -> str:
    """The document with the table of now between its markers; raises ``ValueError`` where it has none."""
    begin = "<!-- endpoints: begin (python -m docs.build.sandbox_table writes it) -->"
    end = "<!-- endpoints: end -->"
    before, found, rest = text.partition(begin)
    _, closed, after = rest.partition(end)
    if not found or not closed:
        raise ValueError("the document has no markers for the table of endpoints")
    return f"{before}{begin}\n{endpoints_table()}{end}{after}"


if __name__ == "__main__":
    for name in sys.argv[1:]:
        file = Path(name)
        file.write_text(with_table(file.read_text("utf-8")), "utf-8")
