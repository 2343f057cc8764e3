"""Libraries are used by their public parts: no private name, no patched module, no environment at import."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SHIPPED = sorted(path for folder in ("worker", "config") for path in (ROOT / folder).rglob("*.py"))
SOURCES = [*SHIPPED, *sorted(path for folder in ("docs", "tests") for path in (ROOT / folder).rglob("*.py"))]
OURS = ("worker", "config", "tests", "__future__")


def faults(source: str) -> Iterator[str]:
    tree = ast.parse(source)
    yield from _private_imports(tree)
    yield from _patches(tree)
    yield from _patches_by_name(tree)


def environment_at_import(source: str) -> Iterator[str]:
    for statement in ast.parse(source).body:
        if isinstance(statement, ast.Expr | ast.Assign) and "os.environ" in ast.unparse(statement):
            yield ast.unparse(statement)


#: What a library's documentation tells its users to assign.
SETTINGS = frozenset({"logging.raiseExceptions", "sys.argv", "threading.excepthook"})


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


def _patches_by_name(tree: ast.Module) -> Iterator[str]:
    """Such as ``monkeypatch.setattr("pika.spec.FRAME_MAX_SIZE", 1)``."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and node.args and isinstance(node.func, ast.Attribute | ast.Name):
            called = node.func.attr if isinstance(node.func, ast.Attribute) else node.func.id
            name = node.args[0]
            text = name.value if isinstance(name, ast.Constant) and isinstance(name.value, str) else ""
            if called in ("setattr", "patch") and text and text.split(".")[0] not in OURS:
                yield f"patch of {text}"


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_only_public_parts_are_used(path: Path) -> None:
    """Private attributes are the linter's to find."""
    assert list(faults(path.read_text())) == []


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: str(path.relative_to(ROOT)))
def test_nothing_reads_the_environment_at_import(path: Path) -> None:
    """Whoever imports a module has not set it yet."""
    assert list(environment_at_import(path.read_text())) == []


@pytest.mark.parametrize(
    "source",
    [
        "from pika._x import y",
        "import pika._x",
        "from pika import _y",
        "import pika\npika.spec.props[60] = 1",
        "import os\nos.environ.setdefault('a', 'b')",
        "import os\nos.environ['a'] = 'b'",
        "monkeypatch.setattr('pika.spec.FRAME_MAX_SIZE', 1)",
        "with patch('httpx2.Client'): ...",
    ],
)
def test_what_is_not_allowed_is_found(source: str) -> None:
    """Each of the ways that were taken before."""
    assert [*faults(source), *environment_at_import(source)]
