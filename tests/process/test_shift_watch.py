"""The metric of a shift tells of what is there, also where no order comes to show it."""

from __future__ import annotations

import math
import threading
from collections.abc import Iterator
from dataclasses import replace

import pytest
from prometheus_client import REGISTRY

from tests.checkbox.desk import OLENA, Desk
from worker.checkbox.client import CheckboxClient
from worker.demo.sandbox_process import SandboxProcess
from worker.fiscal.integrations import Integration
from worker.process.shift_watch import ShiftWatch

HOUR = 3600.0
SHIFT = "GET /cashier/shift"


@pytest.fixture
def desk(sandbox: SandboxProcess) -> Iterator[Desk]:
    with CheckboxClient() as client:
        yield Desk(sandbox, client)


def shown(integration: Integration) -> float | None:
    labels = {"integration": integration.id, "cashier": OLENA.id}
    return REGISTRY.get_sample_value("fiscal_shift_opened_timestamp_seconds", labels)


def test_a_shift_that_was_closed_unseen_is_shown_no_more(desk: Desk) -> None:
    """It is looked at when it would soon be a day old, and not before."""
    integration = replace(desk.integration, cashiers={OLENA.id: OLENA})
    configured = {integration.id: integration}
    watch = ShiftWatch(lambda: configured, desk.sessions)
    desk.opened(hours_ago=1)
    with desk.sessions.enter(integration, OLENA) as session:
        session.shift(24 * HOUR)
    opened_at = shown(integration)
    assert opened_at == pytest.approx(desk.began - HOUR, abs=1)
    desk.ahead = 21 * HOUR
    watch.look(threading.Event(), lambda: None)
    assert desk.asked(SHIFT) == 1
    desk.ahead = 22 * HOUR
    watch.look(threading.Event(), lambda: None)
    assert desk.asked(SHIFT) == 2
    assert shown(integration) == opened_at
    desk.sandbox.close_shift("olena")
    desk.ahead += 300
    watch.look(threading.Event(), lambda: None)
    assert math.isnan(shown(integration) or 0)
    desk.ahead += 300
    watch.look(threading.Event(), lambda: None)
    assert desk.asked(SHIFT) == 3


def test_a_cashier_that_is_not_configured_any_more_is_not_shown(desk: Desk) -> None:
    """Nobody would look at that shift again, and its alarm would stay for ever."""
    integration = replace(desk.integration, cashiers={OLENA.id: OLENA})
    desk.opened(hours_ago=23)
    with desk.sessions.enter(integration, OLENA) as session:
        session.shift(24 * HOUR)
    assert not math.isnan(shown(integration) or math.nan)
    ShiftWatch(dict, desk.sessions).look(threading.Event(), lambda: None)
    assert math.isnan(shown(integration) or 0)
    assert desk.asked(SHIFT) == 1
