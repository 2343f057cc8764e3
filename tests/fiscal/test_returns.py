"""No more is returned than was sold, counted in the order's own units; and the sale's taxes come back."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from tests.builders import FIRST_SEEN, VAT_20, a_line, a_request, an_integration, an_order, issued
from worker.fiscal.order import Operation, OrderLine, Vat
from worker.fiscal.outcomes import IssuedReceipt, IssuedTax
from worker.fiscal.planner import plan
from worker.fiscal.returns import excess, is_full, tax_codes
from worker.fiscal.tax_rates import TaxRates

SHIRTS = a_line()
HALF = a_line(count=1_000, discount=1_500, amount=13_500)
CHEESE = a_line(code="KG", count=375, cost=2_400_000, discount=0, amount=9_000)
TABLE = an_integration().tax_rates


def made_of(*lines: OrderLine, operation: Operation = Operation.SELL, **changes: Any) -> IssuedReceipt:
    order = an_order(*lines, **changes)
    receipt = plan(a_request(order=order, operation=operation), an_integration(), FIRST_SEEN).receipt
    return issued(receipt, is_return=operation is Operation.RETURN)


def returned(*lines: OrderLine) -> IssuedReceipt:
    return made_of(*lines, operation=Operation.RETURN)


def test_all_or_a_part_of_a_sale_can_be_returned() -> None:
    """Up to what was sold, at once or in parts."""
    assert excess(an_order(SHIRTS), made_of(SHIRTS), ()) is None
    assert excess(an_order(HALF), made_of(SHIRTS), ()) is None
    assert excess(an_order(HALF), made_of(SHIRTS), [returned(HALF)]) is None


def test_earlier_returns_add_up() -> None:
    """Three halves are more than the whole."""
    detail = excess(an_order(HALF), made_of(SHIRTS), [returned(HALF)] * 2)
    assert detail is not None
    assert (detail["sold"], detail["returned"]) == ("270.00", "405.00")
    assert detail["codes"] == [
        {
            "code": "00017",
            "soldAmount": "270.00",
            "soldQuantity": "2",
            "returnedAmount": "405.00",
            "returnedQuantity": "3",
        }
    ]


def test_goods_that_were_not_sold_cannot_be_returned() -> None:
    """The money alone does not make a return."""
    assert excess(an_order(CHEESE), made_of(SHIRTS), ()) is not None


def test_more_pieces_for_the_same_money_are_too_many() -> None:
    """2 were sold: 3 at a lower price are one too many."""
    three = a_line(count=3_000, cost=900_000, discount=0, amount=27_000)
    assert excess(an_order(three), made_of(SHIRTS), ()) is not None


def test_one_piece_comes_back_once() -> None:
    """Sold for 100, returned for 50 twice: that would be two pieces."""
    piece = a_line(count=1_000, cost=1_000_000, discount=0, amount=10_000)
    cheaper = replace(piece, cost=500_000, amount=5_000)
    assert excess(an_order(cheaper), made_of(piece), ()) is None
    assert excess(an_order(cheaper), made_of(piece), [returned(cheaper)]) is not None


def test_a_weighed_line_comes_back_in_parts() -> None:
    """0.5 of 33.34 went out as one unit of 16.67; 0.25 and 0.25 are all of it."""
    sold = a_line(code="KG", unit="кг", count=500, cost=333_400, discount=0, amount=1_667)
    quarter, rest = replace(sold, count=250, amount=834), replace(sold, count=250, amount=833)
    assert excess(an_order(quarter), made_of(sold), ()) is None
    assert excess(an_order(rest), made_of(sold), [returned(quarter)]) is None
    assert excess(an_order(rest), made_of(sold), [returned(quarter), returned(rest)]) is not None


def test_four_halves_are_two() -> None:
    """2 of 33.33 are whole units on the sale's receipt, halves of them are not on the returns'."""
    sold = a_line(code="FR", count=2_000, cost=333_300, discount=0, amount=6_666)
    more, less = (replace(sold, count=500, amount=amount) for amount in (1_667, 1_666))
    earlier = [returned(more), returned(less), returned(more)]
    assert excess(an_order(less), made_of(sold), earlier) is None
    assert excess(an_order(less), made_of(sold), [*earlier, returned(less)]) is not None


@pytest.mark.parametrize("unit", [None, "шт", "кор. (12)", "пара x 2"])
def test_the_count_is_read_back_whatever_the_unit(unit: str | None) -> None:
    """2.5 of 33.33 stand as one of 83.33; two of them leave half of one."""
    cloth = a_line(code="FR", unit=unit, count=2_500, cost=333_300, discount=0, amount=8_333)
    two, half = replace(cloth, count=2_000, amount=6_666), replace(cloth, count=500, amount=1_667)
    assert excess(an_order(half), made_of(cloth), [returned(two)]) is None
    assert excess(an_order(two), made_of(cloth), [returned(two)]) is not None


def test_a_name_that_ends_like_a_count_is_no_count() -> None:
    """It does not explain the price of its one piece."""
    odd = a_line(name="Набір (20 x 15.50)", count=1_000, cost=1_000_000, discount=0, amount=10_000)
    assert excess(an_order(odd), made_of(odd), ()) is None
    assert excess(an_order(odd), made_of(odd), [returned(odd)]) is not None
    halves = a_line(name="Набір", count=2_000, cost=500_000, discount=0, amount=10_000)
    assert excess(an_order(halves), made_of(odd), ()) is not None


def test_no_more_comes_back_than_was_paid_after_the_orders_discount() -> None:
    """A discount on the whole order lowers what can be returned."""
    sold = made_of(SHIRTS, discount=2_000)
    assert excess(an_order(SHIRTS), sold, ()) is not None
    assert excess(an_order(SHIRTS, discount=2_000), sold, ()) is None


def test_a_code_on_several_lines_counts_together() -> None:
    """Two lines of one code are one stock to return from."""
    four = a_line(count=4_000, discount=6_000, amount=54_000)
    assert excess(an_order(four), made_of(SHIRTS, SHIRTS), ()) is None


def test_what_costs_nothing_is_not_counted() -> None:
    """A gift is not on the sale's receipt, and comes back with the rest."""
    gift = replace(CHEESE, cost=0, amount=0)
    assert excess(an_order(SHIRTS, gift), made_of(SHIRTS, gift), ()) is None


