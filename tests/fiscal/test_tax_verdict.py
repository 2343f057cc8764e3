"""A code of the integration's table that has another percent at Checkbox sells nothing."""

from __future__ import annotations

import math
from decimal import Decimal
from typing import Any

import pytest

from tests.builders import a_line, a_tax, an_integration, an_order
from tests.fiscal.fakes import FakeCheckbox, FakeSession
from worker.fiscal.order import Order, Vat
from worker.fiscal.outcomes import Code, Rejected
from worker.fiscal.tax_rates import CheckboxTax, TaxRates
from worker.fiscal.tax_verdict import check_taxes

#: 20 is mapped to 1, 7 to 2, 0 to 3, and not_accountable to 8.
TABLE = an_integration().tax_rates
NOT_ACCOUNTABLE = Vat(Decimal(0), not_accountable=True)
USUAL = [a_tax(1, 20), a_tax(2, 7), a_tax(3, 0), a_tax(8, 0, no_vat=True)]


def vat(percent: str) -> Vat:
    return Vat(Decimal(percent), not_accountable=False)


def order(**goods: Vat | None) -> Order:
    return an_order(lines=tuple(a_line(code=code, vat=rate) for code, rate in goods.items()))


def verdict(taxes: list[CheckboxTax] | None, sold: Order, table: TaxRates = TABLE) -> dict[str, Any] | None:
    """The detail of the refusal; None where the order may be sold."""
    try:
        check_taxes(FakeSession(FakeCheckbox(taxes=taxes)), table, sold)
    except Rejected as refusal:
        return dict(refusal.detail) if refusal.code is Code.TAX_RATE_MISMATCH else {"code": refusal.code}
    return None


def test_what_fits_is_sold() -> None:
    """Compared as numbers; a line without a tax has no code."""
    sold = order(a=vat("20.00"), b=vat("7.0"), c=vat("0"), d=NOT_ACCOUNTABLE, e=None)
    assert verdict(USUAL, sold) is None


@pytest.mark.parametrize(
    ("taxes", "expected"),
    [
        (
            [a_tax(1, 7), a_tax(5, 20)],
            {"rate": "20", "code": 1, "checkboxRate": "7", "fittingCode": 5, "goods": ["a", "c"]},
        ),
        (
            [a_tax(1, "7.50")],
            {"rate": "20", "code": 1, "checkboxRate": "7.5", "fittingCode": None, "goods": ["a", "c"]},
        ),
        ([], {"rate": "20", "code": 1, "checkboxRate": None, "fittingCode": None, "goods": ["a", "c"]}),
    ],
    ids=["another percent", "no code for the rate", "an unknown code"],
)
def test_another_percent_or_none_sells_nothing(taxes: list[CheckboxTax], expected: dict[str, Any]) -> None:
    """All goods of the first rate that does not fit are named, each once."""
    assert verdict(taxes, order(a=vat("20"), b=vat("7"), c=vat("20.0"))) == expected


def test_not_accountable_is_compared_as_0() -> None:
    """Whether the code is «без ПДВ» is a finding, and stops no sale."""
    assert verdict([a_tax(8, 0)], order(a=NOT_ACCOUNTABLE)) is None
    found = verdict([a_tax(8, 20), a_tax(3, 0), a_tax(9, 0, no_vat=True)], order(a=NOT_ACCOUNTABLE))
    assert found == {
        "rate": "not_accountable",
        "code": 8,
        "checkboxRate": "20",
        "fittingCode": 9,
        "goods": ["a"],
    }


def test_of_several_fitting_codes_the_plain_one_is_named() -> None:
    """One with excise, or one that means something else, only where there is no other."""
    excise = a_tax(4, 20, extra_rate=Decimal(5))
    found = verdict([a_tax(1, 7), excise, a_tax(6, 20), a_tax(5, 20)], order(a=vat("20")))
    assert found is not None
    assert found["fittingCode"] == 5
    found = verdict([a_tax(1, 7), excise], order(a=vat("20")))
    assert found is not None
    assert found["fittingCode"] == 4


@pytest.mark.parametrize("taxes", [None, [a_tax(1, None)]], ids=["no table", "no percent"])
def test_what_cannot_be_read_stops_no_sale(taxes: list[CheckboxTax] | None) -> None:
    assert verdict(taxes, order(a=vat("20"))) is None


def test_a_misfit_is_believed_only_from_a_table_that_was_just_read() -> None:
    """What fits is believed for longer, so that a sale costs no read."""
    fits, fits_not = FakeCheckbox(taxes=USUAL), FakeCheckbox(taxes=[a_tax(1, 7)])
    check_taxes(FakeSession(fits), TABLE, order(a=vat("20")))
    assert fits.taxes_within == [math.inf]
    with pytest.raises(Rejected):
        check_taxes(FakeSession(fits_not), TABLE, order(a=vat("20")))
    assert fits_not.taxes_within == [math.inf, 5.0]


def test_an_order_without_taxes_asks_nobody() -> None:
    checkbox = FakeCheckbox(taxes=[])
    check_taxes(FakeSession(checkbox), TABLE, order(a=None))
    assert checkbox.taxes_within == []
