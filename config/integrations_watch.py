"""The integrations of a running worker, read again when documents or secrets change."""

from __future__ import annotations

from collections.abc import Container, Hashable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from config import lines
from config.errors import ConfigurationError
from config.merging import merged
from config.reading import DocumentReader, Placed, ReadDocument
from config.secret_references import Fingerprint, fingerprint
from config.sources import Files, Source
from worker.fiscal.configured import Integrations

#: Of the documents, and of the files of their secrets.
_State = tuple[Hashable, Mapping[Path, Fingerprint | None]]


@dataclass(frozen=True, slots=True)
class Version:
    """The result of a reading; no line holds a secret."""

    integrations: Integrations = field(default_factory=Integrations)
    #: A line for each document that cannot be read; its last version stays in force.
    faults: tuple[str, ...] = ()
    #: Mistakes by the id of their integration; ``""`` has those of rows whose id cannot be read.
    problems: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    #: The ids whose mistakes differ from those of the version before.
    changed_problems: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()


def load(path: Path, default_checkbox_url: str, environ: Mapping[str, str]) -> Version:
    """A file or folder, once. Raises ``ConfigurationError`` where no document can be read."""
    watch = IntegrationsWatch(Files(path), DocumentReader(default_checkbox_url, environ, is_remote=False))
    watch.start()
    return watch.version


class IntegrationsWatch:
    """Holds the integrations in force.

    ``current`` may be read by any thread; all else is for one thread at a time. A process that is forked
    inherits the last sound versions too.
    """

    def __init__(self, source: Source, reader: DocumentReader) -> None:
        self._source = source
        self._reader = reader
        #: The last readable version of each document, by its name.
        self._last: dict[str, ReadDocument] = {}
        self._version = Version()
        self._known: _State = (None, {})
        self._candidate: _State | None = None

    @property
    def version(self) -> Version:
        return self._version

    @property
    def current(self) -> Integrations:
        """Immutable; one read of an attribute, so never a mixture of two versions."""
        return self._version.integrations

    @property
    def has_any(self) -> bool:
        """Whether a document was ever read."""
        return bool(self._last)

    def start(self) -> None:
        """Read for the first time. Raises ``ConfigurationError`` if no document can be read."""
        state = self._source.state()
        documents = self._reader.read(self._source.documents())
        self._known = (state, _secrets(documents))
        self._take(documents)
        if not self._last:
            raise ConfigurationError(list(self._version.faults))

    def look(self) -> Version | None:
        """The new version if documents or files of secrets have changed.

        A change is taken when a second look finds the same state: before that, somebody may be writing. Never
        raises: the loop that looks must survive an unexpected error.
        """
        try:
            return self._look()
        except Exception as error:
            fault = f"integrations: could not be looked at: {type(error).__name__}"
            if self._version.faults == (fault,):
                return None
            self._version = replace(self._version, faults=(fault,), changed_problems=())
            return self._version

    def _look(self) -> Version | None:
        seen = (self._source.state(), {path: fingerprint(path) for path in self._known[1]})
        if seen == self._known:
            return None
        if seen != self._candidate:
            self._candidate = seen
            return None
        documents = self._reader.read(self._source.documents())
        secrets = _secrets(documents)
        if self._source.state() != seen[0] or any(fingerprint(path) != secrets[path] for path in secrets):
            self._candidate = None  # somebody wrote while it was read: start over
            return None
        self._known = (seen[0], secrets)
        self._take(documents)
        return self._version

    def _take(self, documents: list[ReadDocument]) -> None:
        faults = {document.name: self._fault(document) for document in documents}
        sound = {one.name: one for one in documents if faults[one.name] is None}
        faults |= {
            name: f"{name}: is gone; its last version stays in force"
            for name in self._last
            if name not in faults
        }
        self._last |= sound
        rows = self._rows(sound)
        integrations, before = merged(rows, self.current), self.current
        problems = lines.problems(rows)
        doubtful = [line for document in sound.values() for line in document.warnings]
        self._version = Version(
            integrations,
            tuple(fault for fault in faults.values() if fault),
            problems,
            tuple(name for name in problems if _is_news(name, integrations, before)),
            (*doubtful, *lines.warnings(placed for same in rows.values() for placed in same)),
        )

    def _fault(self, document: ReadDocument) -> str | None:
        last = self._last.get(document.name)
        if document.fault is None and self._reader.is_remote and last and last.rows and not document.rows:
            return f"{document.name}: lists no integrations, and did before"
        return document.fault

    def _rows(self, readable: Container[str]) -> Mapping[str, list[Placed]]:
        """By id. Rows of a document that cannot be read give way to readable rows with the same id."""
        left, rows = (
            lines.by_id(
                placed
                for name, document in self._last.items()
                if (name in readable) is is_readable
                for placed in document.rows
            )
            for is_readable in (False, True)
        )
        return {**left, **rows}


def _is_news(name: str, now: Integrations, before: Integrations) -> bool:
    last = before.rows.get(name)
    return not name or last is None or last.all_problems != now.rows[name].all_problems


def _secrets(documents: list[ReadDocument]) -> Mapping[Path, Fingerprint | None]:
    return {
        path: known
        for document in documents
        for placed in document.rows
        for path, known in placed.read.files.items()
    }
