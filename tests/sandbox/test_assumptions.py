"""Every assumption has another side, and a test is known by the assumptions that its sandbox read."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path

import httpx2
import pytest

from tests.sandbox.assumptions import OTHER_SIDES, main
from tests.sandbox.driver import line, sale
from tests.sandbox.recorded import TIME
from tests.sandbox.tracing import Traced, Tracer, readers
from worker.demo.sandbox_process import SandboxProcess
from worker.sandbox.options import Options

#: These are no assumptions, but the sandbox's pace.
PACE = {
    "done_after", "open_after", "close_after", "latency", "throttle", "rate", "pause",
    "webhook_timeout", "webhook_retry_first", "webhook_retry_longest", "webhook_retry_for",
}  # fmt: skip


def test_every_assumption_has_another_side() -> None:
    """Each fits its option, and is not the default."""
    assert set(OTHER_SIDES) == {field.name for field in fields(Options)} - PACE
    default = Options()
    for name, values in OTHER_SIDES.items():
        assert values
        for value in values:
            assert getattr(default.with_changes({name: value}), name) == value != getattr(default, name)


def test_what_a_sandbox_reads_counts_until_its_reset(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A half of a kopiyka needs the rounding; a change of options reads none of them."""
    monkeypatch.setattr(SandboxProcess, "program", ())
    monkeypatch.setenv("SANDBOX_READS", "")
    tracer = Tracer(tmp_path, "here")
    with SandboxProcess(cashiers=1) as sandbox:
        read = tracer.read()
        assert "serials" in read
        assert not {"rounding", "token_lifetime", "search_form", TIME} & read
        sell(sandbox)
        assert tracer.read() - read >= {"token_lifetime", "throttle"}
        sell(sandbox, quantity=999, price=50)
        sandbox.set_options(rate=3)
        sandbox.advance(1)
        for _ in range(2):
            assert {"rounding", TIME} <= tracer.read()
            assert "search_form" not in tracer.read()
        sandbox.reset()
        assert {"rounding", TIME} <= tracer.read()
        assert not {"rounding", TIME} & tracer.read()
    tracer.read()
    assert tracer.read() == set()


def sell(sandbox: SandboxProcess, **of_line: int) -> None:
    with httpx2.Client(base_url=f"{sandbox.url}/api/v1", trust_env=False) as client:
        signed_in = client.post("/cashier/signin", json={"login": "c0001", "password": "secret-c0001"})
        client.headers["authorization"] = f"Bearer {signed_in.json()['access_token']}"
        assert client.post("/receipts/sell", json=sale(line(**of_line))).status_code == 201


def test_hours_pass_only_where_the_clock_is_moved() -> None:
    """Of a test that reads how long a token lives, nothing is known by that alone."""
    tests = [
        Traced("a", 1.0, frozenset({"token_lifetime"})),
        Traced("b", 1.0, frozenset({"token_lifetime", TIME})),
    ]
    assert [one.test for one in readers(tests, "token_lifetime")] == ["b"]
    assert readers(tests, "rounding") == []


def test_another_side_is_run_over_the_tests_that_depend_on_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """One that finds the register busy depends on how that is said, and not on a chain's return."""
    monkeypatch.chdir(Path(__file__).parents[2])
    busy = "test_client_with_sandbox.py::test_a_register_with_another_cashier_s_shift_is_busy"
    sides = ["-n0", "--only", "register_busy_code", "--only", "refused_return"]
    assert main([*sides, "--trace", str(tmp_path / "trace"), f"tests/checkbox/{busy}"]) == 0
    report = capsys.readouterr().out
    assert "register_busy_code=base.bad_request: 1 passed" in report
    assert "refused_return=unchanged: no test depends on it" in report
