"""A clean environment and an empty working directory for every test of the configuration."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from config.errors import ConfigurationError
from config.integrations_watch import Version
from config.integrations_watch import load as load_version
from worker.fiscal.integrations import Integration

DEFAULT_URL = "https://api.checkbox.ua"


@dataclass(frozen=True)
class Loaded:
    """What may sell, and what was told."""

    version: Version
    integrations: Mapping[str, Integration]
    warnings: list[str]


Read = Callable[..., Loaded]
Lines = Callable[..., list[str]]


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in list(os.environ):
        if name.upper().startswith("FISCAL_"):
            monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)


def load(path: Path, environ: Mapping[str, str] | None = None) -> Loaded:
    version = load_version(path, DEFAULT_URL, environ or {})
    return Loaded(version, version.integrations.in_force, list(version.warnings))


@pytest.fixture
def read(tmp_path: Path) -> Read:
    """Load a text as ``integrations.yaml`` of the working directory."""

    def read(text: str | bytes, environ: Mapping[str, str] | None = None) -> Loaded:
        path = Path("integrations.yaml")
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return load(path, environ)

    return read


@pytest.fixture
def problems(read: Read) -> Lines:
    """The lines with which a text, or rows in it, are refused."""

    def problems(text: str | bytes, environ: Mapping[str, str] | None = None) -> list[str]:
        try:
            version = read(text, environ).version
        except ConfigurationError as error:
            return error.lines
        return [line for lines in version.problems.values() for line in lines]

    return problems
