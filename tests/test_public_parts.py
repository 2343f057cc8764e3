"""Libraries are used by their public parts: no private name, no patched module, no environment at import."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SOURCES = sorted(path for folder in ("worker", "config") for path in (ROOT / folder).rglob("*.py"))
OURS = ("worker", "config", "tests", "__future__")


def faults(source: str) -> Iterator[str]:
    tree = ast.parse(source)
    yield from _private_imports(tree)
    yield from _patches(tree)
    for statement in tree.body:
        if isinstance(statement, ast.Expr | ast.Assign) and "os.environ" in ast.unparse(statement):
            yield f"environment at import: {ast.unparse(statement)}"


#: What a library's documentation tells its users to assign.
SETTINGS = frozenset({"logging.raiseExceptions", "threading.excepthook"})


def _private_imports(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import | ast.ImportFrom):
            names = [alias.name for alias in node.names]
            paths = [node.module or ""] if isinstance(node, ast.ImportFrom) else names
            if any(path.split(".")[0] not in OURS for path in paths):
                parts = [part for path in [*paths, *names] for part in path.split(".")]
                yield from (f"import of {part}" for part in parts if part.startswith("_"))


def _patches(tree: ast.Module) -> Iterator[str]:
    imports = [node for node in ast.walk(tree) if isinstance(node, ast.Import)]
    modules = {(alias.asname or alias.name).split(".")[0] for node in imports for alias in node.names}
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign | ast.AugAssign | ast.AnnAssign):
            for target in node.targets if isinstance(node, ast.Assign) else [node.target]:
                written = ast.unparse(target)
                is_part = isinstance(target, ast.Attribute | ast.Subscript)
                if written in SETTINGS or written.startswith("os.environ["):
                    continue
                if is_part and written.split(".")[0] in modules:
                    yield f"assignment to {written}"


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_only_public_parts_are_used(path: Path) -> None:
    """Private attributes are the linter's to find."""
    assert list(faults(path.read_text())) == []


@pytest.mark.parametrize(
    "source",
    [
        "from pika._x import y",
        "import pika._x",
        "from pika import _y",
        "import pika\npika.spec.props[60] = 1",
        "import os\nos.environ.setdefault('a', 'b')",
        "import os\nos.environ['a'] = 'b'",
    ],
)
def test_what_is_not_allowed_is_found(source: str) -> None:
    """Each of the ways that were taken before."""
    assert list(faults(source))
