"""A journal in each kind of database: the tests of this room run on both."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest
from sqlalchemy import Engine

from tests.postgresql import FAST, PrivatePostgreSQL
from worker.journal import database
from worker.journal.writer import Writer

_NUMBERS = count()


@pytest.fixture(scope="package")
def postgresql() -> Iterator[PrivatePostgreSQL]:
    """The room's own cluster, started by the first test that asks for it."""
    with PrivatePostgreSQL(FAST) as cluster:
        yield cluster


@pytest.fixture(params=["sqlite", "postgresql"])
def journal_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Address of an empty database."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'journal.db'}"
    cluster: PrivatePostgreSQL = request.getfixturevalue("postgresql")
    return cluster.new_database(f"journal_{next(_NUMBERS)}")


@pytest.fixture
def engine(journal_url: str) -> Iterator[Engine]:
    """The journal's own way to the database."""
    one = database.writing(journal_url)
    yield one
    one.dispose()


@pytest.fixture
def writer(engine: Engine) -> Writer:
    """Writes into the database."""
    return Writer(engine)
