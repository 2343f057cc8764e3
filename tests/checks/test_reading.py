"""What the checks read of a cashier row, and what of it is found: against the sandbox."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pydantic import SecretStr

from tests.checkbox.desk import DAY, OLENA, Desk
from tests.system.shop import CONTRACT
from worker.checkbox.client import CheckboxClient
from worker.checks.cashier import Row, check_cashier
from worker.checks.reading import Seen, read_row
from worker.demo.sandbox_process import SandboxProcess
from worker.fiscal.integrations import Environment
from worker.process.running_tokens import RunningTokens

SIGNATURE = "GET /cashier/check-signature"
#: Everything that a test sets in the portal, as it was.
WELL: dict[str, Any] = {
    "cashier": {"blocked": None, "certificate_end": None, "can_open_shift": True, "signature_online": True},
    "organization": {"is_vat": None, "subscription_end": None, "date_to_block": None, "blocked": False},
    "register": {"is_test": True, "offline_for": 0, "offline_codes": 2000},
}


@pytest.fixture(scope="module")
def running() -> Iterator[SandboxProcess]:
    with SandboxProcess(integrations=CONTRACT / "integrations.yaml", shifts=False) as process:
        yield process


@pytest.fixture(scope="module")
def client() -> Iterator[CheckboxClient]:
    with CheckboxClient() as one:
        yield one


@pytest.fixture
def desk(running: SandboxProcess, client: CheckboxClient) -> Desk:
    desk = Desk(running, client)
    running.put_cashier("olena", **WELL["cashier"])
    return desk


def row(desk: Desk, **changes: Any) -> Row:
    integration = replace(desk.integration, environment=Environment.TEST)
    return Row(integration, replace(OLENA, **changes), "/cashiers/0")


def read(desk: Desk, client: CheckboxClient, one: Row) -> Seen:
    return read_row(
        client, one.integration, one.cashier, RunningTokens(desk.sessions, one.integration, one.cashier)
    )


def codes(desk: Desk, client: CheckboxClient, one: Row | None = None) -> set[str]:
    one = one or row(desk)
    return {found.code.value for found in check_cashier(one, read(desk, client, one), time.time())}


def test_all_of_a_sound_row_is_read(desk: Desk, client: CheckboxClient) -> None:
    """With one sign-in for two checks: the token is the session's."""
    desk.opened(hours_ago=1)
    for _ in range(2):
        seen = read(desk, client, row(desk))
    assert codes(desk, client) == set()
    assert seen.unanswered is None
    assert seen.register is not None
    assert seen.me is not None
    assert seen.register.organization_id == seen.me.organization_id is not None
    assert seen.shift is not None
    assert seen.taxes
    assert seen.signature is not None
    assert seen.offline_time is not None
    assert (seen.offline_time.session, seen.offline_time.month) == (0, 0)
    assert seen.offline_codes is not None
    assert seen.offline_codes.available == 2000
    assert desk.sandbox.counters()["sign_ins"]["olena"] == 1


def test_a_revoked_token_is_renewed(desk: Desk, client: CheckboxClient) -> None:
    read(desk, client, row(desk))
    desk.sandbox.put_cashier("olena", sign_out=True)
    assert read(desk, client, row(desk)).me is not None
    assert desk.sandbox.counters()["sign_ins"]["olena"] == 2


def days(count: float) -> str:
    return (datetime.now(UTC) + timedelta(days=count)).isoformat()


@pytest.mark.parametrize(
    ("cashier", "expected"),
    [
        ({"certificate_end": days(-1), "can_open_shift": False}, {"KEY_EXPIRED", "KEY_CANNOT_SIGN"}),
        ({"certificate_end": days(10)}, {"KEY_EXPIRES"}),
        ({"blocked": "2026-01-01T00:00:00+00:00"}, {"CASHIER_BLOCKED"}),
        ({"signature_online": False}, {"KEY_OFFLINE"}),
        ({"signature_type": "CLOUD_SIGNATURE_3"}, {"WRONG_ENVIRONMENT"}),
    ],
    ids=["ended", "ends_soon", "blocked", "offline", "of_another_kind"],
)
def test_what_a_person_set_for_the_cashier(
    desk: Desk, client: CheckboxClient, cashier: dict[str, Any], expected: set[str]
) -> None:
    desk.sandbox.put_cashier("olena", **cashier)
    assert codes(desk, client) == expected


