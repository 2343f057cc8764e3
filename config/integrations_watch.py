"""The integrations file while the worker runs: read again when it changes, and never half."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from config.errors import ConfigurationError
from config.integrations import Loaded, load_with
from config.secret_references import Fingerprint, SecretReferences, fingerprint
from worker.fiscal.integrations import Integration

Fingerprints = dict[Path, Fingerprint | None]


@dataclass(frozen=True, slots=True)
class Change:
    """What came of a file that was read: ids of integrations, and lines to warn of."""

    generation: int
    total: int
    added: tuple[str, ...]
    changed: tuple[str, ...]
    removed: tuple[str, ...]
    warnings: tuple[str, ...]


class IntegrationsFile:
    """Holds the integrations in force.

    ``current`` may be read by any thread; ``refresh`` is for one thread at a time. Integrations that a new
    file leaves as they were stay the same objects.
    """

    def __init__(
        self,
        path: Path,
        default_checkbox_url: str,
        environ: Mapping[str, str],
        *,
        on_error: Callable[[list[str]], None],
        on_change: Callable[[Change], None],
    ) -> None:
        """Read the file for the first time; raises ``ConfigurationError``.

        ``on_error`` gets the lines of a later file that cannot be used, once for each state of it;
        ``on_change`` hears of every file that was taken, the first one too.
        """
        self._path = path
        self._default_checkbox_url = default_checkbox_url
        self._environ = environ
        self._on_error = on_error
        self._on_change = on_change
        self._current: Mapping[str, Integration] = MappingProxyType({})
        self._generation = 0
        self._is_refused = False
        self._candidate: Fingerprints = {}
        references, outcome = self._read()
        if isinstance(outcome, ConfigurationError):
            raise outcome
        # A file written at this moment differs from this, so that the next looks take it.
        self._known: Fingerprints = references.fingerprints
        self._take(outcome)

    @property
    def current(self) -> Mapping[str, Integration]:
        """The integrations by id, immutable; one read of an attribute, so never a mixture of two files."""
        return self._current

    @property
    def generation(self) -> int:
        """How often the integrations in force have changed; the first file with any makes it 1."""
        return self._generation

    @property
    def is_refused(self) -> bool:
        """Whether the file as it was last read cannot be used, and an older one is in force."""
        return self._is_refused

    def refresh(self) -> None:
        """Look at the file and the files of its secrets, and read them when they have changed.

        A change is taken when a second look finds the same state: until then somebody may be writing.
        """
        seen = _look(self._known)
        if seen == self._known:
            return
        if seen != self._candidate:
            self._candidate = seen
            return
        references, outcome = self._read()
        if _look(references.fingerprints) != references.fingerprints:
            self._candidate = {}  # written while it was read: nothing that was seen counts
            return
        self._known = references.fingerprints
        self._is_refused = isinstance(outcome, ConfigurationError)
        if isinstance(outcome, ConfigurationError):
            self._on_error(outcome.lines)
        else:
            self._take(outcome)

    def tell(self, *, on_error: Callable[[list[str]], None], on_change: Callable[[Change], None]) -> None:
        """From now on these hear of later files: for a process that inherited the object by fork."""
        self._on_error = on_error
        self._on_change = on_change

    def look(self) -> None:
        """``refresh`` that survives whatever goes wrong: else no later change would be seen."""
        try:
            self.refresh()
        except Exception as error:
            self._on_error([f"{self._path}: could not be looked at: {type(error).__name__}"])

    def _read(self) -> tuple[SecretReferences, Loaded | ConfigurationError]:
        references = SecretReferences(self._environ)
        references.fingerprints[self._path] = fingerprint(self._path)
        try:
            return references, load_with(self._path, self._default_checkbox_url, references)
        except ConfigurationError as error:
            return references, error

    def _take(self, loaded: Loaded) -> None:
        old, new = self._current, dict(loaded.integrations)
        changed = []
        for name, integration in old.items():
            if name not in new:
                continue
            if new[name] == integration:
                new[name] = integration
            else:
                changed.append(name)
        added = tuple(name for name in new if name not in old)
        removed = tuple(name for name in old if name not in new)
        if added or changed or removed:
            self._current = MappingProxyType(new)
            self._generation += 1
        warnings = tuple(loaded.warnings)
        self._on_change(Change(self._generation, len(new), added, tuple(changed), removed, warnings))


def _look(known: Fingerprints) -> Fingerprints:
    return {path: fingerprint(path) for path in known}
