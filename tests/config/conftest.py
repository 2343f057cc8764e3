"""A clean environment and an empty working directory for every test of the configuration."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from config.errors import ConfigurationError
from config.integrations import Loaded, load

DEFAULT_URL = "https://api.checkbox.ua"
Read = Callable[..., Loaded]
Lines = Callable[..., list[str]]


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in list(os.environ):
        if name.upper().startswith("FISCAL_"):
            monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def read(tmp_path: Path) -> Read:
    """Load a text as ``integrations.yaml`` of the working directory."""

    def read(text: str | bytes, environ: Mapping[str, str] | None = None) -> Loaded:
        path = Path("integrations.yaml")
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return load(path, DEFAULT_URL, environ or {})

    return read


@pytest.fixture
def problems(read: Read) -> Lines:
    """The lines with which a text is refused."""

    def problems(text: str | bytes, environ: Mapping[str, str] | None = None) -> list[str]:
        with pytest.raises(ConfigurationError) as raised:
            read(text, environ)
        return raised.value.lines

    return problems