def test_a_sale_whose_lines_cannot_be_read_counts_by_its_total() -> None:
    """What is not shown stands in no return's way, but for the money."""
    unreadable = replace(made_of(SHIRTS), lines=())
    assert excess(an_order(SHIRTS), unreadable, ()) is None
    assert excess(an_order(SHIRTS, CHEESE), unreadable, ()) is not None


def test_full_is_what_comes_to_the_sales_total() -> None:
    """A sale that was refused is none."""
    sale = made_of(SHIRTS)
    assert not is_full(sale, [returned(HALF)])
    assert is_full(sale, [returned(HALF)] * 2)
    assert not is_full(replace(sale, status="ERROR", fiscal_code=None), [returned(SHIRTS)])


def shown(*taxes: tuple[int, str | None], code: str = "00017") -> IssuedReceipt:
    """A sale whose one line shows these codes and percents."""
    told = tuple(IssuedTax(tax, None if percent is None else Decimal(percent)) for tax, percent in taxes)
    sale = made_of(SHIRTS)
    return replace(sale, lines=(replace(sale.lines[0], code=code, taxes=told),))


NOT_ACCOUNTABLE = Vat(Decimal(0), not_accountable=True)


@pytest.mark.parametrize(
    ("sale", "vat", "codes"),
    [
        (shown((11, "20")), VAT_20, (11,)),
        (shown((11, "20.00"), (9, "5")), VAT_20, (11, 9)),
        (shown((11, "7")), VAT_20, (1,)),
        (shown((11, None)), VAT_20, (1,)),
        (shown((11, "20"), code="other"), VAT_20, (1,)),
        (shown((5, "0")), NOT_ACCOUNTABLE, (5,)),
        (shown((11, "20")), None, ()),
    ],
    ids=["shown", "two", "other percent", "no percent", "other goods", "not accountable", "no tax"],
)
def test_goods_go_back_with_the_codes_of_their_sale(
    sale: IssuedReceipt, vat: Vat | None, codes: tuple[int, ...]
) -> None:
    """The table, which has 1 for 20 percent today, counts only where the sale does not show them."""
    assert tax_codes(a_line(vat=vat), sale, TABLE) == codes


def test_a_percent_that_nobody_knows_has_no_code() -> None:
    """Neither the sale nor the table."""
    empty = TaxRates({}, not_accountable=None)
    assert tax_codes(SHIRTS, shown((11, "7")), empty) is None
    assert tax_codes(SHIRTS, shown((11, "20")), empty) == (11,)


def test_of_two_codes_with_one_percent_the_tables_own_comes_back() -> None:
    """0 percent and "not accountable" are both shown as 0: the sale has a line of each."""
    zero = Vat(Decimal(0), not_accountable=False)
    sale = shown((8, "0"))
    sale = replace(sale, lines=(*sale.lines, *shown((3, "0")).lines))
    assert tax_codes(a_line(vat=zero), sale, TABLE) == (3,)
    assert tax_codes(a_line(vat=NOT_ACCOUNTABLE), sale, TABLE) == (8,)
