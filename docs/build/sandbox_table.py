"""The table of endpoints in the document of the sandbox, made from Checkbox's OpenAPI document."""

from __future__ import annotations

import json
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
