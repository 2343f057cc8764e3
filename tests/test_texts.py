"""The catalogue of codes, in three languages: whole, current, and the same facts in each."""

from __future__ import annotations

import re
from dataclasses import fields
from pathlib import Path
from zipfile import ZipFile

import pytest
from hatchling.builders.wheel import WheelBuilder

from docs.build import runbook, texts
from docs.build.alerts import ALERTS
from worker.fiscal.codes import CATALOGUE, Entry, Remedy
from worker.fiscal.languages import LANGUAGES, SOURCE, of_environment, translated
from worker.fiscal.outcomes import NOT_DEAD_LETTERED, Code

TRANSLATIONS = [
    (domain, language) for domain in texts.DOMAINS for language in LANGUAGES if language != SOURCE
]
_RUSSIAN_ONLY, _UKRAINIAN_ONLY = frozenset("ёыэъ"), frozenset("ґєії")


def texts_of(entry: Entry) -> list[str]:
    """All of them."""
    values = [getattr(entry, one.name) for one in fields(entry)]
    plain = [text for text in values if isinstance(text, str) and not isinstance(text, Remedy)]
    worded = [text for text in entry.facts if re.search(r"[a-z]{3} ", text)]
    return [*plain, *entry.causes.values(), *worded]


@pytest.mark.parametrize(("domain", "language"), TRANSLATIONS)
def test_catalogues_are_whole_and_current(domain: str, language: str) -> None:
    """`make texts` has nothing to write: no text is new, gone or untranslated."""
    catalog = texts.current(domain, language)
    assert list(texts.untranslated(catalog)) == []
    path = texts.file(domain, language)
    assert (path.read_bytes(), path.with_suffix(".mo").read_bytes()) == texts.written(catalog)


@pytest.mark.parametrize(("domain", "language"), TRANSLATIONS)
def test_a_translation_keeps_commands_and_facts(domain: str, language: str) -> None:
    """What stands in backquotes or braces is the same, and the letters are those of the language."""
    foreign = _RUSSIAN_ONLY if language == "uk" else _UKRAINIAN_ONLY
    for message in texts.current(domain, language):
        strings = message.string if isinstance(message.string, (list, tuple)) else [message.string]
        for text in strings if message.id else ():
            for pattern in (r"`[^`]*`", r"\{\w+\}|%\(\w+\)s"):
                source = message.id if isinstance(message.id, str) else message.id[-1]
                assert set(re.findall(pattern, text)) == set(re.findall(pattern, source)), text
            words = re.sub(r"[«(]?(Українською|По-русски)", "", text)
            assert not foreign & set(words.lower()), text


def test_every_code_has_an_entry() -> None:
    """Of the contract's codes each one, with texts that are no other code's."""
    assert list(CATALOGUE) == list(Code)
    titles = [translated(entry.title, language) for entry in CATALOGUE.values() for language in LANGUAGES]
    assert len(set(titles)) == len(titles)
    for entry in CATALOGUE.values():
        assert all(text.endswith(".") for text in (entry.means, entry.check, entry.do))
        for text in texts_of(entry):
            assert len({translated(text, language) for language in LANGUAGES}) == 3, text


def test_there_is_no_remedy_for_what_is_no_dead_letter() -> None:
    """And one for all else."""
    assert {code for code, entry in CATALOGUE.items() if entry.remedy is Remedy.NONE} == NOT_DEAD_LETTERED


@pytest.mark.parametrize("language", LANGUAGES)
def test_runbooks_have_every_code_and_alert(language: str) -> None:
    """Each has its chapter."""
    document = runbook.path(language).read_text("utf-8")
    chapters = re.findall(r"^## (.+)$", document, re.MULTILINE)
    assert chapters == [*(code.value for code in Code), *ALERTS]


@pytest.mark.parametrize(
    ("environment", "language"),
    [
        ({}, "en"),
        ({"LANG": "uk_UA.UTF-8"}, "uk"),
        ({"LANG": "ru_UA.UTF-8", "LC_ALL": "C.UTF-8"}, "en"),
        ({"LANGUAGE": "uk:en", "LANG": "C"}, "uk"),
        ({"LANG": "de_DE"}, "en"),
    ],
)
def test_a_terminal_has_a_language(environment: dict[str, str], language: str) -> None:
    """As gettext reads it; English where it is none of ours."""
    assert of_environment(environment) == language


def test_catalogues_and_templates_are_in_the_wheel(tmp_path: Path) -> None:
    """An image installs the wheel: each compiled catalogue of the worker is in it, and each page."""
    (wheel,) = WheelBuilder(str(texts.ROOT)).build(directory=str(tmp_path), versions=["standard"])
    names = set(ZipFile(wheel).namelist())
    for domain, language in TRANSLATIONS:
        compiled = texts.file(domain, language).with_suffix(".mo").relative_to(texts.ROOT)
        assert compiled.parts[0] == "docs" or str(compiled) in names
    pages = texts.DOMAINS["console"] / "templates"
    assert {str(page.relative_to(texts.ROOT)) for page in pages.iterdir()} <= names
