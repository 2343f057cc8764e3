"""The sandbox computes a receipt by itself, and refuses what does not add up."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.sandbox.driver import Answer, Checkbox, line, sale

EXAMPLES = Path(__file__).parents[1] / "data" / "checkbox" / "examples"


def sold(body: dict[str, Any], **options: Any) -> Answer:
    checkbox = Checkbox(**options)
    return checkbox.sell(checkbox.sign_in(), body)


def paid(cash: int, *lines: dict[str, Any], **members: Any) -> dict[str, Any]:
    return sale(*lines, **{"payments": [{"type": "CASH", "value": cash}], **members})


def by_card(value: int, *lines: dict[str, Any], **members: Any) -> dict[str, Any]:
    return sale(*lines, **{"payments": [{"type": "CASHLESS", "value": value}], **members})


def off(value: float, mode: str = "VALUE", kind: str = "DISCOUNT") -> dict[str, Any]:
    return {"type": kind, "mode": mode, "value": value}


@pytest.mark.parametrize(
    ("body", "total"),
    [
        (paid(20_700, line(5_500), line(15_200)), 20_700),
        (paid(2_250, line(1_000, 2_250)), 2_250),
        (paid(18_000, line(20_000, discounts=[off(2_000)])), 18_000),
        (paid(9_000, line(10_000, discounts=[off(10, "PERCENT")])), 9_000),
        (paid(10_050, line(10_000, discounts=[off(50, kind="EXTRA_CHARGE")])), 10_050),
        (paid(9_000, line(10_000), discounts=[off(10, "PERCENT")]), 9_000),
        (paid(9_950, line(10_000, discounts=[off(100)]), discounts=[off(50, kind="EXTRA_CHARGE")]), 9_950),
    ],
)
def test_the_total_is_that_of_lines_and_discounts(body: dict[str, Any], total: int) -> None:
    """Line: price by quantity, its discounts; receipt: the sum of the lines, its discounts."""
    answer = sold(body)
    assert (answer.status, answer.body["total_sum"], answer.body["total_rest"]) == (201, total, 0)


def test_a_discounted_receipt_comes_to_what_checkbox_made_of_it() -> None:
    """25.00 off 55.00 and 152.00 was accepted live with a payment of 182.00."""
    example = json.loads((EXAMPLES / "receipt_discount_request_ok.json").read_text(encoding="utf-8"))
    answer = sold(example["request"]["body"])
    assert example["expected"].items() <= answer.body.items()


def test_the_fraction_of_2020_is_repeated_by_truncation() -> None:
    """A thousandth of 0.10 paid with 0.10: Checkbox of 2020 answered 0, 10 and 9."""
    answer = sold(paid(10, line(10, 1)), rounding="truncate")
    assert [answer.body[name] for name in ("total_sum", "total_payment", "total_rest")] == [0, 10, 9]


@pytest.mark.parametrize(
    ("rounding", "round_at", "total"),
    [
        ("half_up", "line", 2),
        ("truncate", "line", 0),
        ("half_even", "line", 0),
        ("half_up", "total", 1),
        ("truncate", "total", 1),
        ("half_even", "total", 1),
    ],
)
def test_fractions_are_rounded_the_way_the_options_say(rounding: str, round_at: str, total: int) -> None:
    """Two lines of half a kopiyka come to 0, 1 or 2."""
    answer = sold(paid(2, line(1, 500), line(1, 500)), rounding=rounding, round_at=round_at)
    assert answer.body["total_sum"] == total


@pytest.mark.parametrize("rounding", ["half_up", "truncate", "half_even"])
@pytest.mark.parametrize("round_at", ["line", "total"])
def test_whole_kopiykas_do_not_depend_on_rounding(rounding: str, round_at: str) -> None:
    """Where price by quantity leaves no fraction, all six ways agree."""
    body = paid(4_333, line(1_332, 2_250), line(1_670, discounts=[off(334)]))
    assert sold(body, rounding=rounding, round_at=round_at).body["total_sum"] == 4_333


@pytest.mark.parametrize(
    ("mode", "due", "total", "round_sum"),
    [
        ("ROUND_10", 10, 12, -2),
        ("ROUND_10", 20, 15, 5),
        ("ROUND_50", 0, 24, -24),
        ("ROUND_50", 50, 25, 25),
        ("ROUND_50", 50, 74, -24),
        ("ROUND_50", 100, 75, 25),
    ],
)
def test_cash_is_rounded(mode: str, due: int, total: int, round_sum: int) -> None:
    """``round_sum`` is what rounding adds; a payment of the rounded total leaves no change."""
    body = paid(max(due, 1), line(total), rounding_mode=mode)
    answer = sold(body)
    assert (answer.body["total_sum"], answer.body["round_sum"]) == (total, round_sum)
    assert answer.body["total_rest"] == max(due, 1) - due


def test_card_payments_are_not_rounded() -> None:
    """The law rounds cash alone."""
    answer = sold(by_card(12, line(12), rounding_mode="ROUND_10"))
    assert (answer.body["total_sum"], answer.body["round_sum"]) == (12, 0)


def test_the_total_may_contain_the_rounding() -> None:
    """ASSUMED either way, so an option switches it."""
    body = paid(20, line(15), rounding_mode="ROUND_10")
    assert sold(body, total_sum_is_rounded=True).body["total_sum"] == 20


def test_change_is_given_for_cash() -> None:
    """``total_rest`` is the change, and the till keeps the total."""
    checkbox = Checkbox()
    answer = checkbox.sell(checkbox.sign_in(), paid(20_000, line(15_000)))
    assert answer.body["total_rest"] == 5_000
    assert checkbox.state.cashiers["c0001"].register.till == 15_000


@pytest.mark.parametrize(
    "body",
    [
        paid(14_999),
        by_card(14_999),
        sale(payments=[]),
        by_card(15_001),
        paid(1_000, line(1_000, discounts=[off(1_001)])),
        paid(1_000, line(1_000), discounts=[off(1_001)]),
        paid(1_000, line(1_000, good={"tax": [99]})),
        paid(1_000, line(1_000, good={"tax": ["Щ"]})),
        paid(2_000, line(1_000), line(1_000, is_return=True)),
        paid(1_000, line(1_000, is_return=True)),
    ],
    ids=[
        "cash short",
        "card short",
        "no payments",
        "card over",
        "line discount over",
        "receipt discount over",
        "tax code",
        "tax letter",
        "mixed return",
        "till empty",
    ],
)
def test_what_does_not_add_up_is_refused(body: dict[str, Any]) -> None:
    """400, and nothing is stored: the same id is free for the next try."""
    checkbox = Checkbox()
    token = checkbox.sign_in()
    assert checkbox.sell(token, body).status == 400
    assert checkbox.state.receipts == {}
    assert checkbox.sell(token, sale(id=body["id"])).status == 201


def test_taxes_are_contained_in_the_price() -> None:
    """Of 120.00 at 20 % the tax is 20.00, of 107.00 at 7 % it is 7.00, and a line without a tax has none."""
    lines = (line(12_000, good={"tax": [1]}), line(10_700, good={"tax": ["Б"]}), line(1_000))
    answer = sold(by_card(23_700, *lines))
    assert [(tax["code"], tax["value"]) for tax in answer.body["taxes"]] == [(1, 2_000), (2, 700)]
    assert [len(item["taxes"]) for item in answer.body["goods"]] == [1, 1, 0]


def test_a_receipt_discount_lowers_the_tax() -> None:
    """Half of 120.00 off leaves a tax of 10.00."""
    body = by_card(6_000, line(12_000, good={"tax": [1]}), discounts=[off(50, "PERCENT")])
    assert sold(body).body["taxes"][0]["value"] == 1_000


@pytest.mark.parametrize(("option", "shown"), [("negative", -100), ("positive", 100)])
def test_the_sign_of_a_discount_is_switchable(option: str, shown: int) -> None:
    """ASSUMED A7."""
    body = by_card(900, line(1_000, discounts=[off(100)]))
    answer = sold(body, discount_sum=option)
    assert answer.body["goods"][0]["discounts"][0]["sum"] == shown


@pytest.mark.parametrize(("option", "shown"), [("before_discounts", 1_000), ("after_discounts", 900)])
def test_the_sum_of_a_line_is_switchable(option: str, shown: int) -> None:
    """ASSUMED either way."""
    body = by_card(900, line(1_000, discounts=[off(100)]))
    assert sold(body, line_sum=option).body["goods"][0]["sum"] == shown


def test_a_cash_return_takes_from_the_till_and_a_card_return_does_not() -> None:
    """Cash needs cash in the till; the balance of the shift follows."""
    checkbox = Checkbox()
    token = checkbox.sign_in()
    checkbox.sell(token, paid(10_000, line(10_000)))
    returned = line(8_000, is_return=True)
    answer = checkbox.sell(token, paid(8_000, returned))
    assert (answer.status, answer.body["type"]) == (201, "RETURN")
    assert checkbox.sell(token, paid(8_000, returned)).status == 400
    assert checkbox.sell(token, by_card(8_000, returned)).status == 201
    balance = checkbox.get("/cashier/shift", token).body["balance"]
    assert [balance[name] for name in ("balance", "cash_sales", "cash_returns", "card_returns")] == [
        2_000,
        10_000,
        8_000,
        8_000,
    ]
