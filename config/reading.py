"""Reads documents; a row with unchanged text and secrets is not read again."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from config.documents import ROOT, Content, Rows, Unreadable, content_of
from config.integrations import ReadRow, RowReader
from config.secret_references import LiteralSecrets, SecretReferences, fingerprint
from config.yaml_fields import Finding, unknown_key
from config.yaml_nodes import Mark, Node


@dataclass(frozen=True, slots=True)
class Document:
    """A text with integrations, or the reason why there is none; ``name`` begins each line about it."""

    name: str
    data: bytes | None
    fault: str = ""


@dataclass(frozen=True, slots=True)
class Placed:
    """A row and its place: document, index in the list, and lines above the text of the row."""

    document: str
    index: int
    lines_above: int
    read: ReadRow

    @property
    def where(self) -> str:
        """Its place, for a line about another row."""
        return f"{self.document} {self.at('')}"

    def at(self, path: str) -> str:
        """``integrations[0].cashiers[1].login`` for the pointer ``/cashiers/1/login``."""
        return re.sub(r"/([0-9]+)", r"[\1]", f"{ROOT}/{self.index}{path}").replace("/", ".")

    def line(self, found: Finding) -> str:
        """``file:line:column: integrations[0].cashiers[1].login: …``; holds no secret."""
        mark = found.mark and Mark(found.mark.line + self.lines_above, found.mark.column)
        return _line(self.document, mark, f"{self.at(found.path)}: {found.problem}")


@dataclass(frozen=True, slots=True)
class ReadDocument:
    """The rows of a document; or, if it cannot be read, a line with the ``fault``."""

    name: str
    rows: tuple[Placed, ...] = ()
    fault: str | None = None
    warnings: tuple[str, ...] = ()


class DocumentReader:
    """Reads all documents of a configuration, any number of times."""

    def __init__(self, default_checkbox_url: str, environ: Mapping[str, str], *, is_remote: bool) -> None:
        """``environ`` is where ``env:NAME`` looks; ``is_remote``: the documents come from an address."""
        self.is_remote = is_remote
        self._environ = environ
        self._rows = RowReader(default_checkbox_url, is_remote=is_remote)
        self._known: dict[bytes, ReadRow] = {}

    def read(self, documents: Iterable[Document]) -> list[ReadDocument]:
        usable = {key: row for key, row in self._known.items() if _has_the_same_secrets(row)}
        self._known = {}
        return [self._document(document, usable) for document in documents]

    def _document(self, document: Document, usable: Mapping[bytes, ReadRow]) -> ReadDocument:
        name = document.name
        if document.data is None:
            return ReadDocument(name, fault=_line(name, None, document.fault))
        try:
            content = content_of(document.data, Rows(usable, self._read))
        except Unreadable as error:
            return ReadDocument(name, fault=_line(name, error.mark, error.problem))
        self._known.update({item.key: item.row for item in content.items if item.key is not None})
        placed = (Placed(name, index, item.lines_above, item.row) for index, item in enumerate(content.items))
        return ReadDocument(name, tuple(placed), warnings=tuple(_doubtful(name, content)))

    def _read(self, node: Node) -> ReadRow:
        return self._rows.read(node, LiteralSecrets() if self.is_remote else SecretReferences(self._environ))


def _doubtful(name: str, content: Content[ReadRow]) -> Iterator[str]:
    for key in content.strange_keys:
        yield _line(name, key.mark, f"file: {unknown_key(key, [ROOT])}")
    if not content.items:
        yield _line(name, None, f"{ROOT}: lists none, so that every order is UNKNOWN_INTEGRATION")


def _has_the_same_secrets(row: ReadRow) -> bool:
    return all(fingerprint(path) == known for path, known in row.files.items())


def _line(name: str, mark: Mark | None, text: str) -> str:
    place = f":{mark.line}:{mark.column}" if mark else ""
    return f"{name}{place}: {text}"
