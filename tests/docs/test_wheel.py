"""A wheel, installed by pipx in a bare folder: the demo runs, and what is not installed is named."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.docs.pages import ROOT, blocks, lines
from worker.demo.examples import FOLDER

Run = Callable[[str], "subprocess.CompletedProcess[str]"]


@pytest.fixture(scope="module")
def dist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("dist")
    command = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(folder)]
    built = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert built.returncode == 0, built.stderr
    return folder


@pytest.fixture
def run(tmp_path: Path, dist: Path) -> Run:
    """In a folder with the wheel alone, with an empty home, and packages of the versions that were tested."""
    home, bare, versions = tmp_path / "home", tmp_path / "bare", tmp_path / "versions.txt"
    home.mkdir()
    bare.mkdir()
    (bare / "dist").symlink_to(dist)
    locked = (ROOT / "requirements" / "dev.lock").read_text()
    versions.write_text("\n".join(re.findall(r"^[a-z0-9-]+==\S+", locked, re.MULTILINE)))
    kept = {name: value for name, value in os.environ.items() if name.startswith(("PIP_", "SSL_"))}
    path = f"{home}/.local/bin:{os.environ['PATH']}"
    environment = {
        **kept,
        "HOME": str(home),
        "PATH": path,
        "PIP_CONSTRAINT": str(versions),
        "LANG": "C.UTF-8",
    }

    def run(script: str) -> subprocess.CompletedProcess[str]:
        command = ["bash", "-euc", script]
        return subprocess.run(command, cwd=bare, env=environment, capture_output=True, text=True, check=False)

    return run


def test_the_demo_of_an_installed_wheel_ends_as_the_contract_says(run: Run) -> None:
    """A row for each example, which ends as its name says."""
    install, demo = lines(blocks("README.md", "sh")[2])
    installed = run(install)
    assert installed.returncode == 0, installed.stderr
    done = run(f"{demo} --json")
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    folders = ("valid", "invalid", "prepayment")
    examples = [path for folder in folders for path in FOLDER.glob(f"{folder}/*.json")]
    assert done.returncode == 0, (rows, done.stderr)
    assert {row["example"] for row in rows} == {path.stem for path in examples}
