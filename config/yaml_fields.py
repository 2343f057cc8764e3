"""The keys of a YAML mapping, checked one by one; every problem is collected with its place."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from sys import intern
from typing import TypeVar

from config.values import shown
from config.yaml_nodes import Mapping, Mark, Node, Scalar, Sequence

ID_RULE = "allowed are 1 to 64 of a-z, 0-9, '_' and '-'"
ID_PATTERN = "[a-z0-9_-]{1,64}"
_ID = re.compile(ID_PATTERN)
#: A key in an error line; a longer or stranger one may be a secret that lost its blank or its indentation.
_SHOWN_KEY = re.compile(r"[a-z_]{1,20}")
_KINDS = {Scalar: "a single value", Sequence: "a list", Mapping: "a mapping"}

Choice = TypeVar("Choice", bound=StrEnum)
Value = TypeVar("Value")
Default = TypeVar("Default")


@dataclass(frozen=True, slots=True)
class Finding:
    """A mistake or a warning; ``path`` is a JSON pointer into the row, ``mark`` its place in the text."""

    path: str
    problem: str
    mark: Mark | None


@dataclass(slots=True)
class Fields:
    """A mapping at ``path``, a JSON pointer such as ``/cashiers/0``; ``""`` is the row itself.

    Reading a key that is wrong notes a problem and returns a value that fits the type, so that the rest is
    checked too; nothing of a row with problems is used.
    """

    path: str
    mark: Mark | None
    nodes: dict[str, Node]
    problems: list[Finding]
    #: If not, that is its only mistake: missing keys are not reported as well.
    is_mapping: bool = True

    @classmethod
    def read(cls, node: Node, path: str, allowed: tuple[str, ...], problems: list[Finding]) -> Fields:
        """The mapping with its keys checked against those allowed; without keys where it is none."""
        fields = cls(path, node.mark, {}, problems)
        if isinstance(node, Mapping):
            for key, value in node.entries:
                fields._take(key, value, allowed)
        else:
            fields.is_mapping = False
            problems.append(Finding(path, f"is {_KINDS[type(node)]}; allowed is a mapping", node.mark))
        return fields

    def _take(self, key: Node, value: Node, allowed: tuple[str, ...]) -> None:
        name = key.text if isinstance(key, Scalar) else None
        if name is None or name not in allowed:
            self.problems.append(Finding(self.path, unknown_key(key, allowed), key.mark))
        elif name in self.nodes:
            self.problems.append(Finding(f"{self.path}/{name}", "comes twice; allowed is once", key.mark))
        elif not (isinstance(value, Scalar) and value.text is None and value.tag is None):
            self.nodes[name] = value  # null is the same as leaving it out

    def has(self, key: str) -> bool:
        return key in self.nodes

    def fail(self, key: str, text: str) -> None:
        """Note a problem of a key, or of the mapping where the key is not there."""
        node = self.nodes.get(key)
        if self.is_mapping:
            self.problems.append(Finding(f"{self.path}/{key}", text, node.mark if node else self.mark))

    def text(self, key: str) -> str | None:
        """The text as it stands in the file; None where there is none, or none that can be used."""
        node = self.nodes.get(key)
        if node is None:
            return None
        if not isinstance(node, Scalar):
            self.fail(key, f"is {_KINDS[type(node)]}; allowed is a text")
        elif node.tag is not None:  # the tag is not shown: it may be a password that was not quoted
            self.fail(key, "has a YAML tag; a text that begins with ! needs quotes")
        elif not node.text:
            self.fail(key, "is empty; allowed is a text of at least one character")
        else:
            return intern(node.text)
        return None

    def identifier(self) -> str:
        """The id; empty where it cannot be read."""
        if not self.has("id"):
            self.fail("id", f"is missing; {ID_RULE}")
            return ""
        text = self.text("id")
        if text is None or _ID.fullmatch(text):
            return text or ""
        self.fail("id", f"{shown(text)} is not an id; {ID_RULE}")
        return ""

    def choice(self, key: str, default: Choice) -> Choice:
        text = self.text(key)
        if text is None:
            return default
        kind = type(default)
        if text in set(kind):
            return kind(text)
        self.fail(key, f"{shown(text)} is unknown; allowed is {' or '.join(kind)}")
        return default

    def parsed(self, key: str, parse: Callable[[str], Value], default: Default) -> Value | Default:
        """The text read by ``parse``, whose ``ValueError`` says what is wrong and what is allowed."""
        text = self.text(key)
        if text is None:
            return default
        try:
            return parse(text)
        except ValueError as error:
            self.fail(key, str(error))
            return default

    def rows(self, key: str, allowed: tuple[str, ...]) -> Iterator[Fields]:
        """The mappings of a list, each with problems of its own; none where the key is left out."""
        node = self.nodes.get(key)
        if node is None:
            return
        if not isinstance(node, Sequence):
            self.fail(key, f"is {_KINDS[type(node)]}; allowed is a list")
            return
        for index, item in enumerate(node.items):
            yield Fields.read(item, f"{self.path}/{key}/{index}", allowed, [])


def unknown_key(key: Node, allowed: Iterable[str]) -> str:
    name = key.text if isinstance(key, Scalar) else None
    named = f"key {name}" if name and _SHOWN_KEY.fullmatch(name) else "a key (not shown)"
    return f"{named} is unknown; allowed are {', '.join(allowed)}"
