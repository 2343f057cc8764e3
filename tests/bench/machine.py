"""What the processes of a candidate use, from /proc; and what machine it is."""

from __future__ import annotations

import os
import platform
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path

_TICK = os.sysconf("SC_CLK_TCK")
_PAGE_MIB = os.sysconf("SC_PAGE_SIZE") / 2**20


def tree(pid: int) -> Iterator[int]:
    """The process and all that came of it."""
    yield pid
    for thread in Path(f"/proc/{pid}/task").glob("*/children"):
        for child in thread.read_text().split():
            yield from tree(int(child))


def _stat(pid: int) -> list[str]:
    """Fields of stat(5) from the third on: the second may hold blanks."""
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()


def cpu_seconds(pids: list[int]) -> float:
    """User and system time of living processes together."""
    return sum(int(stat[11]) + int(stat[12]) for stat in map(_stat, pids)) / _TICK


def largest_mib(pids: list[int]) -> float:
    """Resident memory of the largest of the processes, shared pages included."""
    return max(int(_stat(pid)[21]) for pid in pids) * _PAGE_MIB


def described() -> dict[str, str]:
    """For the table's head."""
    model = next(
        (
            line.partition(":")[2].strip()
            for line in Path("/proc/cpuinfo").read_text().splitlines()
            if line.startswith("model name")
        ),
        "unknown",
    )
    packages = ("dramatiq", "pika", "httpx2", "pydantic")
    return {
        "cores": str(os.cpu_count()),
        "processor": model,
        "kernel": platform.release(),
        "python": platform.python_version(),
        **{name: version(name) for name in packages},
        "load_at_start": f"{os.getloadavg()[0]:.2f}",
    }
