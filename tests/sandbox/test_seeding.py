"""Who there is when the sandbox starts."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.sandbox.driver import Checkbox, line, sale
from worker.sandbox.seeding import from_integrations, generated

FILE = """
integrations:
  - id: first
    name: Перша
    shifts: manual
    cashiers:
      - {id: a, login: anna, password: "env:ANNA_PASSWORD"}
      - {id: b, login: boris, password: "file:%s", license_key: test-shared}
      - {id: c, login: clara, password: x, license_key: test-shared}
    tax_rates:
      - {rate: 20, code: 5}
      - {rate: not_accountable, code: 9}
  - id: second
    name: Друга
    shifts: auto
    cashiers:
      - {id: pin, pin_code: "1111", license_key: test-pin}
"""


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("ANNA_PASSWORD", "secret-anna")
    secret = tmp_path / "secret"
    secret.write_text("secret-boris\n")
    file = tmp_path / "integrations.yaml"
    file.write_text(FILE % secret, encoding="utf-8")
    return file


def test_manual_cashiers_of_the_file_have_a_shift_and_auto_ones_have_none(path: Path) -> None:
    """Secrets are resolved; cashiers with one licence key share the register, the first has the shift."""
    checkbox = Checkbox(from_integrations(path))
    anna, boris = checkbox.sign_in("anna"), checkbox.sign_in("boris")
    assert checkbox.get("/cashier/shift", anna).body["status"] == "OPENED"
    assert checkbox.get("/cashier/shift", boris).body["status"] == "OPENED"
    cashiers = checkbox.state.cashiers
    assert cashiers["clara"].shift is None
    assert cashiers["clara"].register is cashiers["boris"].register
    assert cashiers["anna"].register is not cashiers["boris"].register
    by_pin = checkbox.post("/cashier/signinPinCode", {"pin_code": "1111"}, license_key="test-pin")
    assert checkbox.get("/cashier/shift", by_pin.body["access_token"]).body is None


def test_taxes_are_those_of_the_integration(path: Path) -> None:
    """Its codes and rates, no others."""
    checkbox = Checkbox(from_integrations(path))
    anna = checkbox.sign_in("anna")
    taxes = checkbox.get("/cashier/tax", anna).body
    assert [(tax["code"], tax["rate"], tax["no_vat"]) for tax in taxes] == [(5, 20, False), (9, 0, True)]
    assert checkbox.sell(anna, sale(line(good={"tax": [5]}))).status == 201
    assert checkbox.sell(anna, sale(line(good={"tax": [1]}))).status == 400


def test_shifts_may_be_left_to_the_client(path: Path) -> None:
    """With ``--no-shifts`` nobody has one."""
    checkbox = Checkbox(from_integrations(path, shifts=False))
    assert checkbox.state.shifts == {}


def test_a_missing_secret_is_told(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """By the name of the variable."""
    monkeypatch.delenv("ANNA_PASSWORD")
    with pytest.raises(ValueError, match="ANNA_PASSWORD"):
        Checkbox(from_integrations(path))


def test_generated_cashiers_are_many() -> None:
    """Each with a register, a shift, the usual taxes and predictable credentials."""
    checkbox = Checkbox(generated(10_000))
    token = checkbox.sign_in("c10000")
    assert checkbox.sell(token, sale(line(good={"tax": [1]}))).status == 201
    assert len(checkbox.state.registers) == len(checkbox.state.shifts) == 10_000
    assert checkbox.get("/tax", license_key="test-c10000").status == 200
