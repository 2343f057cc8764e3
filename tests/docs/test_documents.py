"""Documents that are made from the code are those of now."""

from __future__ import annotations

from pathlib import Path

import pytest

from docs.build.documents import DOCS, documents
from docs.build.tables import with_table

DOCUMENTS = documents()


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: str(path.relative_to(DOCS.parent)))
def test_a_document_is_current(path: Path) -> None:
    """`make docs` has nothing to write."""
    assert path.read_text("utf-8") == DOCUMENTS[path]


def test_writing_a_table() -> None:
    """Only what stands between the markers changes."""
    begin, end = "<!-- x table: begin (make docs writes it) -->", "<!-- x table: end -->"
    assert with_table(f"a\n{begin}\nold\n{end}\nb", "x", "new\n") == f"a\n{begin}\nnew\n{end}\nb"
    with pytest.raises(ValueError, match="no markers"):
        with_table(f"a\n{begin}\n", "x", "new\n")
