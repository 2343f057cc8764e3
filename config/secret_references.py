"""Secrets that the integrations file only points at: ``env:NAME`` and ``file:/path``."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Protocol

RULE = "allowed is a text, env:NAME of a variable that is set, or file:/path of a readable file"
_MAX_FILE = 64 * 1024

#: The state of a file: device, inode, times of content and of change, size.
Fingerprint = tuple[int, int, int, int, int]
Fingerprints = Mapping[Path, Fingerprint | None]
#: One for the many rows that read no file.
_NONE: Fingerprints = MappingProxyType({})


def fingerprint(path: Path) -> Fingerprint | None:
    """The state of the file that the path leads to, through symbolic links; None where there is none."""
    try:
        found = path.stat()
    except OSError:
        return None
    # The time of change is there for a file that becomes readable, and for copies that keep the old time.
    return found.st_dev, found.st_ino, found.st_mtime_ns, found.st_ctime_ns, found.st_size


class Secrets(Protocol):
    """Resolves the secrets of a row."""

    @property
    def files(self) -> Fingerprints:
        """The files that were read, each in its state before; None is a file that is missing."""

    def resolve(self, text: str) -> str:
        """The secret itself; raises ``ValueError`` without a word of it."""


class SecretReferences:
    """Resolves references, and remembers in which state the files were that it has read."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ = environ
        self._contents: dict[Path, str] = {}
        self._files: dict[Path, Fingerprint | None] = {}

    @property
    def files(self) -> Fingerprints:
        return self._files or _NONE

    def resolve(self, text: str) -> str:
        kind, _, target = text.partition(":")
        if kind == "env":
            return self._from_environment(target)
        if kind == "file":
            return self._from_file(target)
        return text

    def _from_environment(self, name: str) -> str:
        if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", name):
            raise ValueError(f"env: is not followed by the name of a variable; {RULE}")
        value = self._environ.get(name)
        if value is None:
            raise ValueError(f"env:{name} is not set; {RULE}")
        if not value:
            raise ValueError(f"env:{name} is empty; {RULE}")
        return value

    def _from_file(self, name: str) -> str:
        path = Path(name)
        if not path.is_absolute() or "\0" in name:
            raise ValueError(f"file: is not followed by an absolute path; {RULE}")
        if path not in self._contents:
            self._files[path] = fingerprint(path)
            self._contents[path] = _content(path)
        return self._contents[path]


class LiteralSecrets:
    """For a document from an address, which must not make the worker read its own machine."""

    files = _NONE

    def resolve(self, text: str) -> str:
        if text.startswith(("env:", "file:")):
            raise ValueError("begins with env: or file:; allowed from an address is the secret itself")
        return text


def _content(path: Path) -> str:
    try:
        if not stat.S_ISREG(path.stat().st_mode):  # reading a pipe would wait for ever
            raise ValueError(f"file:{path} is not a regular file; {RULE}")
        with path.open("rb") as file:
            text = file.read(_MAX_FILE + 1).decode()
    except OSError as error:
        reason = os.strerror(error.errno) if error.errno else type(error).__name__
        raise ValueError(f"file:{path} cannot be read ({reason}); {RULE}") from None
    except UnicodeDecodeError:
        raise ValueError(f"file:{path} is not UTF-8 text; {RULE}") from None
    if len(text) > _MAX_FILE:
        raise ValueError(f"file:{path} is over 64 KiB; {RULE}")
    secret = text.removesuffix("\n").removesuffix("\r")
    if not secret:
        raise ValueError(f"file:{path} is empty; {RULE}")
    return secret
