"""What the person who pressed the button reads."""

from __future__ import annotations

import itertools

import pytest

from worker.fiscal.order import Operation
from worker.fiscal.outcomes import Code
from worker.fiscal.sentences import Circumstance, Outcome, Sentence, sentence

_CYRILLIC = frozenset("абвгґдеєжзиіїйклмнопрстуфхцчшщьюяёыэъ")
_RUSSIAN_ONLY = frozenset("ёыэъ")
_UKRAINIAN_ONLY = frozenset("ґєії")

ALL = [
    sentence(outcome, code, operation, circumstance)
    for outcome, code, operation, circumstance in itertools.product(
        (Outcome.FAILED, Outcome.DELAYED), Code, (None, *Operation), (None, *Circumstance)
    )
] + [sentence(Outcome.SUCCEEDED)]


@pytest.mark.parametrize("code", Code)
@pytest.mark.parametrize("operation", Operation)
def test_every_code_has_a_sentence_of_its_own_in_three_languages(code: Code, operation: Operation) -> None:
    """No code falls back on another's words."""
    said = sentence(Outcome.FAILED, code, operation)
    others = [sentence(Outcome.FAILED, other, operation) for other in Code if other is not code]
    assert set(said) == {"uk", "ru", "en"}
    assert said not in others


@pytest.mark.parametrize("said", {said["uk"]: said for said in ALL}.values(), ids=lambda said: said["en"])
def test_each_language_is_that_language(said: Sentence) -> None:
    """Ukrainian has no Russian letters, Russian no Ukrainian ones, English no Cyrillic; each is one line."""
    assert not _RUSSIAN_ONLY & set(said["uk"].lower())
    assert not _UKRAINIAN_ONLY & set(said["ru"].lower())
    assert not _CYRILLIC & set(said["en"].lower())
    assert all(10 < len(text) < 130 and "\n" not in text for text in said.values())


def test_the_given_sentences_are_word_for_word() -> None:
    """Bimp and its users know these."""
    assert sentence(Outcome.SUCCEEDED) == {
        "uk": "Замовлення фіскалізовано",
        "ru": "Заказ фискализирован",
        "en": "Order fiscalized",
    }
    for operation in Operation:
        assert sentence(Outcome.FAILED, Code.SHIFT_OPEN_OVER_24H, operation) == {
            "uk": "Зміну відкрито понад 24 години тому, для продовження роботи закрийте діючу зміну та "
            "відкрийте нову",
            "ru": "Смена открыта более 24 часов назад, для продолжения работы закройте действующую смену и "
            "откройте новую",
            "en": "The shift was opened more than 24 hours ago: close it and open a new one to go on",
        }
    assert sentence(Outcome.DELAYED, Code.CHECKBOX_UNAVAILABLE)["ru"] == (
        "Checkbox не отвечает, попытка будет повторена"
    )


@pytest.mark.parametrize("outcome", [Outcome.FAILED, Outcome.DELAYED])
def test_a_receipt_without_a_number_is_never_called_nothing(outcome: Outcome) -> None:
    """Whoever reads that nothing was sold would sell again."""
    said = sentence(outcome, Code.CHECKBOX_UNAVAILABLE, Operation.SELL, Circumstance.RECEIPT_MADE)
    assert said["uk"].startswith("Чек створено")
    assert said["ru"].startswith("Чек создан")
    assert said["en"].startswith("The receipt is made")


@pytest.mark.parametrize("outcome", [Outcome.FAILED, Outcome.DELAYED])
def test_the_archive_check_is_bimps_fault(outcome: Outcome) -> None:
    """The sentence names Bimp and not Checkbox, which answered."""
    said = sentence(outcome, Code.CHECKBOX_UNAVAILABLE, Operation.SELL, Circumstance.ARCHIVE_CHECK)
    assert all("Bimp" in text and "Checkbox" not in text for text in said.values())


def test_a_return_without_cash_says_what_to_put_in() -> None:
    """A refused cash return has a remedy: cash."""
    said = sentence(Outcome.FAILED, Code.RECEIPT_REJECTED, Operation.RETURN, Circumstance.CASH_SHORT)
    assert "готівк" in said["uk"]
    assert "наличн" in said["ru"]
    assert "cash" in said["en"]


def test_a_refused_return_is_not_told_to_be_returned() -> None:
    """Where the sale's advice would be wrong, the return has its own."""
    said = sentence(Outcome.FAILED, Code.RECEIPT_MISMATCH, Operation.RETURN)
    assert "оформіть" not in said["uk"]
    assert said != sentence(Outcome.FAILED, Code.RECEIPT_MISMATCH, Operation.SELL)
