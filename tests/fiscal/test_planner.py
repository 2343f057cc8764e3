"""The receipt of an order, rule by rule. The law is Regulation 13 of the Ministry of Finance (21.01.2016)."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tests.builders import FIRST_SEEN, NOON, a_line, a_request, an_integration, an_order, card, cash
from worker.fiscal.integrations import CashRounding
from worker.fiscal.order import Buyer, Card, Operation, Payment, PaymentForm, Request, Vat
from worker.fiscal.outcomes import Code, Rejected
from worker.fiscal.plan import PlanWarning
from worker.fiscal.planner import plan
from worker.fiscal.receipt import Receipt, ReceiptLine, Recipient
from worker.fiscal.tax_rates import TaxRates
from worker.rabbit.message.reading import read

EXAMPLES = Path(__file__).parents[2] / "docs" / "examples"


def receipt_of(request: Request, **integration: Any) -> Receipt:
    return plan(request, an_integration(**integration), FIRST_SEEN).receipt


def line_of(**changes: Any) -> ReceiptLine:
    (line,) = receipt_of(a_request(a_line(**changes))).lines
    return line


def verdict_on(request: Request, **integration: Any) -> Rejected:
    with pytest.raises(Rejected) as caught:
        plan(request, an_integration(**integration), FIRST_SEEN)
    return caught.value


def example(name: str) -> Receipt:
    return receipt_of(read((EXAMPLES / name).read_bytes()))


@pytest.mark.parametrize("path", sorted((EXAMPLES / "valid").iterdir()), ids=lambda path: path.stem)
def test_every_valid_example_has_a_receipt_that_comes_to_its_total(path: Path) -> None:
    """Whatever Bimp's examples show can be fiscalized to the kopiyka."""
    receipt = receipt_of(read(path.read_bytes()))
    total = Decimal(str(json.loads(path.read_bytes())["data"]["order"]["total"])) * 100
    assert sum(line.total for line in receipt.lines) - receipt.discount == receipt.total == total


@pytest.mark.parametrize(
    "path",
    sorted(
        path
        for code in ("CURRENCY_NOT_SUPPORTED", "TOTALS_MISMATCH", "TAX_RATE_NOT_MAPPED")
        for path in (EXAMPLES / "invalid").glob(f"{code}.*")
    ),
    ids=lambda path: path.stem,
)
def test_every_example_that_cannot_be_planned_ends_in_its_code(path: Path) -> None:
    """The code is the beginning of the example's name."""
    assert verdict_on(read(path.read_bytes())).code == path.name.split(".")[0]


def test_quantity_and_price_are_those_of_the_order_where_they_are_whole() -> None:
    """Regulation 13: quantity and price stand on the receipt; the line's own discount does too."""
    line = line_of()
    assert (line.quantity, line.price, line.discount, line.surcharge) == (2_000, 15_000, 3_000, 0)
    assert line.footer == "Од. вим.: шт"
    weighed = example("valid/weighed_goods.json").lines[0]
    assert (weighed.quantity, weighed.price, weighed.total) == (375, 24_000, 9_000)


@pytest.mark.parametrize(
    ("name", "shown", "price"),
    [
        ("valid/kopiyka_trap.json", "Гвинт (3 шт x 3.3333)", 1_000),
        ("valid/fraction_of_a_kopiyka.json", "Тканина (0.375 м x 33.33)", 1_250),
    ],
)
def test_a_fraction_of_a_kopiyka_goes_out_as_one_unit(name: str, shown: str, price: int) -> None:
    """Checkbox is left nothing to round; count, unit and cost are in the name."""
    (line,) = example(name).lines
    assert (line.quantity, line.price, line.name, line.total) == (1_000, price, shown, price)


def test_one_unit_is_priced_before_its_discount() -> None:
    """The discount of such a line is shown and not hidden in its price."""
    line = line_of(count=3_000, cost=33_333, discount=100, amount=900, unit=None)
    assert (line.price, line.discount, line.total, line.name) == (
        1_000,
        100,
        900,
        "Футболка біла M (3 x 3.3333)",
    )


def test_a_kopiyka_too_little_is_a_surcharge_and_one_too_much_a_discount() -> None:
    """The amount leads; what it differs from count*cost-discount by is carried by the line."""
    assert example("valid/surcharge_of_a_kopiyka.json").lines[0].surcharge == 1
    line = line_of(count=3_000, cost=33_400, discount=0, amount=1_001)
    assert (line.price, line.discount, line.surcharge, line.total) == (334, 1, 0, 1_001)
    both = line_of(amount=27_001)
    assert (both.discount, both.surcharge, both.total) == (2_999, 0, 27_001)


