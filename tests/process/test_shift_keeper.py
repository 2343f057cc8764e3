"""Old shifts are closed while no order comes, at the row's own register alone."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest
from pydantic import SecretStr
from structlog.testing import CapturingLogger

from tests.checkbox.desk import OLENA, Desk
from worker.checkbox.client import CheckboxClient
from worker.demo.sandbox_process import SandboxProcess
from worker.fiscal.integrations import Cashier, ShiftPolicy
from worker.process import shift_keeper
from worker.process.shift_keeper import ShiftKeeper
from worker.rabbit.connection import parameters

CLOSE = "POST /shifts/close"


@pytest.fixture
def desk(sandbox: SandboxProcess) -> Iterator[Desk]:
    with CheckboxClient() as client:
        yield Desk(sandbox, client)


@pytest.fixture
def logged(monkeypatch: pytest.MonkeyPatch) -> CapturingLogger:
    capturing = CapturingLogger()
    monkeypatch.setattr(shift_keeper, "_log", capturing)
    return capturing


def keep(desk: Desk, amqp_url: str, row: Cashier) -> ShiftKeeper:
    """A keeper that has begun its first look at the one cashier."""
    integration = replace(desk.integration, shifts=ShiftPolicy.AUTO, cashiers={row.id: row})
    params = parameters(amqp_url, "shift keeper")
    keeper = ShiftKeeper(params, "fiscalize", lambda: {integration.id: integration}, desk.sessions)
    keeper.keep(threading.Event())
    return keeper


def test_an_old_shift_at_the_rows_register_is_closed(
    desk: Desk, amqp_url: str, eventually: Callable[..., Any], logged: CapturingLogger
) -> None:
    """23 hours are over, and nobody sells."""
    desk.opened(hours_ago=23.1)
    keeper = keep(desk, amqp_url, OLENA)
    eventually(lambda: [call.args for call in logged.calls] == [("shift_rolled_over",)])
    assert desk.asked(CLOSE) == 1
    keeper.close()


def test_an_old_shift_at_another_register_is_left_alone(
    desk: Desk, amqp_url: str, eventually: Callable[..., Any], logged: CapturingLogger
) -> None:
    """The licence key is of another register: the log says so, as the orders do."""
    desk.opened(hours_ago=23.1)
    keeper = keep(desk, amqp_url, replace(OLENA, license_key=SecretStr("test-c0001")))
    eventually(lambda: logged.calls)
    assert [(call.args, call.kwargs["reason"]) for call in logged.calls] == [
        (("shift_not_looked_at",), "WRONG_REGISTER")
    ]
    assert desk.asked(CLOSE) == 0
    keeper.close()
