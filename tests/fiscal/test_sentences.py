"""What the person who pressed the button reads."""

from __future__ import annotations

import itertools
from typing import Any

import pytest

from tests.builders import FIRST_SEEN, a_line, a_request, an_integration, an_order, card
from worker.fiscal.languages import Sentence
from worker.fiscal.order import Operation, Vat
from worker.fiscal.outcomes import Code, Rejected
from worker.fiscal.planner import plan
from worker.fiscal.sentences import delayed, failed, succeeded

_CYRILLIC = frozenset("абвгґдеєжзиіїйклмнопрстуфхцчшщьюяёыэъ")
_RUSSIAN_ONLY = frozenset("ёыэъ")
_UKRAINIAN_ONLY = frozenset("ґєії")
_CAUSES: tuple[dict[str, Any], ...] = (
    {},
    {"service": "archive_check"},
    {"reason": "cash_shortage"},
    {"reason": "key_expired"},
    {"reason": "the receipt's id is taken"},
)
_MADE_IN = {"uk": "створено", "ru": "создан", "en": "receipt"}
_DENIALS = ("чек не створено", "чек не создан", "no receipt was made", "has no receipt", "чека немає")

ALL = [
    *(
        failed(code, operation, detail, made)
        for code, operation, detail, made in itertools.product(
            Code, (None, *Operation), _CAUSES, (None, False, True)
        )
    ),
    *(delayed(detail, made) for detail in _CAUSES for made in (True, False)),
    succeeded(),
]


@pytest.mark.parametrize("code", Code)
@pytest.mark.parametrize("operation", Operation)
def test_every_code_has_a_sentence_of_its_own_in_three_languages(code: Code, operation: Operation) -> None:
    """No code falls back on another's words."""
    said = failed(code, operation, {}, None)
    others = [failed(other, operation, {}, None) for other in Code if other is not code]
    assert set(said) == {"uk", "ru", "en"}
    assert said not in others


@pytest.mark.parametrize("said", {said["uk"]: said for said in ALL}.values(), ids=lambda said: said["en"])
def test_each_language_is_that_language(said: Sentence) -> None:
    """Ukrainian has no Russian letters, Russian no Ukrainian ones, English no Cyrillic; each is one line."""
    assert not _RUSSIAN_ONLY & set(said["uk"].lower())
    assert not _UKRAINIAN_ONLY & set(said["ru"].lower())
    assert not _CYRILLIC & set(said["en"].lower())
    assert all(10 < len(text) < 200 and "\n" not in text for text in said.values())


def test_the_given_sentences_are_word_for_word() -> None:
    """Bimp and its users know these."""
    assert succeeded() == {
        "uk": "Замовлення фіскалізовано",
        "ru": "Заказ фискализирован",
        "en": "Order fiscalized",
    }
    detail = {"shiftId": "066c8c8f", "openedAt": "2026-11-23T09:00:00Z", "ageHours": 25.3, "message": "x y"}
    for operation in Operation:
        assert failed(Code.SHIFT_OPEN_OVER_24H, operation, detail, False) == {
            "uk": "Зміну відкрито понад 24 години тому, для продовження роботи закрийте діючу зміну та "
            "відкрийте нову",
            "ru": "Смена открыта более 24 часов назад, для продолжения работы закройте действующую смену и "
            "откройте новую",
            "en": "The shift was opened more than 24 hours ago: close it and open a new one to go on",
        }
    assert delayed({}, receipt_made=False)["ru"] == "Checkbox не отвечает, попытка будет повторена"


@pytest.mark.parametrize("operation", [None, *Operation])
@pytest.mark.parametrize("code", Code)
def test_a_receipt_that_was_made_is_told_whatever_the_code(code: Code, operation: Operation | None) -> None:
    """Whoever reads that nothing was sold would sell again."""
    for detail in _CAUSES:
        said = failed(code, operation, detail, True)
        if code is not Code.RECEIPT_MISMATCH:
            assert all(word in said[language] for language, word in _MADE_IN.items())
        for text in said.values():
            assert "чек" in text.lower() or "receipt" in text
            assert not any(denial in text for denial in _DENIALS)


def test_a_receipt_that_waits_for_its_number_is_told() -> None:
    """Put off or given up: it was made, and a second one would be one too many."""
    for said in (delayed({}, receipt_made=True), failed(Code.CHECKBOX_UNAVAILABLE, Operation.SELL, {}, True)):
        assert said["uk"].startswith("Чек створено")
        assert said["ru"].startswith("Чек создан")
        assert said["en"].startswith("The receipt is made")