@pytest.mark.parametrize(
    ("count", "cost", "amount", "adds_up"),
    [
        (1_000, 10_000, 101, True),
        (1_000, 10_000, 102, False),
        (1_000, 10_000, 99, True),
        (10_000, 10_000, 1_005, True),
        (10_000, 10_000, 1_006, False),
        (10_000, 10_000, 995, True),
        (10_000, 10_000, 994, False),
        (3_000, 33_333, 1_001, True),
        (3_000, 33_333, 1_002, False),
    ],
)
def test_a_line_may_stray_by_a_kopiyka_or_half_a_kopiyka_for_each_unit(
    count: int, cost: int, amount: int, adds_up: bool
) -> None:
    """More than that is no rounding any more, and TOTALS_MISMATCH."""
    request = a_request(a_line(count=count, cost=cost, discount=0, amount=amount))
    if adds_up:
        assert receipt_of(request).total == amount
    else:
        assert verdict_on(request).code is Code.TOTALS_MISMATCH


def test_money_on_a_line_without_a_price_is_a_mismatch() -> None:
    """No receipt can show a unit price of 0."""
    request = a_request(a_line(count=10_000, cost=0, discount=0, amount=5))
    assert verdict_on(request).code is Code.TOTALS_MISMATCH


def test_a_mismatch_shows_the_figures() -> None:
    """A person sees which line is off, and what the sums are."""
    request = a_request(a_line(), a_line(code="X", amount=26_000), payments=(card(50_000),))
    assert verdict_on(request).detail == {
        "amounts": "530.00",
        "discount": "0.00",
        "total": "530.00",
        "payments": "500.00",
        "lines": [
            {
                "path": "/data/order/products/1",
                "code": "X",
                "count": "2",
                "cost": "150.00",
                "countTimesCost": "300.00",
                "discount": "30.00",
                "amount": "260.00",
            }
        ],
    }


def test_a_gift_is_left_out_and_named_in_the_footer() -> None:
    """Checkbox takes no price of 0; the buyer still reads what he was given."""
    receipt = example("valid/gift_line.json")
    assert [line.code for line in receipt.lines] == ["00017"]
    assert receipt.footer == "Замовлення ЗП-161391\nПодарунок: Подарунок, 1 шт"


def test_a_discount_of_the_whole_price_makes_a_gift() -> None:
    """A line that costs 0 after its discount is a gift as well."""
    receipt = receipt_of(a_request(a_line(), a_line(code="G", discount=30_000, amount=0)))
    assert [line.code for line in receipt.lines] == ["00017"]


def test_the_orders_discount_is_a_discount_of_the_receipt() -> None:
    """It comes after the lines, and the lines keep their own amounts."""
    receipt = example("valid/order_discount_and_all_rates.json")
    assert (receipt.discount, receipt.total) == (2_500, 22_500)


def test_each_rate_has_the_integrations_code() -> None:
    """Regulation 13: tax letters and rates. «Без ПДВ» is a rate of its own and not 0 percent."""
    receipt = example("valid/order_discount_and_all_rates.json")
    assert [line.tax_codes for line in receipt.lines] == [(1,), (2,), (3,), (8,)]
    assert example("valid/no_tax_on_the_line.json").lines[0].tax_codes == ()


def test_a_rate_is_compared_as_a_number() -> None:
    """20, 20.0 and 20.00 are one rate."""
    rates = TaxRates({Decimal("20.0"): 5}, not_accountable=None)
    (line,) = receipt_of(a_request(a_line(vat=Vat(Decimal("20.00"), False))), tax_rates=rates).lines
    assert line.tax_codes == (5,)


@pytest.mark.parametrize(
    ("vat", "rate"), [(Vat(Decimal("14.5"), False), "14.5"), (Vat(Decimal(0), True), "not_accountable")]
)
def test_a_rate_that_the_table_lacks_is_named_with_its_line(vat: Vat, rate: str) -> None:
    """Nothing is guessed: codes are free in each organization."""
    verdict = verdict_on(a_request(a_line(vat=vat)), tax_rates=TaxRates({}, None))
    assert verdict.code is Code.TAX_RATE_NOT_MAPPED
    assert verdict.detail == {"lines": [{"path": "/data/order/products/0", "code": "00017", "rate": rate}]}


