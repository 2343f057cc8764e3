"""The folder of settings that are mounted as files."""

from __future__ import annotations

import os
from pathlib import Path

from config.values import shown


def secrets_folder(given: str | None, usual: Path) -> tuple[Path | None, list[str]]:
    """The folder to read, if any, and what was given where it cannot be read; the usual may be missing."""
    if not given:
        return (usual if _is_readable(usual) else None), []
    folder = Path(given)
    if _is_readable(folder):
        return folder, []
    return None, [shown(given)]


def _is_readable(folder: Path) -> bool:
    return os.access(folder, os.R_OK | os.X_OK) and folder.is_dir()
