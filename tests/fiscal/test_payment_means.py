"""The names of means of payment, with their dates."""

from __future__ import annotations

from datetime import date

import pytest

from worker.fiscal.order import PaymentForm
from worker.fiscal.payment_means import DEFAULT_LABELS, MEANS, printed_label

NOW = date(2026, 11, 24)


@pytest.mark.parametrize(
    ("form", "label"),
    [
        (PaymentForm.CASH, "Готівка"),
        (PaymentForm.CASHLESS, "Картка"),
        (PaymentForm.CASHLESS, "Інтернет еквайринг"),
        (PaymentForm.CASHLESS, "З поточного рахунку"),
        (PaymentForm.CASHLESS, "Платіж через інтегратора LIQPAY"),
        (PaymentForm.CASHLESS, "Подарунковий сертифікат"),
        (PaymentForm.CASHLESS, "За реквізитами (IBAN)"),
        (PaymentForm.CASHLESS, "Переказ через ПТКС ННПП"),
        (PaymentForm.CASHLESS, "Переказ через ПТКС банку"),
        (PaymentForm.CASHLESS, "Переказ через ННПП EasyPay"),
        (PaymentForm.CASHLESS, "Електронні гроші MAXI"),
        (PaymentForm.CASHLESS, "Цифрові гроші е-гривня"),
        (PaymentForm.CASHLESS, "Криптовалюта USDT"),
        (PaymentForm.CASHLESS, "Фішка"),
        (PaymentForm.CASHLESS, "Електронний грошовий замінник"),
        (PaymentForm.CASHLESS, "Ігровий замінник гривні"),
    ],
)
def test_names_in_force_are_printed_as_they_are(form: PaymentForm, label: str) -> None:
    """Regulation 13, line 19: a means of payment is named as the approved list has it."""
    assert printed_label(form, label, NOW) == label


def test_case_and_spacing_are_the_lists_own() -> None:
    """People write «картка»; the receipt prints «Картка»."""
    assert printed_label(PaymentForm.CASHLESS, " картка ", NOW) == "Картка"
    assert (
        printed_label(PaymentForm.CASHLESS, "ПЛАТІЖ  через інтегратора Monobank", NOW)
        == "Платіж через інтегратора Monobank"
    )


@pytest.mark.parametrize(
    "label",
    [
        *("Передплата", "Післяплата", "Накладений платіж", "Картка VISA", "Готівка", " "),
        *("Платіж через інтегратора <назва інтегратора>", "Електронні гроші <назва>", "Криптовалюта <"),
    ],
)
def test_names_that_the_list_lacks_are_not_printed(label: str) -> None:
    """Regulation 13, line 19: some names ended on 1 March 2025, others never were the form's."""
    assert printed_label(PaymentForm.CASHLESS, label, NOW) is None


def test_the_list_has_dates() -> None:
    """Regulation 13, line 19: the new names are in force from 1 March 2025."""
    last, first = date(2025, 2, 28), date(2025, 3, 1)
    assert printed_label(PaymentForm.CASHLESS, "Післяплата", last) == "Післяплата"
    assert printed_label(PaymentForm.CASHLESS, "Післяплата", first) is None
    assert printed_label(PaymentForm.CASHLESS, "Інтернет еквайринг", last) is None
    assert printed_label(PaymentForm.CASHLESS, "Інтернет еквайринг", first) == "Інтернет еквайринг"


def test_what_stands_in_for_a_label_is_itself_in_the_list_on_any_day() -> None:
    """«Готівка» and «Картка» can always be printed."""
    for day in (date(2020, 1, 1), NOW, date(2099, 1, 1)):
        assert {
            form: printed_label(form, label, day) for form, label in DEFAULT_LABELS.items()
        } == DEFAULT_LABELS


def test_a_long_name_of_a_service_stays_within_checkboxs_limit() -> None:
    """A label has at most 128 characters."""
    label = printed_label(PaymentForm.CASHLESS, "Платіж через інтегратора " + "x" * 128, NOW)
    assert label is not None
    assert len(label) == 128
    assert all(len(means.label) <= 128 for means in MEANS)