def test_verdicts_come_in_the_contracts_order() -> None:
    """Currency, then totals, then tax rates."""
    unmapped = a_line(vat=Vat(Decimal(14), False))
    wrong = a_request(order=an_order(unmapped, total=1, currency="EUR"))
    assert verdict_on(wrong).code is Code.CURRENCY_NOT_SUPPORTED
    in_uah = replace(wrong, order=replace(wrong.order, currency="UAH"))
    assert verdict_on(in_uah).code is Code.TOTALS_MISMATCH
    assert verdict_on(a_request(unmapped)).code is Code.TAX_RATE_NOT_MAPPED


@pytest.mark.parametrize(
    ("currency", "shown"), [("EUR", "EUR"), ("uah", "uah"), ("Іван +380501234567", None), ("", None)]
)
def test_only_a_code_of_a_currency_is_repeated(currency: str, shown: str | None) -> None:
    """Any other text may be somebody's words."""
    verdict = verdict_on(a_request(order=an_order(currency=currency)))
    assert (verdict.code, verdict.detail) == (Code.CURRENCY_NOT_SUPPORTED, {"currency": shown})


def test_goods_keep_what_the_law_wants_of_them() -> None:
    """Regulation 13: УКТЗЕД and the number of every excise stamp; barcode and stable code come along."""
    wine = example("valid/card_details_and_excise.json").lines[0]
    assert (wine.code, wine.uktzed, wine.barcode, wine.excise_barcodes) == (
        "WINE",
        "2204219300",
        "4820000000024",
        ("AABB123456",),
    )
    assert example("valid/two_excise_stamps.json").lines[0].excise_barcodes == ("AABB123457", "AABB123458")


def test_a_long_name_is_cut_and_kept_above_the_line() -> None:
    """Past 1,000 characters the name is cut; up to 1,024 it stands whole in the line's header."""
    fits = line_of(name="н" * 1_000)
    assert (len(fits.name), fits.header) == (1_000, None)
    cut = line_of(name="н" * 1_010)
    assert (len(cut.name), cut.name[-1], cut.header) == (1_000, "…", "н" * 1_010)
    longer = line_of(name="н" * 5_000)
    assert longer.header is not None
    assert len(longer.header) == 1_024


def test_the_figures_of_one_unit_survive_the_cut() -> None:
    """Of a long name the name is cut, and not count and cost."""
    line = line_of(name="н" * 1_000, count=3_000, cost=33_333, discount=0, amount=1_000)
    assert len(line.name) == 1_000
    assert line.name.endswith("… (3 шт x 3.3333)")
    assert line.header == "н" * 1_000


def test_excise_stays_on_a_line_that_goes_out_as_one_unit() -> None:
    """Stamps and electronic marks are sent whole, each in a list of their own."""
    for cost in (33_300, 33_333):
        line = line_of(
            count=3_000,
            cost=cost,
            discount=0,
            amount=1_000 - (cost == 33_300),
            excise_barcodes=("ABEI123456",),
            e_excise_barcodes=("0A1B2C3D4E5F", "0A1B2C3D4E60"),
        )
        assert line.excise_barcodes == ("ABEI123456",)
        assert line.e_excise_barcodes == ("0A1B2C3D4E5F", "0A1B2C3D4E60")


def test_the_orders_number_is_on_the_receipt() -> None:
    """People look for it; a return says that it is one."""
    assert receipt_of(a_request()).footer == "Замовлення ЗП-000482"
    returned = receipt_of(a_request(operation=Operation.RETURN))
    assert returned.footer == "Повернення ЗП-000482"
    assert (returned.operation, returned.related_receipt_id) == (Operation.RETURN, None)


def test_card_details_are_passed_on_with_a_card_only() -> None:
    """Regulation 13: mask, authorization code, RRN, terminal and acquirer where there is a terminal."""
    details = Card(mask="411111******1111", rrn="012345678901")
    request = a_request(payments=(card(20_000, card=details), cash(7_000, card=details)))
    assert [payment.card for payment in receipt_of(request).payments] == [details, None]


def test_the_receipt_is_sent_where_the_buyer_wants_it() -> None:
    """Law 265/95, article 3: an electronic receipt by e-mail or telephone counts as handed over."""
    planned = plan(a_request(buyer=Buyer("buyer@example.com", "050 123-45-67")), an_integration(), FIRST_SEEN)
    assert planned.receipt.delivery == Recipient("buyer@example.com", "380501234567")
    assert planned.warnings == ()


