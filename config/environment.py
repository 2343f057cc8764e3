"""Where settings and secrets come from: the process's variables, a ``.env`` file, and a folder of secrets."""

from __future__ import annotations

import os
from pathlib import Path

from dotenv import dotenv_values

from config.errors import ConfigurationError

ENV_FILE = Path(".env")
SECRETS_DIR = Path("/run/secrets")


def environment() -> dict[str, str]:
    """The variables of the process, and under them those of ``.env``; raises ``ConfigurationError``."""
    try:
        from_file = dotenv_values(ENV_FILE, encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError([f"{ENV_FILE}: cannot be read: {type(error).__name__}"]) from None
    return {name: value for name, value in from_file.items() if value is not None} | dict(os.environ)


def secrets_folder(given: str | None) -> Path | None:
    """The folder of secrets, if it can be read; without one given, the usual one."""
    folder = Path(given) if given else SECRETS_DIR
    return folder if os.access(folder, os.R_OK | os.X_OK) and folder.is_dir() else None
