"""An order held against what Checkbox has issued for it."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from tests.builders import FIRST_SEEN, a_line, a_request, an_integration, an_order, issued
from worker.fiscal.comparison import difference
from worker.fiscal.context import content_of
from worker.fiscal.order import Order, OrderLine, Vat
from worker.fiscal.outcomes import IssuedReceipt, IssuedTax
from worker.fiscal.planner import plan
from worker.fiscal.receipt_lines import ordered_count
from worker.fiscal.tax_rates import TaxRates

SHIRTS = a_line()
CHEESE = a_line(code="KG", count=375, cost=2_400_000, discount=0, amount=9_000)
#: 3 of 3.3333: goes out as one unit.
SCREWS = a_line(code="TRAP", count=3_000, cost=33_333, discount=0, amount=1_000)


def made_of(order: Order, **changes: Any) -> IssuedReceipt:
    """The order's receipt, without a context."""
    return issued(plan(a_request(order=order), an_integration(), FIRST_SEEN).receipt, **changes)


def test_the_same_order_is_the_same() -> None:
    """What Checkbox made of our receipt is no mismatch."""
    order = an_order(SHIRTS, CHEESE, SCREWS)
    assert difference(order, made_of(order)) is None


def test_the_order_of_lines_names_and_payments_do_not_count() -> None:
    """Content is the total and the lines by code, quantity, price and percent."""
    sold = made_of(an_order(SHIRTS, CHEESE))
    assert difference(an_order(CHEESE, a_line(name="Інша назва")), sold) is None


def test_the_digest_in_the_context_decides() -> None:
    """Whatever the receipt shows; and another digest is another content."""
    order = an_order(SHIRTS)
    kept = {"content": content_of(order)}
    assert difference(order, made_of(order, lines=(), context=kept)) is None
    assert difference(an_order(a_line(cost=1_490_000)), made_of(order, context=kept)) is not None


def test_a_changed_tax_table_makes_no_other_order() -> None:
    """The percents count, and not the codes that a table gives them."""
    order = an_order(SHIRTS)
    table = an_integration(tax_rates=TaxRates({Decimal(20): 77}, not_accountable=None))
    receipt = plan(a_request(order=order), table, FIRST_SEEN).receipt
    assert receipt.lines[0].tax_codes == (77,)
    shown = tuple(replace(line, taxes=(IssuedTax(77, Decimal(20)),)) for line in made_of(order).lines)
    assert difference(order, issued(receipt, lines=shown)) is None


def test_percents_count_only_where_the_answer_shows_them() -> None:
    """Some answers come without taxes; that is no other content."""
    order = an_order(SHIRTS, CHEESE)
    shirts, cheese = made_of(order).lines
    untold = (replace(shirts, taxes=None), cheese)
    other = (replace(shirts, taxes=(IssuedTax(2, Decimal(7)),)), cheese)
    assert difference(order, made_of(order, lines=untold)) is None
    assert difference(order, made_of(order, lines=other)) is not None


def test_what_is_not_accounted_for_is_shown_as_zero_percent() -> None:
    """Checkbox has no percent for it."""
    order = an_order(a_line(vat=Vat(Decimal(0), not_accountable=True)))
    assert difference(order, made_of(order)) is None


@pytest.mark.parametrize("change", [{"code": "00018"}, {"quantity": 3_000}, {"price": 15_001}, {"taxes": ()}])
def test_another_line_is_another_content(change: dict[str, Any]) -> None:
    """Code, quantity, price and tax of a line all count."""
    order = an_order(SHIRTS)
    answer = made_of(order)
    changed = replace(answer, lines=(replace(answer.lines[0], **change),))
    assert difference(order, changed) is not None


def test_another_total_is_another_content_and_the_detail_shows_both() -> None:
    """A person sees what is expected and what was found."""
    order = an_order(SHIRTS)
    detail = difference(order, made_of(order, total=30_000))
    assert detail is not None
    assert (detail["expected"]["total"], detail["found"]["total"]) == ("270.00", "300.00")
    assert detail["expected"]["lines"] == [
        {"code": "00017", "quantity": "2", "price": "150.00", "percents": ["20"]}
    ]


def test_a_line_twice_is_not_that_line_once() -> None:
    """Lines are counted, not only looked for."""
    twice = an_order(SHIRTS, SHIRTS)
    assert difference(twice, made_of(twice, lines=made_of(an_order(SHIRTS)).lines)) is not None


def test_a_line_more_is_another_content() -> None:
    """Also where the total is the same."""
    order = an_order(SHIRTS)
    answer = made_of(order)
    more = replace(answer, lines=(*answer.lines, replace(answer.lines[0], code="00018")))
    assert difference(order, more) is not None


def test_lines_that_the_answer_does_not_show_are_not_held_against_it() -> None:
    """Then the total alone decides."""
    order = an_order(SHIRTS)
    assert difference(order, made_of(order, lines=())) is None
    assert difference(order, made_of(order, lines=(), total=1)) is not None


def test_a_long_receipt_is_shown_in_part() -> None:
    """20 lines of each are shown, and how many there are."""
    order = an_order(*[SHIRTS] * 25)
    detail = difference(order, made_of(order, total=1))
    assert detail is not None
    assert len(detail["expected"]["lines"]) == 20
    assert detail["expected"]["lineCount"] == 25


def gift(line: OrderLine) -> OrderLine:
    return replace(line, cost=0, discount=0, amount=0)


def test_what_costs_nothing_is_no_content() -> None:
    """A line of amount 0 is not on the receipt."""
    assert difference(an_order(SHIRTS, gift(CHEESE)), made_of(an_order(SHIRTS))) is None


def test_a_name_of_any_length_is_read_at_once() -> None:
    """Checkbox cuts it; a longer one shows no count of ours, however many brackets it has."""
    issued_line = made_of(an_order(SCREWS)).lines[0]
    assert ordered_count(issued_line) == 3_000
    long = replace(issued_line, name="(1 " * 170_000 + "(" + "9" * 5_000)
    assert ordered_count(long) == issued_line.quantity