@pytest.mark.parametrize(
    ("buyer", "delivery", "warnings"),
    [
        (Buyer("not an address", "12"), None, ["buyer_email_malformed", "buyer_phone_malformed"]),
        (Buyer("?", "0501234567"), Recipient(None, "380501234567"), ["buyer_email_malformed"]),
        (Buyer(None, None), None, []),
        (None, None, []),
    ],
)
def test_a_malformed_buyer_is_dropped_with_a_warning(
    buyer: Buyer | None, delivery: Recipient | None, warnings: list[str]
) -> None:
    """A bad telephone number never costs the shop a receipt."""
    planned = plan(a_request(buyer=buyer), an_integration(), FIRST_SEEN)
    assert planned.receipt.delivery == delivery
    assert planned.warnings == tuple(PlanWarning(warning) for warning in warnings)


@pytest.mark.parametrize(
    ("payment", "printed", "warned"),
    [
        (card(27_000), "Картка", False),
        (cash(27_000), "Готівка", False),
        (card(27_000, label="Інтернет еквайринг"), "Інтернет еквайринг", False),
        (card(27_000, label="Післяплата"), "Картка", True),
        (cash(27_000, label="Касса 1"), "Готівка", True),
    ],
)
def test_a_label_that_is_not_in_force_is_replaced_with_a_warning(
    payment: Payment, printed: str, warned: bool
) -> None:
    """Regulation 13, line 19: only names of the approved list."""
    planned = plan(a_request(payments=(payment,)), an_integration(), FIRST_SEEN)
    assert planned.receipt.payments[0].label == printed
    assert planned.warnings == ((PlanWarning.PAYMENT_LABEL_UNKNOWN,) if warned else ())


def printed_on(time: datetime | None, first_seen: datetime) -> str:
    """How «Післяплата», which ended with 28 February 2025 in Kyiv, is printed."""
    request = a_request(
        order=an_order(date=datetime(2025, 1, 10, tzinfo=UTC)),
        payments=(card(27_000, label="Післяплата"),),
        time=time,
    )
    return plan(request, an_integration(), first_seen.timestamp()).receipt.payments[0].label


def test_labels_are_those_of_the_day_in_kyiv_on_which_the_receipt_was_asked_for() -> None:
    """Not of the order's day, nor of the day in the request's own zone, nor in UTC."""
    last = datetime(2025, 2, 28, 21, 59, 59, tzinfo=UTC)
    first = datetime(2025, 2, 28, 22, tzinfo=UTC)
    new_york = timezone(timedelta(hours=-5))
    assert printed_on(last.astimezone(new_york), NOON) == "Післяплата"
    assert printed_on(first.astimezone(new_york), NOON) == "Картка"
    assert printed_on(None, last) == "Післяплата"
    assert printed_on(None, first) == "Картка"


@pytest.mark.parametrize(
    ("mask", "sent"),
    [
        ("4111111111111111", "411111******1111"),
        ("4111 1111 1111 1111", "4111 11** **** 1111"),
        ("5168-7422-1234-5678", "5168-74**-****-5678"),
        ("378282246310005", "378282*****0005"),
        ("41111111****1111", "411111******1111"),
        ("4111111111111111111", "411111*********1111"),
    ],
)
def test_of_a_card_number_only_six_and_four_digits_go_on(mask: str, sent: str) -> None:
    """PCI DSS 3.4.1; the shop is warned, and its receipt goes out all the same."""
    planned = plan(a_request(payments=(card(27_000, card=Card(mask=mask)),)), an_integration(), FIRST_SEEN)
    assert planned.receipt.payments[0].card == Card(mask=sent)
    assert planned.warnings == (PlanWarning.CARD_NUMBER_WHOLE,)


@pytest.mark.parametrize(
    "mask", ["411111******1111", "4149 **** **** 1234", "XXXXXXXXXXXX1111", "1111", None]
)
def test_a_mask_goes_on_as_it_came(mask: str | None) -> None:
    """Nobody is warned."""
    planned = plan(a_request(payments=(card(27_000, card=Card(mask=mask)),)), an_integration(), FIRST_SEEN)
    assert planned.receipt.payments[0].card == Card(mask=mask)
    assert planned.warnings == ()


def test_change_is_given_from_cash_alone() -> None:
    """More than the total is change where all of it is cash, and a mismatch otherwise."""
    assert receipt_of(a_request(payments=(cash(30_000),))).payments[0].value == 30_000
    for payments in ((card(30_000),), (card(10_000), cash(20_000)), (cash(26_999),), (card(26_999),)):
        assert verdict_on(a_request(payments=payments)).code is Code.TOTALS_MISMATCH


ODD = a_line(count=1_000, cost=103_000, discount=0, amount=1_030)


