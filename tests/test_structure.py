"""No circular imports, no long modules, no dead links.

Which way imports run is import-linter's to check.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
FOLDERS = ("worker", "config", "docs/build")
MOST_LINES = 250
DOCUMENTS = sorted(
    path
    for path in (*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "k8s").rglob("*.md"))
    if "node_modules" not in path.parts
)


def modules() -> dict[str, Path]:
    """All modules by their dotted names."""
    return {
        ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): path
        for folder in FOLDERS
        for path in (ROOT / folder).rglob("*.py")
    }


def imports(source: str, known: Mapping[str, object]) -> Iterator[str]:
    """The known modules that a source imports anywhere, also for types alone."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name in known)
        elif isinstance(node, ast.ImportFrom) and node.module:
            for alias in node.names:
                whole = f"{node.module}.{alias.name}"
                name = whole if whole in known else node.module
            if name in known:
                yield name


def circle(graph: Mapping[str, set[str]]) -> list[str]:
    """The modules that are in a circle or between two, or none."""
    left = {name: set(others) - {name} for name, others in graph.items()}
    while True:
        imported = set().union(*left.values()) if left else set()
        ends = {name for name, others in left.items() if not others or name not in imported}
        if not ends:
            return sorted(left)
        left = {name: others - ends for name, others in left.items() if name not in ends}


def test_no_module_imports_itself_by_way_of_others() -> None:
    """Two modules that import each other are one thing, or need a third."""
    known = modules()
    assert len(known) > 150
    assert circle({name: set(imports(path.read_text(), known)) for name, path in known.items()}) == []


def test_a_circle_is_found() -> None:
    """Through a third module, and for types alone."""
    sources = {
        "a": "from b import x",
        "b": "def f():\n    import c",
        "c": "if TYPE_CHECKING:\n    from a import y",
        "d": "import a",
    }
    assert circle({name: set(imports(source, sources)) for name, source in sources.items()}) == [
        "a",
        "b",
        "c",
    ]
    assert circle({"a": {"b"}, "b": {"c"}, "c": set()}) == []


@pytest.mark.parametrize("folder", FOLDERS)
def test_no_module_is_long(folder: str) -> None:
    """What does not fit is two things."""
    lengths = {
        str(path.relative_to(ROOT)): len(path.read_text().splitlines())
        for path in (ROOT / folder).rglob("*.py")
    }
    assert {name: lines for name, lines in lengths.items() if lines > MOST_LINES} == {}


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_of_documents_lead_somewhere(path: Path) -> None:
    """Relative ones: to a file or a folder of this repository, and to a heading where they name one."""
    text = re.sub(r"```.*?```|`[^`\n]*`", "", path.read_text(), flags=re.DOTALL)
    for link in re.findall(r"\]\(([^)\s]+)\)", text):
        if re.match(r"[a-z]+:", link):
            continue
        name, _, heading = link.partition("#")
        target = path.parent / name if name else path
        assert target.exists(), link
        if heading and target.suffix == ".md":
            assert heading in headings(target.read_text()), link


def headings(text: str) -> set[str]:
    """Anchors as GitHub makes them."""
    titles = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


def test_files_that_documents_name_are_there() -> None:
    """Paths of modules in the text."""
    missing = [
        (path.name, name)
        for path in DOCUMENTS
        if path.name != "CHANGELOG.md"
        for name in re.findall(r"(?<![\w.\-/])(?:worker|config|tests)(?:/\w+)+\.py\b", path.read_text())
        if not (ROOT / name).exists()
    ]
    assert missing == []


def test_the_glossary_is_short() -> None:
    """Nobody learns more words than these."""
    assert len((ROOT / "docs" / "glossary.md").read_text().splitlines()) <= 30


def test_every_decision_is_in_the_index() -> None:
    """And each has a number of its own."""
    index = (ROOT / "docs" / "decisions" / "README.md").read_text()
    records = [path.name for path in (ROOT / "docs" / "decisions").glob("0*.md")]
    assert [name for name in records if f"]({name})" not in index] == []
    assert len({name[:4] for name in records}) == len(records)
