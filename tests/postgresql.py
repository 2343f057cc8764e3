"""A PostgreSQL of one's own: the system's package, run as a private cluster that ends with its owner.

It has its own folder and port and listens on loopback only. PostgreSQL refuses to run as root: then the
package's user runs it.
"""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from worker.demo.free_ports import free_ports
from worker.demo.guarded_folder import GuardedFolder

_PACKAGES = Path("/usr/lib/postgresql")
_TIMEOUT = 30.0
#: What is written survives the process, and not the machine: a test kills processes only.
FAST = ("fsync=off", "full_page_writes=off")


class PostgreSQLError(RuntimeError):
    """The cluster could not be made or started."""


class PrivatePostgreSQL:
    """A cluster; as a context manager it is started, and at the end killed and its folder removed."""

    def __init__(self, options: Sequence[str] = ()) -> None:
        """``options`` are settings of the server, such as ``fsync=off``."""
        self._bin = _newest()
        self._options = tuple(options)
        self.port = free_ports(1)[0]
        self._guarded = GuardedFolder("fiscal-postgresql-")
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """Address of the cluster's own database."""
        return self.url_of("postgres")

    def url_of(self, database: str) -> str:
        return f"postgresql://postgres@127.0.0.1:{self.port}/{database}"

    def new_database(self, name: str) -> str:
        """Make an empty database; its address."""
        self._run("createdb", "-h", "127.0.0.1", "-p", str(self.port), "-U", "postgres", name)
        return self.url_of(name)

    def __enter__(self) -> Self:
        try:
            if os.geteuid() == 0:
                user = pwd.getpwnam("postgres")
                os.chown(self._guarded.path, user.pw_uid, user.pw_gid)
            data = str(self._data)
            self._run(
                "initdb", "-D", data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8", "-N"
            )
            self.start()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def start(self) -> None:
        """Start it, or start it again on the same data and port; returns when it takes connections."""
        options = [part for option in self._options for part in ("-c", option)]
        place = ["-c", "listen_addresses=127.0.0.1", "-c", f"unix_socket_directories={self._guarded.path}"]
        command = [str(self._bin / "postgres"), "-D", str(self._data), "-p", str(self.port), *place, *options]
        self._process = self._guarded.launch("server", _as_user(command), dict(os.environ))
        deadline = time.monotonic() + _TIMEOUT
        while not self._answers():
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise PostgreSQLError(f"the server does not start:\n{self._guarded.log()[-2000:]}")
            time.sleep(0.02)

    def stop(self) -> None:
        """End it at once, as a crash would; ``start`` brings it back with what was committed."""
        if self._process is not None:
            self._process.send_signal(signal.SIGQUIT)
            self._process.wait(_TIMEOUT)
            self._process = None
            self._guarded.forget("server")

    def close(self) -> None:
        self.stop()
        self._guarded.close()

    @property
    def _data(self) -> Path:
        return self._guarded.path / "data"

    def _answers(self) -> bool:
        ready = [str(self._bin / "pg_isready"), "-q", "-h", "127.0.0.1", "-p", str(self.port)]
        return subprocess.run(ready, check=False).returncode == 0

    def _run(self, program: str, *arguments: str) -> None:
        command = _as_user([str(self._bin / program), *arguments])
        done = subprocess.run(command, capture_output=True, check=False, cwd="/", text=True)
        if done.returncode:
            raise PostgreSQLError(f"{program} failed:\n{done.stdout}{done.stderr}")


def _newest() -> Path:
    found = sorted(_PACKAGES.glob("*/bin/postgres"), key=lambda path: int(path.parent.parent.name))
    if not found:
        raise PostgreSQLError("PostgreSQL is missing: apt-get install postgresql")
    return found[-1].parent


def _as_user(command: Sequence[str]) -> list[str]:
    if os.geteuid() != 0:
        return list(command)
    setpriv = shutil.which("setpriv") or "setpriv"
    return [setpriv, "--reuid=postgres", "--regid=postgres", "--init-groups", *command]
