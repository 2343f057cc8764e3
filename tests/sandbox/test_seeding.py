"""Who there is when the sandbox starts."""

from __future__ import annotations

from decimal import Decimal

from tests.sandbox.driver import Checkbox, line, sale
from worker.sandbox.seeding import Shop, Till, generated, of_shops

SHOPS = (
    Shop(
        "Перша",
        ((5, Decimal(20)), (9, None)),
        (
            Till("anna", "test-anna", password="secret-anna"),
            Till("boris", "test-shared", password="secret-boris"),
            Till("clara", "test-shared", password="x"),
        ),
        has_shifts=True,
    ),
    Shop("Друга", (), (Till("pin", "test-pin", pin_code="1111"),), has_shifts=False),
)


def test_cashiers_of_a_shop_with_shifts_have_a_shift_and_others_have_none() -> None:
    """Cashiers with one licence key share the register, the first has the shift."""
    checkbox = Checkbox(of_shops(SHOPS))
    anna, boris = checkbox.sign_in("anna"), checkbox.sign_in("boris")
    assert checkbox.get("/cashier/shift", anna).body["status"] == "OPENED"
    assert checkbox.get("/cashier/shift", boris).body["status"] == "OPENED"
    cashiers = checkbox.state.cashiers
    assert cashiers["clara"].shift is None
    assert cashiers["clara"].register is cashiers["boris"].register
    assert cashiers["anna"].register is not cashiers["boris"].register
    by_pin = checkbox.post("/cashier/signinPinCode", {"pin_code": "1111"}, license_key="test-pin")
    assert checkbox.get("/cashier/shift", by_pin.body["access_token"]).body is None


def test_taxes_are_those_of_the_integration() -> None:
    """Its codes and rates, no others."""
    checkbox = Checkbox(of_shops(SHOPS))
    anna = checkbox.sign_in("anna")
    taxes = checkbox.get("/cashier/tax", anna).body
    assert [(tax["code"], tax["rate"], tax["no_vat"]) for tax in taxes] == [(5, 20, False), (9, 0, True)]
    assert checkbox.sell(anna, sale(line(good={"tax": [5]}))).status == 201
    assert checkbox.sell(anna, sale(line(good={"tax": [1]}))).status == 400


def test_shifts_may_be_left_to_the_client() -> None:
    """With ``--no-shifts`` nobody has one."""
    checkbox = Checkbox(of_shops(SHOPS, shifts=False))
    assert checkbox.state.shifts == {}


def test_generated_cashiers_are_many() -> None:
    """Each with a register, a shift, the usual taxes and predictable credentials."""
    checkbox = Checkbox(generated(10_000))
    token = checkbox.sign_in("c10000")
    assert checkbox.sell(token, sale(line(good={"tax": [1]}))).status == 201
    assert len(checkbox.state.registers) == len(checkbox.state.shifts) == 10_000
    assert checkbox.get("/tax", license_key="test-c10000").status == 200
