"""The integrations file becomes integrations."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from uuid import UUID

import pytest

from tests.config.conftest import DEFAULT_URL, Read
from worker.fiscal.integrations import CashRounding, Environment, ShiftPolicy
from worker.fiscal.order import Vat

FULL = """\
integrations:
  - id: shop-main                    # data.integration
    name: ФОП Приклад
    company: "000001398"
    environment: test
    prepayments: true
    checkbox_url: null               # overrides FISCAL_CHECKBOX_URL
    cash_rounding: none
    shifts: manual                   # manual: people open and close them in Checkbox; auto: the worker does
    rollover_after: PT23H
    cashiers:
      - id: olena                    # data.cashier
        name: Каса 1
        employee: e0000000-0001-4000-8000-000000000001
        login: olena                 # or pin_code, which needs license_key
        password: env:OLENA_PASSWORD # a literal, env:NAME, or file:/path
        license_key: null            # the register; needed for shifts: auto
    tax_rates:
      - {rate: 20, code: 1}          # percent in Bimp -> code in Checkbox
      - {rate: 7, code: 2}
      - {rate: 0, code: 3}
      - {rate: not_accountable, code: 8}
"""


def test_all_keys_of_the_contract(read: Read) -> None:
    """The contract's own example gives the integration that it describes."""
    loaded = read(FULL, {"OLENA_PASSWORD": "olena-secret"})
    assert loaded.warnings == []
    (shop,) = loaded.integrations.values()
    assert (shop.id, shop.name, shop.checkbox_url) == ("shop-main", "ФОП Приклад", DEFAULT_URL)
    assert (shop.company, shop.environment, shop.prepayments) == ("000001398", Environment.TEST, True)
    assert (shop.cash_rounding, shop.shifts) == (CashRounding.NONE, ShiftPolicy.MANUAL)
    assert shop.rollover_after == timedelta(hours=23)
    (olena,) = shop.cashiers.values()
    assert (olena.id, olena.name, olena.login) == ("olena", "Каса 1", "olena")
    assert olena.employee == UUID("e0000000-0001-4000-8000-000000000001")
    assert olena.password is not None
    assert olena.password.get_secret_value() == "olena-secret"
    assert (olena.pin_code, olena.license_key) == (None, None)
    assert dict(shop.tax_rates.codes) == {Decimal(20): 1, Decimal(7): 2, Decimal(0): 3}
    assert shop.tax_rates.not_accountable == 8
    assert "olena-secret" not in repr(loaded)


def test_a_companys_code_keeps_its_zeros(read: Read) -> None:
    """Quoted or not: it is compared with a message's source as text."""
    for written in ('"000001398"', "000001398"):
        loaded = read(f"integrations: [{{id: a, company: {written}}}]")
        integration = loaded.integrations["a"]
        assert integration.company == "000001398"
        assert not integration.is_foreign("/companies/000001398")
        assert integration.is_foreign("/companies/1398")


def test_flow_style(read: Read) -> None:
    """Rows in one line, each with its braces, are read like the long ones."""
    loaded = read(
        """\
integrations:
  - id: shop-main
    name: ФОП Приклад
    shifts: manual
    cashiers:
      - {id: olena, name: Каса 1, employee: e0000000-0001-4000-8000-000000000001, login: olena, password: o}
      - {id: petro, name: Каса 2, employee: e0000000-0002-4000-8000-000000000001, login: petro, password: p}
    tax_rates:
      - {rate: 20, code: 1}
"""
    )
    assert list(loaded.integrations["shop-main"].cashiers) == ["olena", "petro"]


def test_auto_shifts(read: Read) -> None:
    """Everything that an integration may set itself is taken."""
    loaded = read(
        """\
integrations:
  - id: auto
    checkbox_url: http://127.0.0.1:8000/
    cash_rounding: ROUND_50
    shifts: auto
    rollover_after: PT1H
    cashiers: [{id: robot, pin_code: 0123, license_key: key}]
"""
    )
    auto = loaded.integrations["auto"]
    assert (auto.name, auto.checkbox_url) == ("auto", "http://127.0.0.1:8000")
    assert (auto.company, auto.environment, auto.prepayments) == (None, Environment.LIVE, False)
    assert (auto.cash_rounding, auto.shifts) == (CashRounding.ROUND_50, ShiftPolicy.AUTO)
    assert auto.rollover_after == timedelta(hours=1)
    assert auto.cashiers["robot"].name == "robot"
    assert auto.tax_rates.code_for(Vat(Decimal(20), not_accountable=False)) is None


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("0123", "0123"),
        ("1_000", "1_000"),
        ("1e3", "1e3"),
        ("0x1F", "0x1F"),
        ("12:30", "12:30"),
        ("yes", "yes"),
        ("true", "true"),
        ("2026-01-01", "2026-01-01"),
        ("'null'", "null"),
        ("'*star'", "*star"),
        ("!!str 0123", "0123"),
        ('"a\\tb"', "a\tb"),
        ("тест", "тест"),
    ],
)
def test_texts_are_taken_as_written(read: Read, written: str, meant: str) -> None:
    """No text turns into a number, a boolean or a date on the way."""
    loaded = read(f"integrations: [{{id: a, cashiers: [{{id: b, login: {written}, password: {written}}}]}}]")
    cashier = loaded.integrations["a"].cashiers["b"]
    assert cashier.login == meant
    assert cashier.password is not None
    assert cashier.password.get_secret_value() == meant


