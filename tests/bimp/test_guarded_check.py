"""The archive check that hangs: it takes a part of the threads, once."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from uuid import uuid4

import pytest

from tests.checkbox.scripted_server import ScriptedServer, answer, silence
from worker.bimp.archive_check import ArchiveCheck
from worker.bimp.guarded_check import GuardedArchiveCheck
from worker.fiscal.outcomes import Postponed, Unavailable, Verdict


def guarded(server: ScriptedServer, threads: int, monotonic: Callable[[], float]) -> GuardedArchiveCheck:
    check = ArchiveCheck(f"{server.url}/orders/{{orderUuid}}/state", None, dict)
    return GuardedArchiveCheck(check, threads, monotonic)


def test_one_that_hangs_is_asked_no_more_for_a_while() -> None:
    """Of twelve orders two wait for it; all others are rescheduled without a call."""
    with ScriptedServer(silence) as server:
        check = guarded(server, 2, time.monotonic)

        def ask(_: int) -> tuple[Verdict, float]:
            began = time.monotonic()
            with pytest.raises((Unavailable, Postponed)) as caught:
                check.is_archived(uuid4())
            assert isinstance(caught.value, Verdict)
            return caught.value, time.monotonic() - began

        with ThreadPoolExecutor(12) as threads:
            told = list(threads.map(ask, range(12)))
        assert len(server.received) == 2
        assert sum(isinstance(verdict, Postponed) and took < 2 for verdict, took in told) == 10
        verdict, took = ask(0)
        assert isinstance(verdict, Unavailable)
        assert verdict.detail == {"service": "archive_check", "reason": "circuit_open"}
        assert not verdict.may_have_sold
        assert took < 1
        assert len(server.received) == 2


def test_its_answer_closes_the_circuit() -> None:
    """After the pause one order asks, and then all do."""
    ahead = [0.0]
    with ScriptedServer(silence, *[answer(200, {"archived": False})] * 3) as server:
        check = guarded(server, 2, lambda: time.monotonic() + ahead[0])
        for reason in ("timeout", "circuit_open"):
            with pytest.raises(Unavailable) as caught:
                check.is_archived(uuid4())
            assert caught.value.detail["reason"] == reason
        ahead[0] = 60.0
        assert [check.is_archived(uuid4()) for _ in range(3)] == [False] * 3