def test_the_archive_check_is_bimps_fault() -> None:
    """The sentence names Bimp and not Checkbox, which answered."""
    detail = {"service": "archive_check", "status": 503}
    for said in (delayed(detail, False), failed(Code.CHECKBOX_UNAVAILABLE, Operation.SELL, detail, None)):
        assert all("Bimp" in text and "Checkbox" not in text for text in said.values())


def test_a_return_without_cash_says_what_to_put_in() -> None:
    """A refused cash return has a remedy: cash."""
    said = failed(Code.RECEIPT_REJECTED, Operation.RETURN, {"reason": "cash_shortage"}, False)
    assert "готівк" in said["uk"]
    assert "наличн" in said["ru"]
    assert "cash" in said["en"]


def test_a_refused_return_is_not_told_to_be_returned() -> None:
    """Where the sale's advice would be wrong, the return has its own."""
    said = failed(Code.RECEIPT_MISMATCH, Operation.RETURN, {}, True)
    assert "оформіть" not in said["uk"]
    assert said != failed(Code.RECEIPT_MISMATCH, Operation.SELL, {}, True)


def test_a_receipt_that_nobody_can_see_is_not_called_another() -> None:
    """What is on it is not known, so nobody is told to return it."""
    said = failed(
        Code.RECEIPT_MISMATCH, Operation.SELL, {"reason": "the id is taken", "receiptId": "x"}, None
    )
    assert "поверн" not in said["uk"]
    assert "look for it in Checkbox" in said["en"]


def told(code: Code, detail: dict[str, Any], receipt_made: bool | None = False) -> str:
    """What stands in brackets; the same in each language but for words."""
    said = failed(code, Operation.SELL, detail, receipt_made)
    assert all(text.endswith(")") for text in said.values()), said
    return said["uk"].rpartition(" (")[2].removesuffix(")")


def planned(**changes: Any) -> Rejected:
    with pytest.raises(Rejected) as caught:
        plan(a_request(**changes), an_integration(), FIRST_SEEN)
    return caught.value


def test_the_rate_and_its_goods_are_named() -> None:
    """By their codes: names are not ours to repeat."""
    vat = Vat(percent_rate=a_line().vat.percent_rate - 6, not_accountable=False)  # type: ignore[union-attr]
    lines = (a_line(code="A-1", vat=vat), a_line(code="B-2"), a_line(code="C-3", vat=vat))
    verdict = planned(order=an_order(*lines))
    assert verdict.code is Code.TAX_RATE_NOT_MAPPED
    assert told(verdict.code, dict(verdict.detail)) == "ставка і товари: 14 %: A-1, C-3"
    assert "Футболка" not in str(failed(verdict.code, None, verdict.detail, None))
    unaccounted = {"lines": [{"path": "/x", "code": "A-1", "rate": "not_accountable"}]}
    assert told(Code.TAX_RATE_NOT_MAPPED, unaccounted) == "ставка і товари: без ПДВ: A-1"


def test_the_two_sums_that_differ_are_named() -> None:
    """Of a line, of lines and total, of total and payments: the first that do."""
    off = planned(order=an_order(a_line(amount=27_500)))
    assert told(off.code, dict(off.detail)) == "00017: 2 × 150.00 − 30.00 ≠ 275.00"
    total = planned(order=an_order(total=27_100), payments=(card(27_100),))
    assert told(total.code, dict(total.detail)) == "товари зі знижкою 270.00, підсумок 271.00"
    short = planned(payments=(card(26_900),))
    assert told(short.code, dict(short.detail)) == "оплата 269.00, до сплати 270.00"


def test_what_differs_from_a_receipt_is_named() -> None:
    """The totals, or the goods."""

    def content(total: str, quantity: str, tax: list[int]) -> dict[str, Any]:
        lines = [
            {"code": "A-1", "quantity": "1", "price": "10.00", "tax": [1]},
            {"code": "B-2", "quantity": quantity, "price": "1.00", "tax": tax},
        ]
        return {"total": total, "lineCount": 2, "lines": lines}

    here = content("12.00", "2", [1])
    found = {"expected": here, "found": content("11.00", "1", [1])}
    assert told(Code.RECEIPT_MISMATCH, found, True) == "у чеку 11.00, у документі 12.00"
    for other in (content("12.00", "3", [1]), content("12.00", "2", [2])):
        assert told(Code.RECEIPT_MISMATCH, {"expected": here, "found": other}, True) == "різняться товари B-2"


