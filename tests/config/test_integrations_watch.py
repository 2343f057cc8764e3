"""A changed integrations file is taken while the worker runs, whole or not at all."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from config.errors import ConfigurationError
from config.integrations import load_with
from config.integrations_watch import Change, IntegrationsFile
from config.secret_references import SecretReferences
from tests.config.conftest import DEFAULT_URL

ONE = "integrations:\n  - {id: a, cashiers: [{id: x, login: x, password: p}]}\n"
TWO = ONE + "  - {id: b, cashiers: [{id: y, login: y, password: p}]}\n"
BROKEN = ONE + "  - {id: B}\n"


class Watched:
    """An integrations file with all that it told."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.errors: list[list[str]] = []
        self.changes: list[Change] = []
        self.file = IntegrationsFile(
            path, DEFAULT_URL, {}, on_error=self.errors.append, on_change=self.changes.append
        )

    def look_twice(self) -> None:
        self.file.refresh()
        self.file.refresh()

    @property
    def ids(self) -> list[str]:
        return list(self.file.current)


@pytest.fixture
def watched(tmp_path: Path) -> Watched:
    path = tmp_path / "integrations.yaml"
    path.write_text(ONE)
    return Watched(path)


def test_first_reading(watched: Watched) -> None:
    """The file is read at once, and the first reading is told like any other."""
    assert watched.ids == ["a"]
    assert watched.changes == [Change(1, 1, ("a",), (), (), ())]


def test_first_reading_fails(tmp_path: Path) -> None:
    """Without a file that can be used there is nothing to begin with."""
    (tmp_path / "integrations.yaml").write_text(BROKEN)
    with pytest.raises(ConfigurationError, match="'B' is not an id"):
        Watched(tmp_path / "integrations.yaml")


def test_unchanged_file_is_not_read(watched: Watched, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file that stays as it is costs a look and no reading."""
    monkeypatch.setattr("config.integrations_watch.load_with", None)
    watched.look_twice()
    assert watched.errors == []


def test_change_in_place(watched: Watched) -> None:
    """A file written anew is taken at the second look that finds it the same."""
    watched.path.write_text(TWO)
    watched.file.refresh()
    assert watched.ids == ["a"]
    watched.file.refresh()
    assert watched.ids == ["a", "b"]
    assert watched.file.generation == 2
    assert watched.changes[-1] == Change(2, 2, ("b",), (), (), ())


def test_file_that_is_being_written(watched: Watched) -> None:
    """Half of a file is not taken, though it could be read, while more is written between the looks."""
    for end in range(len(ONE), len(TWO) + 1, 10):
        watched.path.write_text(TWO[:end])
        watched.file.refresh()
        assert watched.ids == ["a"]
    watched.path.write_text(TWO)
    watched.look_twice()
    assert watched.ids == ["a", "b"]
    assert watched.errors == []


def test_file_that_changes_while_it_is_read(watched: Watched, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was read from a file that somebody wrote at the same moment is dropped without a word."""
    load = load_with

    def load_and_write(path: Path, url: str, references: SecretReferences) -> object:
        loaded = load(path, url, references)
        path.write_text(ONE.replace("id: a", "id: later"))
        monkeypatch.setattr("config.integrations_watch.load_with", load)
        return loaded

    monkeypatch.setattr("config.integrations_watch.load_with", load_and_write)
    watched.path.write_text(TWO)
    watched.look_twice()
    assert watched.ids == ["a"]
    watched.look_twice()
    assert watched.ids == ["later"]
    assert watched.errors == []


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
    watched.look_twice()
    assert watched.ids == ["c"]
    assert watched.changes[-1] == Change(2, 1, ("c",), (), ("a",), ())


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
    watched.look_twice()
    assert watched.ids == ["a", "b"]


@pytest.mark.parametrize("text", [BROKEN, "", "integrations: [", None])
def test_broken_file(watched: Watched, text: str | None) -> None:
    """A file that cannot be used leaves the old one in force, and is told once."""
    before = watched.file.current
    if text is None:
        watched.path.unlink()
    else:
        watched.path.write_text(text)
    watched.look_twice()
    watched.look_twice()
    assert watched.file.current is before
    assert watched.file.generation == 1
    (lines,) = watched.errors
    assert all(line.startswith(f"{watched.path}:") for line in lines)
    watched.path.write_text(TWO)
    watched.look_twice()
    assert watched.ids == ["a", "b"]


def test_back_to_the_old_text(watched: Watched) -> None:
    """Putting the old text back after a mistake is told, and is no new generation."""
    before = watched.file.current
    watched.path.write_text(BROKEN)
    watched.look_twice()
    watched.path.write_text(ONE)
    watched.look_twice()
    assert watched.changes[-1] == Change(1, 1, (), (), (), ())
    assert watched.file.current is before


def test_unchanged_integrations_stay_the_same_objects(watched: Watched) -> None:
    """Only what a new file changes is renewed, and the change names it."""
    watched.path.write_text(TWO)
    watched.look_twice()
    old = watched.file.current
    watched.path.write_text(TWO.replace("login: y, password: p", "login: y, password: new"))
    watched.look_twice()
    assert watched.file.current["a"] is old["a"]
    assert watched.file.current["b"].cashiers["y"] != old["b"].cashiers["y"]
    assert watched.changes[-1] == Change(3, 2, (), ("b",), (), ())


def test_rotated_secret(tmp_path: Path) -> None:
    """A new content of a secret's file is picked up, though the integrations file stays as it is."""
    secret = tmp_path / "password"
    secret.write_text("old\n")
    (tmp_path / "integrations.yaml").write_text(ONE.replace("password: p", f"password: file:{secret}"))
    watched = Watched(tmp_path / "integrations.yaml")
    secret.write_text("new\n")
    watched.look_twice()
    password = watched.file.current["a"].cashiers["x"].password
    assert password is not None
    assert password.get_secret_value() == "new"
    assert watched.file.generation == 2


def test_secret_that_comes_later(watched: Watched, tmp_path: Path) -> None:
    """A file that refers to a secret too early is taken as soon as the secret is there."""
    secret = tmp_path / "password"
    watched.path.write_text(TWO.replace("y, password: p", f"y, password: file:{secret}"))
    watched.look_twice()
    assert watched.ids == ["a"]
    assert len(watched.errors) == 1
    secret.write_text("p")
    watched.look_twice()
    assert watched.ids == ["a", "b"]


def test_a_look_survives_whatever_goes_wrong(watched: Watched) -> None:
    """What was taken counts, and the fault is told."""
    lines: list[str] = []

    def on_change(change: Change) -> None:
        if change.added == ("b",):
            raise RuntimeError("the listener's own fault")

    file = IntegrationsFile(watched.path, DEFAULT_URL, {}, on_error=lines.extend, on_change=on_change)
    watched.path.write_text(TWO)
    file.look()
    file.look()
    assert lines == [f"{watched.path}: could not be looked at: RuntimeError"]
    assert list(file.current) == ["a", "b"]
