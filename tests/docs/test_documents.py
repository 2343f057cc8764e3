"""Documents that are made from the code are those of now, and links lead somewhere."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from docs.build.documents import DOCS, documents
from docs.build.tables import with_table
from tests.docs.pages import PAGES, ROOT, prose

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


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    """To a file of the project, and to a heading in it."""
    links = re.findall(r"\]\(([^)\s]+)\)", re.sub(r"`[^`\n]*`", "", prose(page)))
    dead = [link for link in links if not leads(page, link)]
    assert dead == []


def leads(page: Path, link: str) -> bool:
    if "://" in link:
        return True
    name, _, anchor = link.partition("#")
    target = page.parent / name if name else page
    return target.exists() and (not anchor or anchor in anchors(target))


def anchors(page: Path) -> set[str]:
    headings = re.findall(r"^#+ (.*)$", prose(page), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading).strip().lower().replace(" ", "-") for heading in headings}
