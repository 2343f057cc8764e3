"""Cash rounding and figures for people."""

from __future__ import annotations

import pytest

from worker.fiscal.integrations import CashRounding
from worker.fiscal.money import cash_to_pay, hryvnias, plain


@pytest.mark.parametrize(
    ("total", "to_pay"),
    [
        (100, 100),
        (101, 100),
        (124, 100),
        (125, 150),
        (149, 150),
        (150, 150),
        (151, 150),
        (174, 150),
        (175, 200),
        (199, 200),
        (24, 0),
        (25, 50),
    ],
)
def test_cash_is_rounded_to_half_a_hryvnia_by_the_rule_of_october_2025(total: int, to_pay: int) -> None:
    """Cash rounding by law: 1 to 24 kopiykas become 0, 25 to 74 become 50, 75 to 99 the next hryvnia."""
    assert cash_to_pay(total, CashRounding.ROUND_50) == to_pay


@pytest.mark.parametrize(
    ("total", "to_pay"), [(100, 100), (104, 100), (105, 110), (109, 110), (4, 0), (5, 10)]
)
def test_cash_was_rounded_to_the_nearest_ten_kopiykas_before(total: int, to_pay: int) -> None:
    """Cash rounding by law: until 30 September 2025 the step was 10 kopiykas."""
    assert cash_to_pay(total, CashRounding.ROUND_10) == to_pay


def test_without_rounding_cash_is_paid_to_the_kopiyka() -> None:
    """An integration that rounds nothing owes the total itself."""
    assert [cash_to_pay(total, CashRounding.NONE) for total in (1, 24, 99)] == [1, 24, 99]


def test_figures_are_shown_without_needless_zeros() -> None:
    """Sums have two places, quantities and prices as many as they need."""
    assert (hryvnias(27_000), hryvnias(5), hryvnias(-5)) == ("270.00", "0.05", "-0.05")
    assert (plain(375, 3), plain(2_000, 3), plain(33_333, 4, 2), plain(1_500_000, 4, 2)) == (
        "0.375",
        "2",
        "3.3333",
        "150.00",
    )