@pytest.mark.parametrize(
    ("code", "detail"),
    [
        (
            Code.RECEIPT_REJECTED,
            {"receiptId": "x", "status": "ERROR", "words": "Термін дії\n ключа закінчився"},
        ),
        (
            Code.RECEIPT_REJECTED,
            {"status": 422, "errors": [{"path": "", "problem": "Термін дії ключа закінчився"}]},
        ),
        (Code.SHIFT_NOT_OPEN, {"shiftId": "x", "reason": "Термін дії ключа закінчився"}),
        (Code.SHIFT_NOT_OPEN, {"reason": "key_expired", "message": "Термін дії ключа закінчився"}),
        (Code.SUBSCRIPTION_ENDED, {"status": 402, "message": "Термін дії ключа закінчився"}),
        (Code.CASHIER_CREDENTIALS_REJECTED, {"status": 403, "message": "Термін дії ключа закінчився"}),
        (Code.REGISTER_BUSY, {"status": 400, "message": "Термін дії ключа закінчився"}),
    ],
)
def test_checkboxs_own_words_are_told(code: Code, detail: dict[str, Any]) -> None:
    """In one line, as they came."""
    assert told(code, detail) == "Checkbox: «Термін дії ключа закінчився»"


def test_checkboxs_words_are_told_without_what_looks_personal() -> None:
    """Scrubbed once more: a sentence goes to a person's screen."""
    detail = {"message": "Невірний телефон +380501234567 покупця a@example.com"}
    assert told(Code.RECEIPT_REJECTED, detail) == "Checkbox: «Невірний телефон *** покупця ***»"


@pytest.mark.parametrize(
    ("code", "detail", "fact"),
    [
        (
            Code.INVALID_MESSAGE,
            {"errors": [{"path": "/data/order/total", "problem": "x"}]},
            "/data/order/total",
        ),
        (Code.UNKNOWN_INTEGRATION, {"integration": "shop-x"}, "shop-x"),
        (Code.UNKNOWN_CASHIER, {"integration": "shop", "cashier": "ivan"}, "shop/ivan"),
        (
            Code.CONFIGURATION_INVALID,
            {
                "integration": "shop",
                "cashier": "ivan",
                "problems": [{"path": "/tax_rates/0/code", "problem": "…"}, {"path": "", "problem": "…"}],
            },
            "shop/ivan: /tax_rates/0/code, /",
        ),
        (Code.CURRENCY_NOT_SUPPORTED, {"currency": "EUR"}, "EUR"),
        (
            Code.WRONG_REGISTER,
            {"shiftRegister": "4000000001", "licenseKeyRegister": None},
            "зміна на касі 4000000001",
        ),
        (
            Code.WRONG_REGISTER,
            {"shiftRegister": "4000000001", "licenseKeyRegister": "4000000002"},
            "зміна на касі 4000000001, в інтеграції каса 4000000002",
        ),
        (Code.REGISTER_BUSY, {"register": "4000000001", "message": "Каса зайнята"}, "каса 4000000001"),
        (
            Code.RETURN_WITHOUT_SALE,
            {"reason": "x y", "sold": "270.00", "returned": "540.00", "codes": []},
            "продано 270.00, повертається 540.00",
        ),
        (
            Code.RETURN_WITHOUT_SALE,
            {
                "sold": "270.00",
                "returned": "100.00",
                "codes": [
                    {
                        "code": "A-1",
                        "soldAmount": "10.00",
                        "soldQuantity": "1",
                        "returnedAmount": "20.00",
                        "returnedQuantity": "2",
                    }
                ],
            },
            "A-1: продано 1 на 10.00, повертається 2 на 20.00",
        ),
    ],
)
def test_facts_stand_after_the_sentence(code: Code, detail: dict[str, Any], fact: str) -> None:
    """Whoever reads it knows where to look."""
    assert told(code, detail) == fact


@pytest.mark.parametrize("code", Code)
def test_a_detail_of_another_shape_stops_no_sentence(code: Code) -> None:
    """It is told without its facts."""
    strange: dict[str, Any] = {
        "errors": [7],
        "lines": [{}],
        "total": "x",
        "expected": 1,
        "found": [],
        "codes": 5,
    }
    for detail in (strange, {"lines": None}, {"currency": None, "amounts": "1"}, {"errors": "x"}):
        assert failed(code, None, detail, None)


def test_a_long_fact_is_cut() -> None:
    """A code may have 256 characters."""
    lines = [{"path": "/x", "code": str(number) * 250, "rate": "14"} for number in range(9)]
    fact = told(Code.TAX_RATE_NOT_MAPPED, {"lines": lines})
    assert len(fact) <= 250
    assert fact.endswith("…")
