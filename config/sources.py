"""Where the documents with integrations are: a file, or a folder whose ``*.yaml`` are read together."""

from __future__ import annotations

import os
import stat
from collections.abc import Hashable
from pathlib import Path
from typing import Protocol

from config.reading import Document
from config.secret_references import fingerprint

#: Bytes of a file: more than twenty times what 10,000 cashiers take.
_LONGEST = 64 * 1024 * 1024


class Source(Protocol):
    """A place with documents that may change."""

    def state(self) -> Hashable:
        """Changes whenever a document does; cheap to get."""

    def documents(self) -> list[Document]:
        """All documents, also those that cannot be read."""


class Files:
    """The path of ``FISCAL_INTEGRATIONS_FILE``."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def state(self) -> Hashable:
        return tuple((path, fingerprint(path)) for path in self._paths())

    def documents(self) -> list[Document]:
        found = [_document(path) for path in self._paths()]
        return found or [Document(str(self._path), None, "holds no *.yaml")]

    def _paths(self) -> list[Path]:
        if not self._path.is_dir():
            return [self._path]
        try:
            # Editors and Kubernetes keep what is not meant to be read under names that begin with a dot.
            return sorted(path for path in self._path.glob("*.yaml") if not path.name.startswith("."))
        except OSError:  # the folder went away at this moment
            return [self._path]


def _document(path: Path) -> Document:
    try:
        if stat.S_ISFIFO(path.stat().st_mode):  # reading it would wait for ever
            return Document(str(path), None, "cannot be read: it is a pipe")
        with path.open("rb") as file:
            # Not more than that at once: room for all of it is taken first.
            data = file.read(min(os.fstat(file.fileno()).st_size, _LONGEST) + 1)
        if len(data) > _LONGEST:
            return Document(str(path), None, f"cannot be read: it is over {_LONGEST // 1024**2} MiB")
        return Document(str(path), data)
    except OSError as error:
        reason = os.strerror(error.errno) if error.errno else type(error).__name__
        if isinstance(error, FileNotFoundError):
            reason += "; the project's config/integrations.example.yaml is one to copy"
        return Document(str(path), None, f"cannot be read: {reason}")
