"""Which options of the sandbox a test's result can depend on: those that the sandbox's code read.

    python -m pytest -p tests.sandbox.tracing --sandbox-trace FOLDER tests/checkbox

As a plugin of pytest it appends a line for each test that passes to a file in FOLDER. A read counts until the
sandbox is reset or ends, also for later tests: what was made with it is still there. An option that was not
read is one that the sandbox could have had otherwise, and nobody would have seen it.
"""

from __future__ import annotations

import json
import os
import time
from collections import defaultdict
from collections.abc import Generator, Iterable
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.sandbox import recorded
from worker.demo.sandbox_process import SandboxProcess

#: Nothing comes of these within the two minutes that a test may take.
TAKE_AN_HOUR = {"token_lifetime", "force_close_at_24h"}


@dataclass(frozen=True, slots=True)
class Traced:
    """A test, its seconds, and what the sandboxes read that it used."""

    test: str
    seconds: float
    options: frozenset[str]


class Tracer:
    """Looks after each test at what the sandboxes of this process have left."""

    def __init__(self, folder: Path, worker: str) -> None:
        self._reads = folder / f"reads-{worker}"
        self._reads.mkdir(parents=True, exist_ok=True)
        self._traces = folder / f"{worker}.jsonl"
        self._failed: set[str] = set()
        #: Where in a sandbox's file begins what still counts.
        self._begins: defaultdict[Path, int] = defaultdict(int)
        os.environ["SANDBOX_READS"] = str(self._reads)
        SandboxProcess.program = (recorded.__file__,)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Generator[None, bool, bool]:
        began = time.monotonic()
        is_run = yield
        line = [item.nodeid, round(time.monotonic() - began, 1), sorted(self.read())]
        if item.nodeid not in self._failed:
            with self._traces.open("a") as file:
                print(json.dumps(line), file=file)
        return is_run

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.failed:
            self._failed.add(report.nodeid)

    def read(self) -> set[str]:
        """The names since the last look, and those that still counted then."""
        names: set[str] = set()
        for file in self._reads.iterdir():
            text = file.read_text()
            names.update(text[self._begins[file] :].split())
            over, reset, _ = text.rpartition(f"{recorded.RESET}\n")
            self._begins[file] = len(over) + len(reset)
            if not Path("/proc", file.name).exists():
                file.unlink()
                del self._begins[file]
        return names - {recorded.RESET}


def traced(folder: Path) -> list[Traced]:
    """What FOLDER tells, each test once."""
    lines = [json.loads(line) for file in folder.glob("*.jsonl") for line in file.open()]
    found = {test: Traced(test, seconds, frozenset(options)) for test, seconds, options in lines}
    return sorted(found.values(), key=lambda one: one.test)


def readers(tests: Iterable[Traced], name: str) -> list[Traced]:
    """The tests that depend on this option; that of a day or an hour needs a clock that was moved too."""
    needed = {name, recorded.TIME} if name in TAKE_AN_HOUR else {name}
    return [one for one in tests if needed <= one.options]


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--sandbox-trace", type=Path, metavar="FOLDER", help="see tests/sandbox/tracing.py")


def pytest_configure(config: pytest.Config) -> None:
    folder = config.getoption("--sandbox-trace").resolve()
    config.pluginmanager.register(Tracer(folder, os.environ.get("PYTEST_XDIST_WORKER", "main")))
