"""Changed integrations are taken while the worker runs, each row by itself."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from config.errors import ConfigurationError
from config.integrations_watch import IntegrationsWatch, Version
from config.reading import DocumentReader
from config.sources import Files
from tests.config.conftest import DEFAULT_URL

ONE = "integrations:\n  - {id: a, cashiers: [{id: x, login: x, password: p}]}\n"
TWO = ONE + "  - {id: b, cashiers: [{id: y, login: y, password: p}]}\n"


class Watched:
    """A file or folder with all versions that came of it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.watch = IntegrationsWatch(Files(path), DocumentReader(DEFAULT_URL, {}, is_remote=False))
        self.watch.start()
        self.versions: list[Version] = []

    def look_once(self) -> None:
        version = self.watch.look()
        if version is not None:
            self.versions.append(version)

    def look(self) -> None:
        """Twice: a change is taken when two looks see the same."""
        self.look_once()
        self.look_once()

    def put(self, text: str, name: str = "") -> None:
        (self.path / name).write_text(text)
        self.look()

    @property
    def ids(self) -> list[str]:
        return list(self.watch.current.in_force)

    def password(self, integration: str, cashier: str) -> str:
        secret = self.watch.current.in_force[integration].cashiers[cashier].password
        assert secret is not None
        return secret.get_secret_value()


@pytest.fixture
def watched(tmp_path: Path) -> Watched:
    path = tmp_path / "integrations.yaml"
    path.write_text(ONE)
    return Watched(path)


def test_unchanged_file_is_not_read(watched: Watched, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file that stays as it is costs a look and no reading."""
    monkeypatch.setattr(DocumentReader, "read", None)
    watched.look()
    assert watched.versions == []


def test_change_in_place(watched: Watched) -> None:
    """A file written anew is taken at the second look that finds it the same."""
    watched.path.write_text(TWO)
    watched.look_once()
    assert watched.ids == ["a"]
    watched.look_once()
    assert watched.ids == ["a", "b"]


def test_file_that_is_being_written(watched: Watched) -> None:
    """Half of a file is not taken, though it could be read, while more is written between the looks."""
    for end in range(len(ONE), len(TWO) + 1, 10):
        watched.path.write_text(TWO[:end])
        watched.look_once()
        assert watched.ids == ["a"]
    watched.put(TWO)
    assert watched.ids == ["a", "b"]
    assert [version.faults for version in watched.versions] == [()]


def test_file_that_changes_while_it_is_read(watched: Watched, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was read from a file that somebody wrote at the same moment is dropped without a word."""
    documents = Files.documents

    def read_and_write(files: Files) -> object:
        found = documents(files)
        watched.path.write_text(ONE.replace("id: a", "id: later"))
        monkeypatch.setattr(Files, "documents", documents)
        return found

    monkeypatch.setattr(Files, "documents", read_and_write)
    watched.put(TWO)
    assert watched.ids == ["a"]
    watched.look()
    assert watched.ids == ["later"]


def _rename(path: Path, text: str) -> None:
    new = path.with_suffix(".new")
    new.write_text(text)
    new.rename(path)


def _same_size_and_time(path: Path, text: str) -> None:
    before = path.stat()
    path.write_text(text)
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


@pytest.mark.parametrize("write", [_rename, _same_size_and_time])
def test_ways_of_writing(watched: Watched, write: Callable[[Path, str], None]) -> None:
    """A file that was renamed into place is noticed, and so is one that kept its size and time."""
    write(watched.path, ONE.replace("id: a", "id: c"))
    watched.look()
    assert watched.ids == ["c"]


def test_swap_of_a_kubernetes_volume(tmp_path: Path) -> None:
    """A ConfigMap's new ..data link is noticed, though the file's own link stays the same."""
    for name, text in (("..1", ONE), ("..2", TWO)):
        (tmp_path / name).mkdir()
        (tmp_path / name / "integrations.yaml").write_text(text)
    (tmp_path / "..data").symlink_to("..1")
    (tmp_path / "integrations.yaml").symlink_to("..data/integrations.yaml")
    watched = Watched(tmp_path / "integrations.yaml")
    (tmp_path / "..data_tmp").symlink_to("..2")
    (tmp_path / "..data_tmp").rename(tmp_path / "..data")
    watched.look()
    assert watched.ids == ["a", "b"]


@pytest.mark.parametrize("text", ["", "integrations: [", "shops: []\n", None])
def test_file_that_cannot_be_read(watched: Watched, text: str | None) -> None:
    """All of its last version stays, and the fault is told once."""
    if text is None:
        watched.path.unlink()
    else:
        watched.path.write_text(text)
    watched.look()
    watched.look()
    assert watched.ids == ["a"]
    (version,) = watched.versions
    assert len(version.faults) == 1
    assert version.faults[0].startswith(f"{watched.path}:")
    watched.put(TWO)
    assert watched.ids == ["a", "b"]
    assert watched.versions[-1].faults == ()


def test_empty_list_is_sound(watched: Watched) -> None:
    """Somebody meant it: nobody may sell."""
    watched.put("integrations: []\n")
    assert watched.ids == []
    assert watched.versions[-1].faults == ()


def test_rotated_secret(tmp_path: Path) -> None:
    """A new content of a secret's file is picked up, though the integrations file stays as it is."""
    secret = tmp_path / "password"
    secret.write_text("old\n")
    (tmp_path / "integrations.yaml").write_text(ONE.replace("password: p", f"password: file:{secret}"))
    watched = Watched(tmp_path / "integrations.yaml")
    secret.write_text("new\n")
    watched.look()
    assert watched.password("a", "x") == "new"
    secret.unlink()
    watched.look()
    assert watched.password("a", "x") == "new"
    assert "cannot be read" in watched.versions[-1].problems["a"][0]


def test_secret_that_comes_later(watched: Watched, tmp_path: Path) -> None:
    """A cashier whose secret is not there yet is taken as soon as it is; his neighbours sell meanwhile."""
    secret = tmp_path / "password"
    watched.put(TWO.replace("y, password: p", f"y, password: file:{secret}"))
    assert watched.ids == ["a", "b"]
    assert not watched.watch.current.in_force["b"].cashiers
    secret.write_text("p")
    watched.look()
    assert list(watched.watch.current.in_force["b"].cashiers) == ["y"]


def test_a_look_survives_whatever_goes_wrong(watched: Watched, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is in force stays, the fault is told once, and the change is taken when it can be."""
    with monkeypatch.context() as broken:
        broken.setattr(Files, "documents", None)
        watched.put(TWO)
        watched.look()
    assert [version.faults for version in watched.versions] == [
        ("integrations: could not be looked at: TypeError",)
    ]
    assert watched.ids == ["a"]
    watched.look()
    assert watched.ids == ["a", "b"]


def test_start_without_a_document(tmp_path: Path) -> None:
    """Where nothing can be read there is nothing to begin with; where a row has a mistake there is."""
    (tmp_path / "integrations.yaml").write_text("shops: []")
    with pytest.raises(ConfigurationError, match="does not hold the key integrations"):
        Watched(tmp_path / "integrations.yaml")
    (tmp_path / "integrations.yaml").write_text("integrations: [{id: B}]")
    assert Watched(tmp_path / "integrations.yaml").ids == []
