"""Figures out of Checkbox's own books."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from worker.demo.sandbox_process import SandboxProcess


def times_by_register(ledger: Iterable[Mapping[str, Any]]) -> dict[str, list[float]]:
    """When each register got its receipts, in seconds since the epoch, in order."""
    times: dict[str, list[float]] = defaultdict(list)
    for entry in ledger:
        times[entry["register"]].append(datetime.fromisoformat(entry["created_at"]).timestamp())
    return {register: sorted(found) for register, found in times.items()}


def busiest(times: Sequence[float], seconds: float) -> int:
    """The most receipts in any stretch of so many seconds."""
    most = first = 0
    for last, time in enumerate(times):
        while time - times[first] >= seconds:
            first += 1
        most = max(most, last - first + 1)
    return most


def percentile(values: Iterable[float], share: float) -> float:
    """Nearest rank."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]


def load_on_checkbox(sandbox: SandboxProcess) -> dict[str, float]:
    """What a run cost Checkbox, and how fast the busiest register was."""
    counters, ledger = sandbox.counters(), sandbox.ledger(body=False)
    times = times_by_register(ledger).values()
    requests = sum(sum(statuses.values()) for statuses in counters["requests"].values())
    return {
        "receipts": len(ledger),
        "requests_for_a_receipt": round(requests / max(1, len(ledger)), 3),
        "most_sign_ins_of_a_cashier": max(counters["sign_ins"].values(), default=0),
        "busiest_second_of_a_register": max((busiest(found, 1.0) for found in times), default=0),
        "busiest_10_s_of_a_register": max((busiest(found, 10.0) for found in times), default=0),
        "duplicates_refused": counters["duplicates_refused"],
        "throttled": sum(counters["throttled"].values()),
    }
