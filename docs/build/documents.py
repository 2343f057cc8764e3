"""All documents that are made from the code, in whole or in part; a test compares them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from docs.build import runbook, schemas
from docs.build.metrics_table import metrics_table
from docs.build.sandbox_table import endpoints_table
from docs.build.settings_table import settings_table
from docs.build.tables import with_table
from worker.fiscal.languages import LANGUAGES

DOCS = Path(__file__).parents[1]
_TABLES: tuple[tuple[Path, str, Callable[[], str]], ...] = (
    (DOCS.parent / "README.md", "settings", settings_table),
    (DOCS / "settings.md", "settings", settings_table),
    (DOCS / "metrics.md", "metrics", metrics_table),
    (DOCS / "sandbox.md", "endpoints", endpoints_table),
)


def documents() -> dict[Path, str]:
    """Their texts as they should be. Raises ``ValueError`` where a document has no place for its table."""
    texts = {DOCS / path: text for path, text in schemas.files().items()}
    for path, name, table in _TABLES:
        texts[path] = with_table(path.read_text("utf-8"), name, table())
    for language in LANGUAGES:
        texts[runbook.path(language)] = runbook.written(language)
    return texts
