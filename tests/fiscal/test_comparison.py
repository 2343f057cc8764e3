"""A receipt held against what Checkbox has issued."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from tests.builders import FIRST_SEEN, a_line, a_request, an_integration, an_order, issued
from worker.fiscal.comparison import check_return, same_content
from worker.fiscal.order import Operation, OrderLine
from worker.fiscal.outcomes import IssuedReceipt
from worker.fiscal.planner import plan
from worker.fiscal.receipt import Receipt

SHIRTS = a_line()
CHEESE = a_line(code="KG", count=375, cost=2_400_000, discount=0, amount=9_000)
#: 3 of 3.3333: goes out as one unit.
SCREWS = a_line(code="TRAP", count=3_000, cost=33_333, discount=0, amount=1_000)


def receipt(*lines: OrderLine, operation: Operation = Operation.SELL, discount: int = 0) -> Receipt:
    order = an_order(*lines, discount=discount)
    return plan(a_request(order=order, operation=operation), an_integration(), FIRST_SEEN).receipt


def returned(*lines: OrderLine) -> Receipt:
    return receipt(*lines, operation=Operation.RETURN)


def test_the_same_receipt_is_the_same() -> None:
    """What Checkbox made of our receipt is no mismatch."""
    sold = receipt(SHIRTS, CHEESE, SCREWS)
    assert same_content(sold, issued(sold)) is None


def test_the_order_of_lines_names_and_payments_do_not_count() -> None:
    """Content is the total and the lines by code, quantity, price and tax."""
    sold = receipt(SHIRTS, CHEESE)
    other = receipt(CHEESE, a_line(name="Інша назва"))
    assert same_content(other, issued(sold)) is None


def test_taxes_count_only_where_the_answer_tells_them() -> None:
    """Some answers come without taxes; that is no other content."""
    sold = receipt(SHIRTS, CHEESE)
    answer = issued(sold)
    untold = replace(answer, lines=(replace(answer.lines[0], tax_codes=None), answer.lines[1]))
    other = replace(answer, lines=(replace(answer.lines[0], tax_codes=(2,)), answer.lines[1]))
    assert same_content(sold, untold) is None
    assert same_content(sold, other) is not None


@pytest.mark.parametrize(
    "change", [{"code": "00018"}, {"quantity": 3_000}, {"price": 15_001}, {"tax_codes": ()}]
)
def test_another_line_is_another_content(change: dict[str, Any]) -> None:
    """Code, quantity, price and tax of a line all count."""
    sold = receipt(SHIRTS)
    answer = issued(sold)
    assert same_content(sold, replace(answer, lines=(replace(answer.lines[0], **change),))) is not None


def test_another_total_is_another_content_and_the_detail_tells_both() -> None:
    """A person sees what is expected and what was found."""
    sold = receipt(SHIRTS)
    detail = same_content(sold, issued(sold, total=30_000))
    assert detail is not None
    assert (detail["expected"]["total"], detail["found"]["total"]) == ("270.00", "300.00")
    assert detail["expected"]["lines"] == [{"code": "00017", "quantity": "2", "price": "150.00", "tax": [1]}]


def test_a_line_twice_is_not_that_line_once() -> None:
    """Lines are counted, not only looked for."""
    twice = receipt(SHIRTS, SHIRTS)
    once = issued(twice, lines=issued(receipt(SHIRTS)).lines)
    assert same_content(twice, once) is not None


def test_a_line_more_is_another_content() -> None:
    """Also where the total is the same."""
    sold = receipt(SHIRTS)
    answer = issued(sold)
    more = replace(answer, lines=(*answer.lines, replace(answer.lines[0], code="00018")))
    assert same_content(sold, more) is not None


def test_lines_that_the_answer_does_not_tell_are_not_held_against_it() -> None:
    """Then the total alone decides."""
    sold = receipt(SHIRTS)
    assert same_content(sold, issued(sold, lines=())) is None
    assert same_content(sold, issued(sold, lines=(), total=1)) is not None


def test_a_long_receipt_is_shown_in_part() -> None:
    """20 lines of each are shown, and how many there are."""
    sold = receipt(*[SHIRTS] * 25)
    detail = same_content(sold, issued(sold, total=1))
    assert detail is not None
    assert len(detail["expected"]["lines"]) == 20
    assert detail["expected"]["lineCount"] == 25


def sale(*lines: OrderLine, discount: int = 0) -> IssuedReceipt:
    return issued(receipt(*lines, discount=discount))


def test_all_or_a_part_of_a_sale_can_be_returned() -> None:
    """Up to what was sold, at once or in parts."""
    half = a_line(count=1_000, discount=1_500, amount=13_500)
    assert check_return(returned(SHIRTS), sale(SHIRTS), ()) is None
    assert check_return(returned(half), sale(SHIRTS), ()) is None
    assert check_return(returned(half), sale(SHIRTS), [issued(returned(half))]) is None


def test_earlier_returns_add_up() -> None:
    """Three halves are more than the whole."""
    half = a_line(count=1_000, discount=1_500, amount=13_500)
    earlier = [issued(returned(half)), issued(returned(half))]
    detail = check_return(returned(half), sale(SHIRTS), earlier)
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
    assert check_return(returned(CHEESE), sale(SHIRTS), ()) is not None


def test_more_pieces_for_the_same_money_are_too_many() -> None:
    """2 were sold: 3 at a lower price are one too many."""
    three = a_line(count=3_000, cost=900_000, discount=0, amount=27_000)
    assert check_return(returned(three), sale(SHIRTS), ()) is not None


def test_a_line_that_went_out_as_one_unit_counts_by_money() -> None:
    """3 of 3.3333 stand on the receipt as one of 10.00; they come back one by one."""
    one = a_line(code="TRAP", count=1_000, cost=33_333, discount=0, amount=333)
    last = replace(one, amount=334)
    earlier = [issued(returned(one)), issued(returned(one))]
    assert check_return(returned(last), sale(SCREWS), earlier) is None
    assert (
        check_return(returned(replace(one, amount=333, count=1_000)), sale(SCREWS), [*earlier, *earlier])
        is not None
    )


def test_whole_units_come_back_from_a_line_that_went_out_as_one() -> None:
    """2.5 of 33.33 stand as one of 83.33; two of 33.33 are not two of one."""
    cloth = a_line(code="FR", count=2_500, cost=333_300, discount=0, amount=8_333)
    two = replace(cloth, count=2_000, amount=6_666)
    assert check_return(returned(two), sale(cloth), ()) is None


def test_no_more_comes_back_than_was_paid_after_the_orders_discount() -> None:
    """A discount on the whole order lowers what can be returned."""
    assert check_return(returned(SHIRTS), sale(SHIRTS, discount=2_000), ()) is not None
    cheaper = plan(
        a_request(order=an_order(SHIRTS, discount=2_000), operation=Operation.RETURN),
        an_integration(),
        FIRST_SEEN,
    ).receipt
    assert check_return(cheaper, sale(SHIRTS, discount=2_000), ()) is None


def test_a_code_on_several_lines_counts_together() -> None:
    """Two lines of one code are one stock to return from."""
    assert (
        check_return(returned(a_line(count=4_000, discount=6_000, amount=54_000)), sale(SHIRTS, SHIRTS), ())
        is None
    )


def test_a_sale_whose_lines_are_not_told_counts_by_its_total() -> None:
    """What cannot be told stands in no return's way, but for the money."""
    untold = replace(sale(SHIRTS), lines=())
    assert check_return(returned(SHIRTS), untold, ()) is None
    assert check_return(returned(SHIRTS, CHEESE), untold, ()) is not None