@pytest.mark.parametrize("rate", ["7", "7.0", "7.000", "07", "'7.00'"])
def test_rates_are_numbers(read: Read, rate: str) -> None:
    """However a rate is written, it is found by its value."""
    loaded = read(f"integrations: [{{id: a, tax_rates: [{{rate: {rate}, code: 2}}]}}]")
    rates = loaded.integrations["a"].tax_rates
    assert rates.code_for(Vat(Decimal("7.0"), not_accountable=False)) == 2


def test_secrets_from_files(read: Read, tmp_path: Path) -> None:
    """A file's content is the secret, without one newline at its end and with everything else."""
    (tmp_path / "a").write_bytes(b" pass word \n\n")
    (tmp_path / "b").write_bytes(b"012345\r\n")
    (tmp_path / "c").write_bytes("ключ".encode())
    loaded = read(
        f"""\
integrations:
  - id: a
    cashiers:
      - {{id: a, login: env:LOGIN, password: file:{tmp_path}/a}}
      - {{id: b, pin_code: file:{tmp_path}/b, license_key: env:KEY}}
      - {{id: c, login: c, password: file:{tmp_path}/c}}
""",
        {"LOGIN": "olena", "KEY": "key"},
    )
    a, b, c = loaded.integrations["a"].cashiers.values()
    assert a.login == "olena"
    secrets = [a.password, b.pin_code, b.license_key, c.password]
    assert [s and s.get_secret_value() for s in secrets] == [" pass word \n", "012345", "key", "ключ"]


def test_aliases(read: Read) -> None:
    """A table of rates that is written once may be used by several integrations, and is kept once."""
    loaded = read("integrations: [{id: a, tax_rates: &r [{rate: 20, code: 1}]}, {id: b, tax_rates: *r}]")
    assert loaded.integrations["b"].tax_rates.codes == {Decimal(20): 1}
    assert loaded.integrations["a"].tax_rates is loaded.integrations["b"].tax_rates


def test_nothing_can_be_changed(read: Read) -> None:
    """What was loaded cannot be changed by those who use it."""
    integrations = read(FULL, {"OLENA_PASSWORD": "p"}).integrations
    shop = integrations["shop-main"]
    for mapping in (integrations, shop.cashiers, shop.tax_rates.codes):
        with pytest.raises(TypeError):
            mapping["x"] = None  # type: ignore[index]


def test_warnings(read: Read) -> None:
    """Two cashiers of one login, and an integration without cashiers, are lines and no obstacle."""
    loaded = read(
        """\
integrations:
  - id: a
    cashiers:
      - {id: one, login: olena, password: p}
      - {id: two, login: olena, password: p}
  - id: b
    checkbox_url: https://other.checkbox.ua
    cashiers:
      - {id: one, login: olena, password: p}
  - id: c
    cashiers:
      - {id: one, login: olena, password: p}
  - id: d
"""
    )
    shared = "integrations[0].cashiers[0] too; a cashier of Checkbox has one shift, so they share it"
    assert loaded.warnings == [
        f"integrations.yaml:2:5: integrations[0].cashiers[1].login: is the login of {shared}",
        f"integrations.yaml:10:5: integrations[2].cashiers[0].login: is the login of {shared}",
        "integrations.yaml:13:5: integrations[3].cashiers: lists none, so that every order is"
        " UNKNOWN_CASHIER",
    ]


def test_no_integrations(read: Read) -> None:
    """An empty list is a file that can be used, with a warning."""
    assert read("integrations: []").warnings == [
        "integrations.yaml: integrations: lists none, so that every order is UNKNOWN_INTEGRATION"
    ]
