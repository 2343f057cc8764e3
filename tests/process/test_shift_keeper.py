"""Old shifts are closed while no order comes, at the row's own register alone."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from pydantic import SecretStr
from structlog.testing import CapturingLogger

from tests.checkbox.desk import OLENA, Desk
from worker.checkbox.client import CheckboxClient
from worker.demo.sandbox_process import SandboxProcess
from worker.fiscal.integrations import Cashier, ShiftPolicy
from worker.process import shift_keeper
from worker.process.shift_keeper import LOOKS_AT_ONCE, ShiftKeeper

CLOSE = "POST /shifts/close"
LOOK = "GET /cashier/shift"


@pytest.fixture
def desk(sandbox: SandboxProcess) -> Iterator[Desk]:
    with CheckboxClient() as client:
        yield Desk(sandbox, client)


@pytest.fixture
def logged(monkeypatch: pytest.MonkeyPatch) -> CapturingLogger:
    capturing = CapturingLogger()
    monkeypatch.setattr(shift_keeper, "_log", capturing)
    return capturing


def keep(desk: Desk, *rows: Cashier) -> ShiftKeeper:
    """A keeper that has begun its first looks at these cashiers."""
    cashiers = {row.id: row for row in rows}
    integration = replace(desk.integration, shifts=ShiftPolicy.AUTO, cashiers=cashiers)
    keeper = ShiftKeeper(lambda: {integration.id: integration}, desk.sessions)
    keeper.work(lambda: None)
    return keeper


def test_an_old_shift_at_the_rows_register_is_closed(
    desk: Desk, eventually: Callable[..., Any], logged: CapturingLogger
) -> None:
    """23 hours are over, and nobody sells."""
    desk.opened(hours_ago=23.1)
    keep(desk, OLENA)
    eventually(lambda: [call.args for call in logged.calls] == [("shift_rolled_over",)])
    assert desk.asked(CLOSE) == 1


def test_an_old_shift_at_another_register_is_left_alone(
    desk: Desk, eventually: Callable[..., Any], logged: CapturingLogger
) -> None:
    """The licence key is of another register: the log says so, as the orders do."""
    desk.opened(hours_ago=23.1)
    keep(desk, replace(OLENA, license_key=SecretStr("test-c0001")))
    eventually(lambda: logged.calls)
    assert [(call.args, call.kwargs["reason"]) for call in logged.calls] == [
        (("shift_not_looked_at",), "WRONG_REGISTER")
    ]
    assert desk.asked(CLOSE) == 0


def test_shifts_nearest_to_their_end_come_first(desk: Desk, eventually: Callable[..., Any]) -> None:
    """As many as are looked at side by side; a cashier who did not answer comes after all others."""
    names = [f"c{number}" for number in range(LOOKS_AT_ONCE)]
    for number, name in enumerate(names):
        desk.sandbox.put_cashier(name, password=f"{name}-secret", license_key=f"test-{name}")
        opened_at = datetime.fromtimestamp(desk.began - 3600 * (number + 1), UTC)
        desk.sandbox.open_shift(name, opened_at.isoformat())
    desk.sandbox.fault("gateway_json", cashier=names[-1], endpoint=LOOK, status=503)
    rows = [
        replace(OLENA, id=one, login=one, password=SecretStr(f"{one}-secret"), license_key=None)
        for one in names
    ]

    def order() -> list[str]:
        asked = desk.asked(LOOK)
        keeper = keep(desk, *rows)
        eventually(lambda: desk.asked(LOOK) == asked + len(names))
        return [cashier for _, cashier in keeper.next(time.monotonic() + 1000)]

    # Right after the last answer a look may not be noted yet: then once more.
    eventually(lambda: order() == [*reversed(names[:-1]), names[-1]])
