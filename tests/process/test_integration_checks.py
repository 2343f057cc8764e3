"""What goes wrong with one integration's check is its own."""

from __future__ import annotations

import json
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any, cast

from pydantic import SecretStr

from tests.builders import a_cashier, a_request, an_integration, configured
from tests.checkbox.passes import Passes
from tests.system.shop import CONTRACT
from worker.checkbox.client import CheckboxClient
from worker.demo.sandbox_process import SandboxProcess
from worker.fiscal.configured import IntegrationRow, Problem
from worker.fiscal.integrations import Integration
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


class Noted:
    """Takes every notice; their bodies by integration."""

    def __init__(self) -> None:
        self.told: dict[str, Any] = {}

    def send(self, *notice: Any) -> Future[None]:
        data = json.loads(notice[2])["data"]
        self.told[data["integration"]] = data
        confirmed: Future[None] = Future()
        confirmed.set_result(None)
        return confirmed


def a_shop(url: str, cashier: str) -> Integration:
    row = a_cashier(id=cashier, login=cashier, password=SecretStr(f"{cashier}-secret"))
    return an_integration(id=f"shop-of-{cashier}", checkbox_url=url, cashiers={cashier: row})


def test_a_check_that_hangs_holds_up_neither_the_others_nor_sales(
    eventually: Callable[..., Any],
) -> None:
    """Olena's is first, and gets no answer for a while: the others are told meanwhile, and she sells."""
    process = SandboxProcess(integrations=CONTRACT / "integrations.yaml", options={"done_after": 0.0})
    with process as sandbox, CheckboxClient() as client:
        shops = [a_shop(sandbox.url, cashier) for cashier in ("olena", "petro", "maria")]
        passes, publisher, now = Passes(client, shops[0]), Noted(), [0.0]
        checks = IntegrationChecks(
            lambda: configured(*shops).rows,
            passes.sessions,
            client,
            cast(Any, publisher),
            monotonic=lambda: now[0],
        )

        def told(*names: str) -> bool:
            now[0] += 1
            checks.work(lambda: None)
            return publisher.told.keys() >= set(names)

        checks.work(lambda: None)
        now[0] = 60.0
        sandbox.fault("delay", endpoint="GET /cashier/me", cashier="olena", seconds=6)
        eventually(lambda: told() and sandbox.counters()["requests"].get("GET /cashier/me"))
        eventually(lambda: told("shop-of-petro", "shop-of-maria"))
        passes.done(a_request(integration="shop-of-olena"))
        assert "shop-of-olena" not in publisher.told
        eventually(lambda: told("shop-of-olena"))
        assert publisher.told["shop-of-olena"]["cashiers"][0]["shiftOpenedAt"] is not None


def test_half_a_character_of_checkboxs_breaks_no_id() -> None:
    assert notice_id("ПДВ \ud83d") != notice_id("ПДВ")
