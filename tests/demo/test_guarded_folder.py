"""What a folder guards ends with its owner, however that goes."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from tests.demo.test_rabbitmq import alive
from tests.docs.pages import ROOT

OWNER = """
import subprocess, sys
from worker.demo.guarded_folder import GuardedFolder
folder = GuardedFolder("fiscal-test-")
ours = folder.launch("ours", ["sh", "-c", "sleep 600 & echo $! >child; wait"], {"PATH": "/usr/bin:/bin"})
others = subprocess.Popen(["sleep", "600"], start_new_session=True)
folder.take("others", others.pid)
while not (folder.path / "child").exists() or not (child := (folder.path / "child").read_text()):
    pass
print(folder.path, ours.pid, others.pid, child.strip(), flush=True)
sys.stdin.read()
"""


def test_nothing_outlives_an_owner_that_is_killed(eventually: Callable[..., object]) -> None:
    """Neither a process that it launched, nor that one's child, nor one that it took; the folder goes too."""
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with subprocess.Popen([sys.executable, "-c", OWNER], cwd=ROOT, text=True, **pipes) as owner:
        assert owner.stdout is not None
        folder, *pids = owner.stdout.readline().split()
        assert len(pids) == 3
        assert all(alive(int(pid)) for pid in pids)
        owner.send_signal(signal.SIGKILL)
    eventually(lambda: not any(alive(int(pid)) for pid in pids))
    eventually(lambda: not Path(folder).exists())