@pytest.mark.parametrize(
    ("register", "expected"),
    [
        ({"is_test": False}, {"WRONG_ENVIRONMENT"}),
        ({"offline_for": 3600}, {"REGISTER_OFFLINE"}),
        ({"offline_for": 90_000}, {"REGISTER_OFFLINE", "OFFLINE_HOURS"}),
        ({"offline_codes": 10}, {"OFFLINE_CODES_LOW"}),
    ],
    ids=["live", "offline", "offline_for_long", "few_codes"],
)
def test_what_the_register_is_like(
    desk: Desk, client: CheckboxClient, register: dict[str, Any], expected: set[str]
) -> None:
    desk.sandbox.set_register("olena", **register)
    assert codes(desk, client) == expected


def test_secrets_that_are_wrong(desk: Desk, client: CheckboxClient) -> None:
    """The other of the two is looked at all the same."""
    assert codes(desk, client, row(desk, license_key=SecretStr("test-nobody"))) == {"LICENSE_KEY_REFUSED"}
    wrong = row(desk, password=SecretStr("wrong"))
    assert codes(desk, client, wrong) == {"SIGN_IN_REFUSED"}
    assert read(desk, client, wrong).register is not None


def test_a_licence_key_of_another_register(desk: Desk, client: CheckboxClient) -> None:
    desk.sandbox.put_cashier("petro", password="olena-secret", license_key="test-petro")
    desk.opened(hours_ago=1)
    assert codes(desk, client, row(desk, license_key=SecretStr("test-petro"))) == {"WRONG_REGISTER"}


def test_a_licence_key_of_another_organization(desk: Desk, client: CheckboxClient) -> None:
    """Maria's register is another shop's. The shift that olena has is at her own register then."""
    mixed = row(desk, license_key=SecretStr("test-maria"))
    seen = read(desk, client, mixed)
    assert seen.me is not None
    assert seen.register is not None
    assert None not in (seen.me.organization_id, seen.register.organization_id)
    assert codes(desk, client, mixed) == {"OTHER_ORGANIZATION"}
    desk.opened(hours_ago=1)
    assert codes(desk, client, mixed) == {"OTHER_ORGANIZATION", "WRONG_REGISTER"}


def test_a_service_that_ended_is_told_by_its_refusal(desk: Desk, client: CheckboxClient) -> None:
    desk.sandbox.fault("subscription_ended", endpoint="GET /cashier/me")
    assert read(desk, client, row(desk)).service_refused == "Підписка скінчилася"


def test_the_dates_of_the_organization(desk: Desk, client: CheckboxClient) -> None:
    """The subscription lasts to the end of its day in Kyiv; a debt stops at the beginning of its day."""
    desk.sandbox.set_organization("olena", subscription_end="2026-12-31", date_to_block="2026-12-31")
    seen = read(desk, client, row(desk))
    desk.sandbox.set_organization("olena", **WELL["organization"])
    assert seen.me is not None
    assert seen.me.subscription_end == datetime(2026, 12, 31, 22, tzinfo=UTC).timestamp()
    assert seen.block_date == datetime(2026, 12, 30, 22, tzinfo=UTC).timestamp()


def test_what_checkbox_does_not_answer_ends_the_check(desk: Desk, client: CheckboxClient) -> None:
    desk.sandbox.fault("error_500", endpoint=SIGNATURE)
    asked = desk.asked("GET /cashier/tax")
    assert codes(desk, client) == {"NOT_CHECKED"}
    assert desk.asked("GET /cashier/tax") == asked


def test_a_check_that_hangs_holds_back_no_sale(desk: Desk, client: CheckboxClient) -> None:
    """The session is free while Checkbox is asked, and no circuit opens for the cashier."""
    desk.sandbox.fault("delay", endpoint=SIGNATURE, seconds=1.5)
    asked = desk.asked(SIGNATURE)
    check = threading.Thread(target=read, args=(desk, client, row(desk)))
    check.start()
    while desk.asked("GET /cashier/me") == 0:
        time.sleep(0.01)
    with desk.enter() as session:
        assert session.shift(DAY) is None
    assert check.is_alive()
    check.join()
    assert desk.asked(SIGNATURE) == asked + 1
    with desk.enter() as session:
        assert session.token()
