"""Rows are told apart without parsing them; what a document means does not change by that."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from config.documents import ROOT, Content, Rows, Unreadable, content_of
from config.yaml_nodes import ListReader, Mapping, Mark, Node, Scalar, Sequence, YamlError


def plain(node: Node, lines_above: int = 0) -> Any:
    """A node with its place in the document."""
    mark = node.mark and Mark(node.mark.line + lines_above, node.mark.column)
    if isinstance(node, Scalar):
        return (mark, node.text, node.tag)
    if isinstance(node, Sequence):
        return (mark, [plain(item, lines_above) for item in node.items])
    return (mark, [(plain(key, lines_above), plain(value, lines_above)) for key, value in node.entries])


def whole(data: bytes) -> list[Any] | None:
    """The rows of a document that is parsed in one go."""
    reader = ListReader(data, ROOT)
    try:
        items = [plain(node) for node in reader.items()]
    except YamlError:
        return None
    return None if any(isinstance(key, Scalar) and key.text == ROOT for key in reader.strange_keys) else items


def _itself(node: Node) -> Node:
    return node


def apart(data: bytes) -> list[Any] | None:
    try:
        content = content_of(data, Rows({}, _itself))
    except Unreadable:
        return None
    return [plain(item.row, item.lines_above) for item in content.items]


#: Pieces of which some end what others begin, at the margin or right of it.
_PIECES = (
    *("- id: a", "- id: b", "-", "- - x", "id: c", "name: x", "k: |", "k: >-", "text", "# note", "", "  "),
    *(
        'k: "a',
        'b"',
        "k: 'a",
        "b'",
        "k: [a,",
        "b]",
        "k: {a: b,",
        "c: d}",
        "k: &r [1]",
        "k: *r",
        "- &s x",
        "- *s",
    ),
    *("other: 1", "---", "...", "integrations:", "? a", ": b", "k: !t x", "- !!str 1", "\t- id: t", "k: a\r"),
)
_LINES = st.lists(st.tuples(st.integers(0, 6), st.sampled_from(_PIECES)), max_size=12)


@settings(max_examples=600, deadline=None)
@example([(2, "- id: a"), (0, "..."), (2, "- id: b")], "", True)
@example([(0, "- id: a"), (0, "---"), (0, "- id: b")], "", True)
@example([(0, '- k: "a'), (0, '- b"'), (0, "- id: b")], "", True)
@example([(2, "- k: |"), (6, "text"), (3, "- x"), (2, "- id: b")], "", False)
@given(_LINES, st.sampled_from(["", "# head\n\n", "---\n", "\ufeff", "%YAML 1.1\n---\n"]), st.booleans())
def test_the_same_rows_in_the_same_places(lines: list[tuple[int, str]], head: str, ends: bool) -> None:
    """However a document is written, and also where it is none."""
    text = head + "integrations:\n" + "\n".join(" " * indent + piece for indent, piece in lines)
    data = (text + ("\n" if ends else "")).encode()
    assert apart(data) == whole(data)


@dataclass
class Counted:
    """How many rows were read."""

    known: dict[bytes, Node] = field(default_factory=dict)
    count: int = 0

    def read(self, node: Node) -> Node:
        self.count += 1
        return node

    def of(self, data: bytes) -> int:
        """How many of this document."""
        self.count = 0
        content: Content[Node] = content_of(data, Rows(self.known, self.read))
        self.known = {item.key: item.row for item in content.items if item.key is not None}
        return self.count


ROWS = [{"id": f"shop-{n}", "cashiers": [{"id": "x", "login": f"l-{n}", "password": "p"}]} for n in range(50)]


def _block(rows: list[Any]) -> bytes:
    texts = (f"  - id: {row['id']}\n    cashiers: [{json.dumps(row['cashiers'][0])}]\n" for row in rows)
    return ("integrations:\n" + "".join(texts)).encode()


def _json(rows: list[Any]) -> bytes:
    return json.dumps({"integrations": rows}).encode()


@pytest.mark.parametrize("write", [_block, _json])
def test_only_what_changed_is_read(write: Any) -> None:
    """One row of fifty that is changed, added or moved; none where nothing is."""
    counted = Counted()
    assert counted.of(write(ROWS)) == 50
    assert counted.of(write(ROWS)) == 0
    changed = [*ROWS[:20], {**ROWS[20], "cashiers": [{"id": "x"}]}, *ROWS[21:]]
    assert counted.of(write(changed)) == 1
    assert counted.of(write([{"id": "new", "cashiers": [{}]}, *reversed(changed)])) == 1


def test_json_is_read_as_yaml_is() -> None:
    """Numbers as they are written, escapes, and null; a member that comes twice stays there twice."""
    text = (
        '{"a": 1, "integrations": [{"id": "\\u0444\\/", "n": 1.50, "t": true, "z": null, "e": "", "n": -0}]}'
    )
    content = content_of(text.encode(), Rows({}, _itself))
    (item,) = content.items
    assert isinstance(item.row, Mapping)
    values = [(key.text, value.text) for key, value in item.row.entries]  # type: ignore[union-attr]
    assert values == [("id", "ф/"), ("n", "1.50"), ("t", "true"), ("z", None), ("e", ""), ("n", "-0")]
    assert [key.text for key in content.strange_keys] == ["a"]  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ('{"integrations": [{"id": "a"}], "integrations": []}', "comes twice"),
        ('{"integrations": {"id": "a"}}', "is not a list"),
        ('{"integrations": null}', "is not a list"),
        ('{"integrations": [{"id": "a"}', "is not YAML"),
        ('{"integrations": []} {}', "is not YAML"),
        ("[" * 100_000, "integrations"),
        ('{"integrations": ' + "[" * 100_000, "is nested too deep"),
    ],
)
def test_json_that_is_no_document(text: str, problem: str) -> None:
    """It is refused, and nothing breaks."""
    with pytest.raises(Unreadable, match=problem):
        content_of(text.encode(), Rows({}, _itself))


def test_a_row_that_is_nested_too_deep_is_its_own_mistake() -> None:
    """Its neighbours are read; half a character is replaced."""
    deep = "[" * 500 + "]" * 500
    text = f'{{"integrations": [{{"id": "a"}}, {{"x": {deep}}}, {{"id": "\\ud800"}}]}}'
    content = content_of(text.encode(), Rows({}, _itself))
    assert len(content.items) == 3
    content = content_of(f"integrations:\n  - id: a\n  - {deep}\n".encode(), Rows({}, _itself))
    assert len(content.items) == 2


def test_comments_above_the_rows_end_in_any_way() -> None:
    """Those of Windows, too; and where no rows come after them, that is found at once."""
    comments = b"# written by hand\r\n" * 25_000
    with pytest.raises(Unreadable):
        content_of(comments + b"nothing: 1\r\n", Rows({}, _itself))
    found = content_of(comments + b"integrations: # all\r\n# one\r\n- id: a\r\n", Rows({}, _itself))
    assert [item.lines_above for item in found.items] == [25_002]
    assert found.items[0].key is not None
