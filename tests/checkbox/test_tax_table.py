"""When the tax table is read, and what becomes of a sale where it cannot be read: against the sandbox."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest
from pydantic import SecretStr

from tests.checkbox.desk import DAY, OLENA, Desk
from tests.system.counter import write
from worker.checkbox.client import CheckboxClient
from worker.checkbox.session import Session
from worker.checkbox.tax_table import CashierTaxes, TaxTables
from worker.checkbox.token import CashierToken
from worker.demo.sandbox_process import SandboxProcess
from worker.fiscal.integrations import Cashier
from worker.fiscal.outcomes import Unavailable
from worker.fiscal.tax_rates import CheckboxTax
from worker.http.circuit_breaker import listening

TAX = "GET /cashier/tax"
SIGN_IN = "POST /cashier/signin"
#: Without a licence key nothing tells the cashier's organization.
ALONE = replace(OLENA, license_key=None)
PETRO = replace(OLENA, id="petro", login="petro", license_key=SecretStr("test-petro"))
ANY_AGE, BELIEVED = math.inf, 5.0


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SandboxProcess]:
    """Two organizations: that of `vasyl`, to which each new cashier belongs, and that of `c0001`."""
    integrations = write(
        tmp_path_factory.mktemp("other") / "integrations.yaml",
        cashiers=[{"id": "vasyl", "login": "vasyl", "password": "olena-secret", "license_key": "test-vasyl"}],
        tax_rates=[{"rate": 20, "code": 80}],
    )
    with SandboxProcess(cashiers=1, integrations=integrations) as process:
        yield process


@pytest.fixture
def desk(running: SandboxProcess) -> Iterator[Desk]:
    with CheckboxClient() as client:
        yield Desk(running, client)


def codes(session: Session, within: float = ANY_AGE) -> set[int] | None:
    taxes = session.taxes(within)
    return None if taxes is None else {tax.code for tax in taxes}


def put_one_tax(desk: Desk, code: int) -> None:
    desk.sandbox.set_organization(
        "olena", taxes=[{"code": code, "label": "ПДВ", "symbol": "А", "rate": 20, "no_vat": False}]
    )


def test_the_table_is_read_once_for_a_token_and_again_after_a_day(desk: Desk) -> None:
    with desk.enter(ALONE) as session:
        usual = codes(session)
        assert usual
        put_one_tax(desk, 77)
        desk.ahead = DAY - 1
        assert codes(session) == usual
        assert desk.asked(TAX) == 1
        desk.ahead = DAY + 1
        assert codes(session) == {77}
        assert desk.asked(TAX) == 2


def test_a_new_token_reads_it_anew(desk: Desk) -> None:
    with desk.enter(ALONE) as session:
        codes(session)
        put_one_tax(desk, 78)
        desk.sandbox.put_cashier("olena", sign_out=True)
        session.shift(DAY)
        assert codes(session) == {78}
    assert desk.asked(TAX) == 2


def test_a_revoked_token_is_renewed_for_the_table(desk: Desk) -> None:
    """Else a sale would go out with a code that nobody has compared."""
    with desk.enter(ALONE) as session:
        session.shift(DAY)
        desk.sandbox.put_cashier("olena", sign_out=True)
        assert codes(session)
    assert desk.sandbox.counters()["sign_ins"]["olena"] == 2


def test_a_table_that_must_be_recent_is_read_anew(desk: Desk) -> None:
    """A person may have mended it five seconds ago."""
    with desk.enter(ALONE) as session:
        codes(session)
        put_one_tax(desk, 79)
        desk.ahead = 4.0
        assert codes(session, BELIEVED) != {79}
        desk.ahead = 6.0
        assert codes(session, BELIEVED) == {79}
    assert desk.asked(TAX) == 2


@pytest.mark.parametrize("status", [401, 402, 403, 404, 500])
def test_a_table_that_cannot_be_read_is_none(desk: Desk, status: int) -> None:
    """Whatever the answer; asked again after some seconds, and the token is renewed for it once at most."""
    desk.sandbox.fault("refused", endpoint=TAX, status=status, words="ні")
    with desk.enter(ALONE) as session:
        for _ in range(3):
            assert codes(session) is None
        asked = desk.asked(TAX)
        assert asked == (2 if status == 401 else 1)
        assert session.shift(DAY) is None
        desk.ahead = 6.0
        assert codes(session) is None
        assert desk.asked(TAX) == asked + 1
        desk.sandbox.clear_faults()
        desk.ahead = 12.0
        assert codes(session)
    assert desk.sandbox.counters()["sign_ins"]["olena"] == (2 if status == 401 else 1)


def test_while_it_cannot_be_read_the_last_one_is_known_and_never_recent(desk: Desk) -> None:
    """What fitted fits; what did not fit is no reason to refuse."""
    with desk.enter(ALONE) as session:
        usual = codes(session)
        desk.sandbox.fault("error_500", endpoint=TAX)
        desk.ahead = DAY + 1
        assert codes(session) == usual
        assert codes(session, BELIEVED) is None


def test_cashiers_of_one_organization_read_it_once(desk: Desk) -> None:
    """Within some seconds, for a new token; a table that must be recent is always the cashier's own."""
    desk.sandbox.put_cashier("petro", password="olena-secret", license_key="test-petro")
    with desk.enter() as session:
        usual = codes(session)
    with desk.enter(PETRO) as session:
        assert codes(session) == usual
        assert desk.asked(TAX) == 1
        desk.ahead = 6.0
        assert codes(session, BELIEVED) == usual
        assert desk.asked(TAX) == 2
    desk.sandbox.put_cashier("maria", password="olena-secret", license_key="test-maria")
    desk.ahead = 12.0
    with desk.enter(replace(OLENA, login="maria", license_key=SecretStr("test-maria"))) as session:
        assert codes(session) == usual
    assert desk.asked(TAX) == 3


def test_another_organizations_table_is_never_taken(desk: Desk) -> None:
    stranger = replace(
        OLENA,
        login="c0001",
        password=SecretStr("secret-c0001"),
        license_key=SecretStr("test-c0001"),
    )
    with desk.enter() as session:
        assert codes(session) == {80}
    with desk.enter(stranger) as session:
        assert codes(session) == {1, 2, 3, 8}


class HangingTable:
    """A client whose tax table never answers; while one cashier waits for it, another one may come."""

    def __init__(self) -> None:
        self.now, self.asked = 0.0, 0
        self.meanwhile: Callable[[], object] = lambda: None

    def sign_in(self, url: str, cashier: Cashier) -> str:
        return "token"

    def taxes(self, url: str, token: str) -> list[CheckboxTax]:
        with listening(lambda: self.now):
            self.asked += 1
            meanwhile, self.meanwhile = self.meanwhile, lambda: None
            meanwhile()
            self.now += 8.0
            raise Unavailable({"reason": "read_timeout"})


def test_a_table_that_hangs_for_all_takes_one_thread_at_most() -> None:
    """Sales go on without it, of all cashiers, and not each after a timeout of its own."""
    client: Any = HangingTable()
    tables = TaxTables(lambda: client.now)
    waiting, other, *few = (
        CashierTaxes(client, "u", CashierToken(client, "u", OLENA, lambda: 0.0), tables, lambda: client.now)
        for _ in range(5)
    )
    assert [each.read(ANY_AGE, lambda: None) for each in few] == [None] * 3
    client.meanwhile = lambda: other.read(ANY_AGE, lambda: None)
    assert waiting.read(ANY_AGE, lambda: None) is None
    assert client.asked == 4
