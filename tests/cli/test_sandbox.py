"""``fiscal-worker sandbox --integrations``: it knows exactly whom the worker will ask for."""

from __future__ import annotations

from pathlib import Path

import httpx2
import pytest
import typer
from typer.testing import CliRunner

from worker.cli.sandbox import sandbox
from worker.demo.sandbox_process import SandboxProcess
from worker.sandbox.fault_kinds import KINDS

FILE = """
integrations:
  - id: by-pin
    company: "000001398"
    environment: test
    prepayments: true
    shifts: auto
    cashiers: [{id: pin, pin_code: %s, license_key: test-pin}]
  - id: by-password
    cashiers: [{id: a, login: anna, password: "env:ANNA_PASSWORD"}]
"""


def written(folder: Path, pin_code: str = "0123") -> Path:
    path = folder / "integrations.yaml"
    path.write_text(FILE % pin_code, encoding="utf-8")
    return path


@pytest.mark.parametrize("pin_code", ["0123", "0777", "1e3"])
def test_the_file_is_read_as_the_worker_reads_it(tmp_path: Path, pin_code: str) -> None:
    """A PIN is text: to YAML itself 0123 is 83. Secrets are looked up as the worker does."""
    environment = {"ANNA_PASSWORD": "secret-anna"}
    with SandboxProcess(integrations=written(tmp_path, pin_code), environment=environment) as process:
        answer = httpx2.post(
            f"{process.url}/api/v1/cashier/signinPinCode",
            json={"pin_code": pin_code},
            headers={"X-License-Key": "test-pin"},
            trust_env=False,
        )
        assert answer.status_code == 200
        by_password = {"login": "anna", "password": "secret-anna"}
        answer = httpx2.post(f"{process.url}/api/v1/cashier/signin", json=by_password, trust_env=False)
        assert answer.status_code == 200


def test_each_fault_has_a_line_in_the_help() -> None:
    """On a terminal of 80 columns too."""
    app = typer.Typer()
    app.command()(sandbox)
    told = CliRunner().invoke(app, ["--help"], env={"COLUMNS": "80"}).stdout
    lines = [line.strip() for line in told.splitlines()]
    assert [line for line in lines if line.partition(":")[0] in KINDS] == [
        f"{name}: {kind.meaning}" for name, kind in KINDS.items()
    ]


def test_a_file_that_the_worker_refuses_is_refused(tmp_path: Path) -> None:
    """With the place of each mistake, and without a traceback."""
    with (
        pytest.raises(RuntimeError, match=r"integrations.yaml:10:\d+: .*ANNA_PASSWORD") as caught,
        SandboxProcess(integrations=written(tmp_path)),
    ):
        pass
    assert "Traceback" not in str(caught.value)
