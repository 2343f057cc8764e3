"""Many letters, and a long replay: no page takes a second."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from typing import Any

import pytest

from tests.cli.letters import numbers, put, ready
from tests.console.conftest import Visitor
from worker.console import letter_jobs
from worker.rabbit.topology import DEAD_LETTERS

Eventually = Callable[..., Any]
LONGEST = 1.0


def slowest(visitor: Visitor, pages: Iterable[str]) -> float:
    """Seconds of the slowest of these pages; each is one."""

    def seconds(page: str) -> float:
        began = time.monotonic()
        assert visitor.get(page).status_code == 200
        return time.monotonic() - began

    return max(map(seconds, pages))


def test_a_replay_of_500_beside_a_colleague(
    amqp_url: str, visitor: Visitor, console: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who browses meanwhile waits less than a second for each page."""
    monkeypatch.setattr(letter_jobs, "RATE", 80.0)
    put(amqp_url, range(500))
    put(amqp_url, range(1000, 1100), code="TOTALS_MISMATCH")
    job = visitor.submit("/replay?code=SHIFT_NOT_OPEN").headers["location"]
    with Visitor.of(console) as colleague:
        colleague.sign_in()
        worst, rounds = 0.0, 0
        while not visitor.get(f"{job}.json").json()["over"]:
            pages = (
                "/",
                "/letters",
                "/letters?order=N-10",
                "/letters?page=2&sort=sum",
                "/replay",
                "/discard",
                "/jobs",
                job,
            )
            worst, rounds = max(worst, slowest(colleague, pages)), rounds + 1
    assert rounds > 3
    assert worst < LONGEST
    assert len(numbers(amqp_url, "fiscalize")) == 500
    assert ready(amqp_url, DEAD_LETTERS) == 100


@pytest.mark.parametrize("count", [300, 20_000])
def test_many_letters(amqp_url: str, visitor: Visitor, eventually: Eventually, count: int) -> None:
    """The first picture may take its time, and the page says so; then each page is there in a second."""
    put(amqp_url, range(100_000, 100_000 + count), integration="shop-main")
    put(amqp_url, range(10), code="TOTALS_MISMATCH")
    total = count + 10
    eventually(lambda: f"{total} letters" in visitor.get("/").text, timeout=60)
    last = -(-total // 100)
    pages = (
        "/",
        "/letters",
        f"/letters?page={last}",
        "/letters?sort=sum",
        "/letters?order=N-1000",
        "/replay",
        "/discard",
    )
    assert slowest(visitor, pages) < LONGEST
    assert f"page {last} of {last}" in visitor.get(f"/letters?page={last}").text
    assert "10 letters" in visitor.get("/letters?order=n-10000").text
    assert f"{count} letters would be replayed" in visitor.get("/replay").text