@pytest.mark.parametrize(
    ("paid", "sent"),
    [
        ((1_030,), (1_050,)),
        ((1_050,), (1_050,)),
        ((1_040,), (1_050,)),
        ((500, 530), (500, 550)),
        ((2_000,), (2_000,)),
    ],
)
def test_cash_payments_are_raised_to_the_rounded_total(paid: tuple[int, ...], sent: tuple[int, ...]) -> None:
    """Rounding of cash: 10.30 is paid as 10.50, and the total stays 10.30."""
    request = a_request(ODD, payments=tuple(cash(amount) for amount in paid))
    receipt = receipt_of(request, cash_rounding=CashRounding.ROUND_50)
    assert tuple(payment.value for payment in receipt.payments) == sent
    assert (receipt.rounding, receipt.total) == (CashRounding.ROUND_50, 1_030)


@pytest.mark.parametrize("amount", [1_030, 1_020])
@pytest.mark.parametrize("is_rounded", [False, True], ids=["exact", "rounded"])
def test_a_cash_return_pays_out_the_rounded_total(amount: int, is_rounded: bool) -> None:
    """10.30 comes back as 10.50 and 10.20 as 10.00, whichever of the two sums the message says."""
    out = 1_050 if amount == 1_030 else 1_000
    line = replace(ODD, cost=amount * 100, amount=amount)
    back = a_request(line, operation=Operation.RETURN, payments=(cash(out if is_rounded else amount),))
    receipt = receipt_of(back, cash_rounding=CashRounding.ROUND_50)
    assert [payment.value for payment in receipt.payments] == [out]
    assert (receipt.rounding, receipt.total) == (CashRounding.ROUND_50, amount)


@pytest.mark.parametrize("paid", [999, 1_001, 1_019, 1_021, 2_000])
def test_a_return_gives_no_change(paid: int) -> None:
    """Neither more nor less than its total or the rounded one."""
    line = replace(ODD, cost=102_000, amount=1_020)
    back = a_request(line, operation=Operation.RETURN, payments=(cash(paid),))
    assert verdict_on(back, cash_rounding=CashRounding.ROUND_50).code is Code.TOTALS_MISMATCH


def test_the_rounded_total_is_enough_where_it_is_less() -> None:
    """Rounding of cash: 10.20 is paid with 10.00 or more."""
    line = replace(ODD, cost=102_000, amount=1_020)
    for paid in (1_000, 1_020):
        receipt = receipt_of(a_request(line, payments=(cash(paid),)), cash_rounding=CashRounding.ROUND_50)
        assert receipt.payments[0].value == paid
    short = a_request(line, payments=(cash(999),))
    assert verdict_on(short, cash_rounding=CashRounding.ROUND_50).detail["rounded"] == "10.00"


def test_cashless_money_is_never_rounded() -> None:
    """Rounding of cash: only a receipt paid in cash alone; unit prices never."""
    for payments in ((card(1_030),), (card(1_000), cash(30))):
        receipt = receipt_of(a_request(ODD, payments=payments), cash_rounding=CashRounding.ROUND_50)
        assert receipt.rounding is CashRounding.NONE
        assert sum(payment.value for payment in receipt.payments) == 1_030
        assert receipt.lines[0].price == 1_030


def test_a_total_that_rounds_to_nothing_is_sent_without_rounding() -> None:
    """0.24 in cash is paid as 0.24: nobody is sold something for 0.00."""
    line = replace(ODD, cost=2_400, amount=24)
    receipt = receipt_of(a_request(line, payments=(cash(24),)), cash_rounding=CashRounding.ROUND_50)
    assert (receipt.rounding, receipt.payments[0].value) == (CashRounding.NONE, 24)
    assert (
        verdict_on(a_request(line, payments=(cash(23),)), cash_rounding=CashRounding.ROUND_50).code
        is Code.TOTALS_MISMATCH
    )


def test_a_total_that_would_round_past_checkboxs_limit_is_sent_without_rounding() -> None:
    """999,999,999.99 is the largest sum that Checkbox takes."""
    most = 99_999_999_999
    line = a_line(count=1_000, cost=most * 100, discount=0, amount=most)
    receipt = receipt_of(a_request(line, payments=(cash(most),)), cash_rounding=CashRounding.ROUND_50)
    assert (receipt.rounding, receipt.payments[0].value) == (CashRounding.NONE, most)


def test_a_mix_of_forms_is_paid_as_it_was() -> None:
    """Regulation 13, line 18: each form of payment stands on its own."""
    receipt = example("valid/order_discount_and_all_rates.json")
    assert [(payment.form, payment.value) for payment in receipt.payments] == [
        (PaymentForm.CASHLESS, 20_000),
        (PaymentForm.CASH, 2_500),
    ]
