"""The sandbox as a process: it listens, tells so, ends, and says what is wrong with its options."""

from __future__ import annotations

import json
import subprocess
import sys

import httpx2
import pytest

from worker.demo.sandbox_process import SandboxProcess


def test_it_starts_tells_its_address_and_ends() -> None:
    """One line when it listens; after ``stop`` nobody answers, and a start brings an empty one."""
    with SandboxProcess(cashiers=3, options={"done_after": 0, "token_lifetime": None}) as sandbox:
        assert sandbox.log() == f"Checkbox sandbox on {sandbox.url}\n"
        assert httpx2.get(f"{sandbox.url}/status", trust_env=False).status_code == 200
        sandbox.advance(60)
        assert sandbox.close_shift("c0001")["status"] == "CLOSED"
        assert sandbox.open_shift("c0001")["status"] == "OPENED"
        sandbox.stop()
        with pytest.raises(httpx2.ConnectError):
            httpx2.get(f"{sandbox.url}/status", trust_env=False)
        sandbox.start()
        assert sandbox.ledger() == []
        sandbox.kill()


def test_its_address_is_told_as_json() -> None:
    """With ``--json`` and port 0 the line has the address that was found."""
    command = [sys.executable, "-m", "worker", "sandbox", "--port", "0", "--json"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        told = json.loads(process.stdout.readline())
        assert httpx2.get(f"{told['url']}/status", trust_env=False).status_code == 200
        assert told["cashiers"] == 1
        process.terminate()
        assert process.wait(10) == 0


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--fault", "nothing"], "no fault nothing"),
        (["--option", "colour=red"], "no option colour"),
        (["--option", "colour"], "name=value"),
        (["--rounding", "up"], "rounding is one of"),
        (["--integrations", "nowhere.yaml"], "nowhere.yaml"),
    ],
)
def test_what_is_wrong_is_told_in_one_line(arguments: list[str], words: str) -> None:
    """Exit code 2, and no traceback."""
    command = [sys.executable, "-m", "worker", "sandbox", "--port", "0", *arguments]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
    assert ended.returncode == 2
    assert words in ended.stderr
    assert ended.stderr.count("\n") == 1


def test_a_start_that_fails_says_why() -> None:
    """The output of the process is in the error."""
    with pytest.raises(RuntimeError, match="no fault nothing"), SandboxProcess(faults=["nothing"]):
        pass
