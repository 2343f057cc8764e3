"""``fiscal-worker journal`` as a process of its own."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Self


class JournalProcess:
    """Started on entry, killed on exit; its lines go to a file."""

    def __init__(self, log: Path, environment: Mapping[str, str]) -> None:
        self.log = log
        kept = {name: value for name, value in os.environ.items() if not name.startswith("FISCAL_")}
        self._environment = {**kept, **environment}
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.kill()

    def start(self) -> None:
        with self.log.open("ab") as output:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "worker", "journal"],
                env=self._environment,
                stdout=output,
                stderr=output,
            )

    def kill(self) -> None:
        """SIGKILL, as a crash."""
        assert self._process is not None
        self._process.kill()
        self._process.wait()

    def terminate(self) -> int:
        """SIGTERM; the exit code."""
        assert self._process is not None
        self._process.send_signal(signal.SIGTERM)
        return self._process.wait(30)

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    @property
    def is_running(self) -> bool:
        assert self._process is not None
        return self._process.poll() is None
