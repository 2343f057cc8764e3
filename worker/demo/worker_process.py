"""A worker as a process of its own, for the demo, the system tests and the chaos runs."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from contextlib import ExitStack, suppress
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Self

from worker.demo.free_ports import free_ports

#: Seconds; a machine may be busy.
_START_TIMEOUT = 90.0


class WorkerProcess:
    """``fiscal-worker run`` in a process group of its own; its lines go to ``log``.

    Where it is ``piped``, ``reader`` is the process that takes them there.
    """

    def __init__(self, environment: Mapping[str, str], log: Path, piped: bool = False) -> None:
        self.port = free_ports(1)[0]
        self.log = log
        self.settings = {"FISCAL_METRICS_PORT": str(self.port), **environment}
        self._environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("FISCAL_")},
            **self.settings,
        }
        self.process: subprocess.Popen[bytes] | None = None
        self.reader: subprocess.Popen[bytes] | None = None
        self._piped = piped

    def start(self, wait: bool = True) -> Self:
        """Start it; with ``wait``, return when it consumes."""
        with ExitStack() as opened:
            output: IO[bytes] = opened.enter_context(self.log.open("ab"))
            if self._piped:
                self.reader = subprocess.Popen(["cat"], stdin=subprocess.PIPE, stdout=output)
                assert self.reader.stdin is not None
                output = opened.enter_context(self.reader.stdin)
            self.process = subprocess.Popen(
                [sys.executable, "-m", "worker", "run"],
                env=self._environment,
                stdout=output,
                stderr=output,
                stdin=subprocess.DEVNULL,
                start_new_session=True,
            )
        if wait:
            self.wait_until_ready()
        return self

    def wait_until_ready(self, timeout: float = _START_TIMEOUT) -> None:
        """Raises ``RuntimeError`` with the log's end when it does not come to consume."""
        deadline = time.monotonic() + timeout
        while self.page("/readyz")[0] != 200:
            assert self.process is not None
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"the worker does not consume:\n{self.log.read_text()[-3000:]}")
            time.sleep(0.02)

    def page(self, path: str) -> tuple[int, str]:
        """Status and text of a page of the metrics port; 0 if there is no answer."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=5) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()
        except OSError:
            return 0, ""

    def lines(self) -> list[dict[str, Any]]:
        """What it logged, as far as the lines are JSON."""
        return [json.loads(line) for line in self.log.read_text().splitlines() if line.startswith("{")]

    def terminate(self, timeout: float = 30.0) -> int:
        """SIGTERM to the main process, as an orchestrator does; the exit code."""
        assert self.process is not None
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(timeout)

    def kill(self) -> None:
        """SIGKILL to the whole group, as a machine that loses power."""
        if self.process is None:
            return
        with suppress(ProcessLookupError):  # it had ended by itself
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None
    ) -> None:
        self.kill()
