"""The rows of a document with integrations. A row is read only when its text is new.

Documents are split into rows before they are parsed: JSON by the C decoder, YAML by the indentation of the
list. A YAML document in another style, or with a row that does not parse alone (it has an alias, or a
quoted text that continues at the margin), is parsed as a whole each time.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any, Generic, TypeVar

from config.yaml_nodes import START, ListReader, Mark, Node, Scalar, Sequence, YamlError
from config.yaml_nodes import Mapping as MappingNode

ROOT = "integrations"
#: What may stand before the rows where these are in block style. A line has one way to be read: of comments
#: that end in CRLF, with two ways each, 30 would be tried in a thousand million.
_HEAD = re.compile(
    rb"(?:\xef\xbb\xbf)?(?:---[ \t]*\r?\n|[ \t]*(?:#[^\n]*|\r?)\n)*"
    rb"integrations:[ \t]*(?:#[^\n]*|\r?)\n(?:[ \t]*(?:#[^\n]*|\r?)\n)*"
)
_FIRST_ROW = re.compile(rb"( *)-[ \t\r\n]")
_MAX_DEPTH = 8


Row = TypeVar("Row")


@dataclass(frozen=True, slots=True)
class Item(Generic[Row]):
    """A row as it was read."""

    #: A digest of its text; None if the document was parsed as a whole.
    key: bytes | None
    row: Row
    #: Lines above the text that the marks of the row count from.
    lines_above: int = 0


@dataclass(frozen=True, slots=True)
class Content(Generic[Row]):
    """A document that could be read."""

    items: list[Item[Row]]
    #: Keys of the document beside the list.
    strange_keys: list[Node]


@dataclass(frozen=True, slots=True)
class Rows(Generic[Row]):
    """How to read a row, and the rows that are known by the digest of their text."""

    known: Mapping[bytes, Row]
    read: Callable[[Node], Row]


class Unreadable(Exception):
    """No YAML, or without a list ``integrations``; ``mark`` is None where no place is known."""

    def __init__(self, mark: Mark | None, problem: str) -> None:
        super().__init__(problem)
        self.mark = mark
        self.problem = problem


def content_of(data: bytes, rows: Rows[Row]) -> Content[Row]:
    """One row is in memory as nodes at a time. Raises ``Unreadable``."""
    found = _json(data, rows) or _block_style(data, rows)
    if found is not None:
        return found
    reader = ListReader(data, ROOT)
    try:
        items = [Item(None, rows.read(node)) for node in reader.items()]
    except YamlError as error:
        raise Unreadable(error.mark, error.problem) from None
    for key in reader.strange_keys:
        if isinstance(key, Scalar) and key.text == ROOT:
            raise Unreadable(key.mark, f"{ROOT}: comes twice; allowed is once")
    return Content(items, reader.strange_keys)


def _key(text: bytes) -> bytes:
    return blake2b(text, digest_size=16).digest()


def _block_style(data: bytes, rows: Rows[Row]) -> Content[Row] | None:
    """None for any other style."""
    head = _HEAD.match(data)
    first = _FIRST_ROW.match(data, head.end()) if head else None
    if head is None or first is None:
        return None
    margin = first[1]
    # Any other line at the margin, or left of it, ends the list.
    if re.search(rb"^(?!%b[ ]|%b-[ \t\r\n]|[ \t]*\r?$|[ ]*#)." % (margin, margin), data[head.end() :], re.M):
        return None
    starts = [found.start() for found in re.finditer(rb"^%b-[ \t\r\n]" % margin, data[head.end() :], re.M)]
    texts = [
        data[head.end() + start : head.end() + end]
        for start, end in zip(starts, [*starts[1:], len(data) - head.end()], strict=True)
    ]
    lines = data.count(b"\n", 0, head.end() + starts[0])
    items: list[Item[Row]] = []
    for text in texts:
        key = _key(text)
        row = rows.known.get(key)
        if row is None:
            try:
                row = rows.read(ListReader(text, ROOT).only_item())
            except (YamlError, ValueError):
                return None  # parsing the whole document shows what is wrong, if anything
        items.append(Item(key, row, lines))
        lines += text.count(b"\n")
    return Content(items, [])


class _Pairs(tuple[tuple[str, Any], ...]):
    """The members of a JSON object, also those that come twice."""

    __slots__ = ()


#: Numbers stay as they are written.
_DECODER = json.JSONDecoder(object_pairs_hook=_Pairs, parse_int=str, parse_float=str, parse_constant=str)
_NO_BLANK = re.compile(r"[^ \t\r\n]|$")


class _Cursor:
    """A place in a JSON text. Raises ``ValueError`` where it is none."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0

    def next(self) -> str:
        """The next character after blanks; empty at the end."""
        found = _NO_BLANK.search(self.text, self.at)
        assert found is not None
        self.at = found.start()
        return found[0]

    def take(self, character: str) -> None:
        if self.next() != character:
            raise ValueError(f"no {character}")
        self.at += 1

    def value(self) -> Any:
        self.next()
        value, self.at = _DECODER.raw_decode(self.text, self.at)
        return value

    def each(self, opening: str, closing: str) -> Iterator[None]:
        """At each item of a list, or member of an object."""
        self.take(opening)
        separator = ""
        while self.next() != closing:
            if separator:
                self.take(separator)
                self.next()
            yield
            separator = ","
        self.take(closing)


def _json(data: bytes, rows: Rows[Row]) -> Content[Row] | None:
    """None where it is not JSON; it may be YAML all the same."""
    if not data.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"{"):
        return None
    try:
        return _members(_Cursor(data.decode("utf-8-sig")), rows)
    except (ValueError, RecursionError):
        return None


def _members(cursor: _Cursor, rows: Rows[Row]) -> Content[Row]:
    items: list[Item[Row]] | None = None
    strange: list[Node] = []
    for _ in cursor.each("{", "}"):
        name = cursor.value()
        cursor.take(":")
        if name != ROOT:
            strange.append(Scalar(None, str(name), None))
            cursor.value()
        elif items is not None:
            raise Unreadable(None, f"{ROOT}: comes twice; allowed is once")
        elif cursor.next() != "[":
            raise Unreadable(None, f"{ROOT} is not a list; [] is an empty one")
        else:
            items = [_item(cursor, rows) for _ in cursor.each("[", "]")]
    if cursor.next():
        raise ValueError("more behind the end")
    if items is None:
        raise Unreadable(START, f"does not hold the key {ROOT}")
    return Content(items, strange)


def _item(cursor: _Cursor, rows: Rows[Row]) -> Item[Row]:
    start = cursor.at
    value = cursor.value()
    key = _key(cursor.text[start : cursor.at].encode("utf-8", "surrogatepass"))
    return Item(key, rows.known.get(key) or rows.read(_node(value, 0)))


def _node(value: Any, depth: int) -> Node:
    """As the YAML reader would give it."""
    if isinstance(value, _Pairs) and depth < _MAX_DEPTH:
        return MappingNode(None, [(Scalar(None, name, None), _node(each, depth + 1)) for name, each in value])
    if isinstance(value, (list, tuple)):  # no row has lists that deep: it has a mistake anyway
        return Sequence(None, [_node(each, depth + 1) for each in value] if depth < _MAX_DEPTH else [])
    if isinstance(value, bool):
        return Scalar(None, "true" if value else "false", None)
    # Half of a surrogate pair cannot be encoded in UTF-8.
    return Scalar(None, value if value is None else value.encode("utf-8", "replace").decode(), None)
