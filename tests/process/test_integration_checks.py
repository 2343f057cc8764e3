"""What goes wrong with one integration's check is its own."""

from __future__ import annotations

from concurrent.futures import Future
from typing import Any, cast

from worker.fiscal.configured import IntegrationRow, Problem
from worker.process.integration_checks import IntegrationChecks
from worker.rabbit.notices import notice_id


class Publisher:
    """Breaks at the first notice."""

    def __init__(self) -> None:
        self.sent: list[Any] = []

    def send(self, *notice: Any) -> Future[None]:
        self.sent.append(notice)
        if len(self.sent) == 1:
            raise RuntimeError
        return Future()


def out_of_service(name: str) -> IntegrationRow:
    """Nobody is asked for it."""
    return IntegrationRow(name, frozenset(), (Problem("/shifts", "is wrong"),), None, (), None)


def test_a_check_that_breaks_holds_up_no_other() -> None:
    """It is repeated later, and told then."""
    rows, publisher, now = {name: out_of_service(name) for name in "ab"}, Publisher(), [0.0]
    nobody: Any = None
    checks = IntegrationChecks(lambda: rows, nobody, nobody, cast(Any, publisher), monotonic=lambda: now[0])
    checks.work(lambda: None)
    now[0] = 60.0
    checks.work(lambda: None)
    assert len(publisher.sent) == 2
    now[0] = 600.0
    checks.work(lambda: None)
    assert len(publisher.sent) == 3


def test_half_a_character_of_checkboxs_breaks_no_id() -> None:
    assert notice_id("ПДВ \ud83d") != notice_id("ПДВ")
