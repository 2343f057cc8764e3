"""Every command of the README is run, or, where it is this very run, known to make."""

from __future__ import annotations

import itertools
import json
import os
import re
import shlex
import signal
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.system.shop import CONTRACT, Shop
from worker.rabbit.topology import DEAD_LETTERS

ROOT = Path(__file__).parents[2]
BLOCKS = re.findall(r"```sh\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)
COMMANDS = [line for block in BLOCKS for line in block.splitlines()]
PROGRAM = [command for command in COMMANDS if command.startswith("fiscal-worker ")]
MAKE = [command for command in COMMANDS if command.startswith("make ")]


def test_all_commands_are_of_the_two_kinds() -> None:
    """A command of another kind needs a test of its own."""
    assert sorted(COMMANDS) == sorted([*PROGRAM, *MAKE, ". .venv/bin/activate"])
    assert "make demo" in MAKE
    assert "make test" in MAKE


@pytest.mark.parametrize("command", sorted(set(MAKE)))
def test_make_knows_its_targets(command: str) -> None:
    """What the target would run can be told, from its variables to its last line."""
    done = subprocess.run([*shlex.split(command), "--dry-run"], cwd=ROOT, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr


def test_the_demo_of_a_wheel_ends_as_the_contract_says(tmp_path: Path) -> None:
    """Built, unpacked, and run in a bare folder: a row for each example, which ends as its name says."""
    built = subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(tmp_path)],
        cwd=ROOT,
        capture_output=True,
        check=False,
    )
    assert built.returncode == 0, built.stderr
    (wheel,) = tmp_path.glob("*.whl")
    installed, bare = tmp_path / "installed", tmp_path / "bare"
    bare.mkdir()
    zipfile.ZipFile(wheel).extractall(installed)
    done = subprocess.run(
        [sys.executable, "-P", "-m", "worker", "demo", "--json"],
        cwd=bare,
        env={**os.environ, "PYTHONPATH": str(installed)},
        capture_output=True,
        check=False,
    )
    rows = [json.loads(line) for line in done.stdout.decode().splitlines()]
    folders = ("valid", "invalid", "prepayment")
    examples = [path for folder in folders for path in CONTRACT.glob(f"{folder}/*.json")]
    assert done.returncode == 0, (rows, done.stderr)
    assert {row["example"] for row in rows} == {path.stem for path in examples}


def test_a_demo_that_is_kept_names_lines_that_work(tmp_path: Path) -> None:
    """They are typed in another terminal, and Ctrl-C ends all of it; before them stand the day's books."""
    command = [sys.executable, "-m", "worker", "demo", "--keep"]
    output = (tmp_path / "output").open("w")
    pipes = {"stdout": output, "stderr": subprocess.PIPE}
    with output, subprocess.Popen(command, cwd=ROOT, text=True, start_new_session=True, **pipes) as demo:
        try:
            assert demo.stderr is not None
            said = list(itertools.takewhile(lambda line: "Ctrl-C" not in line, demo.stderr))
            lines = "".join(said).partition("In another terminal:\n")[2].strip().splitlines()
            assert len(lines) == 5, said
            script = "\n".join(lines)
            done = subprocess.run(["bash", "-euc", script], capture_output=True, text=True, check=False)
        finally:
            demo.send_signal(signal.SIGINT)
        assert demo.wait(30) == 0
    assert done.returncode == 0, done.stderr
    assert "succeeded" in done.stdout
    assert "INVALID_MESSAGE" in done.stdout
    examples, _, books = (tmp_path / "output").read_text().partition("The journal's day")
    assert "one_line_card" in examples
    assert "shop-main/olena" in books
    assert " shifts, no differences" in books


def test_the_operators_commands_do_what_they_say(shop: Callable[..., Shop]) -> None:
    """Each of them ends well against a worker whose cashier has left his shift open for a day.

    `doctor` finds that shift, and the replay comes back for it.
    """
    running = shop()
    running.sandbox.close_shift("olena")
    running.sandbox.open_shift("olena", opened_at="2020-01-01T09:00:00Z")
    message = json.loads((CONTRACT / "valid" / "one_line_card.json").read_text())
    message["data"]["order"]["docNumber"] = "ЗП-000482"
    running.publish(json.dumps(message).encode())
    running.wait_for_letters(1)
    environment = {**os.environ, **running.environment}
    outcomes = {}
    for command in PROGRAM:
        if command == "fiscal-worker run":
            continue  # it runs
        arguments = shlex.split(command)[1:]
        done = subprocess.run(
            [sys.executable, "-m", "worker", *arguments],
            cwd=ROOT,
            env=environment,
            capture_output=True,
            check=False,
        )
        outcomes[command] = (done.returncode, done.stdout.decode() + done.stderr.decode())
    found_by_doctor = outcomes.pop("fiscal-worker doctor")
    assert found_by_doctor[0] == 1
    assert " wrong" in found_by_doctor[1]
    replayed = outcomes.pop("fiscal-worker dead-letters replay --code SHIFT_OPEN_OVER_24H --yes")
    assert replayed[0] == 1
    assert "1 came back (SHIFT_OPEN_OVER_24H 1)" in replayed[1]
    assert {command: code for command, (code, _) in outcomes.items() if code} == {}, outcomes
    assert running.vhost.queues()[DEAD_LETTERS].messages <= 1
