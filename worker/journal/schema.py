"""The schema's version: the journal's writer brings the database up to it before it writes."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, Engine, text

#: Held while the schema is changed, so that of several journals that start at once one does it.
_LOCK = 0x66697363616C  # "fiscal"


def migrate(engine: Engine) -> None:
    """Bring the schema to this program's version. Raises Alembic's ``CommandError`` where it is newer."""
    with engine.begin() as connection:
        if engine.dialect.name == "postgresql":
            connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})
        command.upgrade(_config(connection), "head")


def _config(connection: Connection) -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    config.attributes["connection"] = connection
    return config
