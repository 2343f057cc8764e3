"""A YAML list read item by item, with the place of each value.

Scalars are kept as they are written: ``0123`` stays a text of four characters and ``yes`` is no boolean.
One item is in memory at a time, so that a file of thousands of integrations costs no more than what is
made of it.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from yaml import CLoader, MarkedYAMLError, YAMLError
from yaml.events import (
    AliasEvent,
    DocumentStartEvent,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
    StreamEndEvent,
)

_MAX_DEPTH = 8
#: Levels that are read over below that.
_DEEPEST = 1000
#: Values that the aliases of a text stand for: a table of four rates in 10,000 integrations. Some bytes could
#: stand for millions else.
_MOST_REPEATED = 250_000
_NULLS = frozenset({"", "~", "null", "Null", "NULL"})
_TEXT_TAG = "tag:yaml.org,2002:str"


class Mark(NamedTuple):
    """A place in the text, counted from 1."""

    line: int
    column: int


START = Mark(1, 1)


class YamlError(Exception):
    """The file cannot be read further than ``mark``."""

    def __init__(self, mark: Mark, problem: str) -> None:
        super().__init__(problem)
        self.mark = mark
        self.problem = problem


@dataclass(slots=True)
class Scalar:
    """A single value; ``text`` is None for null, and ``tag`` is what was put on it by hand."""

    mark: Mark | None
    text: str | None
    tag: str | None


@dataclass(slots=True)
class Sequence:
    """A list."""

    mark: Mark | None
    items: list[Node]


@dataclass(slots=True)
class Mapping:
    """Keys and values in the order of the file; keys may come twice."""

    mark: Mark | None
    entries: list[tuple[Node, Node]]


Node = Scalar | Sequence | Mapping


@dataclass
class ListReader:
    """Reads a document that is a mapping with one list under ``key``."""

    data: bytes
    key: str
    #: Keys of the document other than ``key``, and ``key`` where it comes again.
    strange_keys: list[Node] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._parser = CLoader(self.data)
        #: Each with the number of values in it.
        self._anchors: dict[str, tuple[Node, int]] = {}
        #: Values read so far, those behind aliases too; and these alone.
        self._values = self._repeated = 0

    def items(self) -> Iterator[Node]:
        """The items of the list; raises ``YamlError`` where the text cannot be read on."""
        with _in_plain_words(self.data):
            yield from self._document()

    def only_item(self) -> Node:
        """The item of a list of one without aliases; raises ``YamlError`` for any other document."""
        with _in_plain_words(self.data):
            self._next()  # the stream's start
            self._next()  # the document's
            (item,) = self._list()
            self._end()
        if self._repeated:  # they are counted over the whole document
            raise YamlError(START, "has aliases")
        return item

    def _document(self) -> Iterator[Node]:
        self._next()  # the stream's start
        start = self._next()
        root = self._parser.peek_event()
        if not isinstance(start, DocumentStartEvent) or not isinstance(root, MappingStartEvent):
            raise YamlError(_mark(root or start), f"does not hold the key {self.key}")
        self._next()
        found = False
        while (key := self._node_or_end(0)) is not None:
            if not found and isinstance(key, Scalar) and key.text == self.key:
                found = True
                yield from self._list()
            else:
                self.strange_keys.append(key)
                self._node(0)
        if not found:
            raise YamlError(_mark(root), f"does not hold the key {self.key}")
        self._end()

    def _end(self) -> None:
        self._next()  # the document's end
        after = self._next()
        if not isinstance(after, StreamEndEvent):
            raise YamlError(_mark(after), "is a second document; allowed is one")

    def _list(self) -> Iterator[Node]:
        start = self._parser.peek_event()
        if not isinstance(start, SequenceStartEvent):
            raise YamlError(_mark(start), f"{self.key} is not a list; [] is an empty one")
        self._next()
        while (item := self._node_or_end(1)) is not None:
            yield item

    def _next(self) -> Any:
        return self._parser.get_event()

    def _node_or_end(self, depth: int) -> Node | None:
        """The next node, or None at the end of the list or mapping around it."""
        event = self._next()
        if isinstance(event, AliasEvent):
            return self._alias(event)
        before = self._values
        if isinstance(event, ScalarEvent):
            node: Node = _scalar(event)
        elif not isinstance(event, (SequenceStartEvent, MappingStartEvent)):
            return None
        elif depth > _MAX_DEPTH:
            node = self._passed_over(event)
        elif isinstance(event, SequenceStartEvent):
            node = self._sequence(event, depth + 1)
        else:
            node = self._mapping(event, depth + 1)
        self._values += 1
        # Only a finished node can be referred to, so that none can hold itself.
        if event.anchor is not None:
            self._anchors[event.anchor] = node, self._values - before
        return node

    def _node(self, depth: int) -> Node:
        node = self._node_or_end(depth)
        assert node is not None, "libyaml gives every key a value"
        return node

    def _passed_over(self, start: Any) -> Sequence:
        """A list or mapping too deep to be of use, read without recursion and returned empty."""
        open_ones = 1
        while open_ones:
            event = self._next()
            open_ones += isinstance(event, (SequenceStartEvent, MappingStartEvent))
            open_ones -= isinstance(event, (SequenceEndEvent, MappingEndEvent))
            if open_ones > _DEEPEST:  # libyaml's time grows with the square of the depth
                raise YamlError(_mark(event), "is nested too deep")
        return Sequence(_mark(start), [])

    def _sequence(self, start: SequenceStartEvent, depth: int) -> Sequence:
        items = []
        while (item := self._node_or_end(depth)) is not None:
            items.append(item)
        return Sequence(_mark(start), items)

    def _mapping(self, start: MappingStartEvent, depth: int) -> Mapping:
        entries = []
        while (key := self._node_or_end(depth)) is not None:
            entries.append((key, self._node(depth)))
        return Mapping(_mark(start), entries)

    def _alias(self, event: Any) -> Node:
        if event.anchor not in self._anchors:  # its name is not shown: it may be a password without quotes
            raise YamlError(_mark(event), "is an unknown alias; a text that begins with * needs quotes")
        node, values = self._anchors[event.anchor]
        self._values += values
        self._repeated += values
        if self._repeated > _MOST_REPEATED:
            raise YamlError(_mark(event), f"repeats too much: aliases may stand for {_MOST_REPEATED} values")
        return node


@contextmanager
def _in_plain_words(data: bytes) -> Iterator[None]:
    """Turns the parser's errors into messages without any of the text."""
    try:
        yield
    except MarkedYAMLError as error:
        # libyaml's words name tokens, never the text of the file.
        raise YamlError(_place(error.problem_mark), f"is not YAML: {error.problem}") from None
    except YAMLError as error:
        line = data.count(b"\n", 0, getattr(error, "position", 0)) + 1
        raise YamlError(Mark(line, 1), "has bytes that are not UTF-8, or control characters") from None


def _mark(event: Any) -> Mark:
    return _place(event.start_mark)


def _place(mark: Any) -> Mark:
    return Mark(mark.line + 1, mark.column + 1) if mark else START


def _scalar(event: ScalarEvent) -> Scalar:
    plain = bool(event.implicit[0])
    text = None if plain and event.value in _NULLS else event.value
    return Scalar(_mark(event), text, None if event.tag == _TEXT_TAG else event.tag)
