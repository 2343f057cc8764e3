"""A temporary folder and processes in it that end together with their owner, even where that is killed."""

from __future__ import annotations

import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

# Reads until its owner is gone, however it went (SIGKILL too), then ends the processes, removes the folder.
# The processes lead groups of their own, so that Ctrl-C on the terminal reaches the owner alone.
_GUARD = """
cat >/dev/null
for pid in "$1"/*.pid; do [ -f "$pid" ] && kill -9 "-$(cat "$pid")" 2>/dev/null; done
for attempt in 1 2 3 4 5; do rm -rf "$1" && break; sleep 0.2; done
"""


class GuardedFolder:
    """A new temporary folder; neither it nor what is launched through it outlives this process."""

    def __init__(self, prefix: str) -> None:
        self.path = Path(tempfile.mkdtemp(prefix=prefix))
        self._launched: dict[str, subprocess.Popen[bytes]] = {}
        self._guard = subprocess.Popen(
            ["/bin/sh", "-c", _GUARD, "guard", str(self.path)],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )

    def launch(
        self, name: str, command: Sequence[str], environment: Mapping[str, str]
    ) -> subprocess.Popen[bytes]:
        """Start a process; its output is appended to ``NAME.log`` in the folder."""
        with (self.path / f"{name}.log").open("ab") as log:
            process = subprocess.Popen(
                command,
                cwd=self.path,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self._launched[name] = process
        self.take(name, process.pid)
        return process

    def take(self, name: str, pid: int) -> None:
        """A process that leads a group of its own: it and the group go with the folder."""
        (self.path / f"{name}.pid").write_text(str(pid))

    def forget(self, name: str) -> None:
        """The process has ended: its number, which another may get, is not to be killed."""
        (self.path / f"{name}.pid").unlink()
        del self._launched[name]

    def close(self) -> None:
        """Kill what still runs, and remove the folder."""
        self._guard.communicate()
        for process in self._launched.values():
            process.wait()

    def log(self) -> str:
        """All ``*.log`` files of the folder."""
        return "".join(path.read_text(errors="replace") for path in sorted(self.path.glob("*.log")))
