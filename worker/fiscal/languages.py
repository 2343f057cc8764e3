"""Texts in the three languages of Bimp's users, from gettext catalogues.

English is in the code, marked by ``N_`` or in templates; Ukrainian and Russian are in the ``locale`` folder
beside it. ``make texts`` extracts and compiles them.
"""

from __future__ import annotations

import gettext
import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path

#: The same text by language.
Sentence = Mapping[str, str]
SOURCE = "en"
LANGUAGES = ("uk", "ru", SOURCE)


def N_(text: str) -> str:  # noqa: N802 - gettext's name for it
    """Mark a text for the catalogues; ``in_each`` and ``translated`` look it up later."""
    return text


@cache
def translations(folder: Path, domain: str, language: str) -> gettext.NullTranslations:
    """The catalogue ``domain`` of a language below ``folder``. Raises ``OSError`` where it is not there."""
    if language == SOURCE:
        return gettext.NullTranslations()
    return gettext.translation(domain, folder, [language])


def of_environment(environment: Mapping[str, str]) -> str:
    """The language that a terminal's variables ask for, in the order of gettext; else English."""
    for variable in ("LANGUAGE", "LC_ALL", "LC_MESSAGES", "LANG"):
        if value := environment.get(variable):
            asked = re.split(r"[:_.@]", value)[0].lower()
            return asked if asked in LANGUAGES else SOURCE
    return SOURCE


@cache
def _of_core(language: str) -> gettext.NullTranslations:
    return translations(Path(__file__).parent / "locale", "fiscal", language)


def translated(text: str, language: str) -> str:
    """A text of the core in a language."""
    return _of_core(language).gettext(text)


def in_each(text: str) -> Sentence:
    """A text of the core in each language."""
    return {language: translated(text, language) for language in LANGUAGES}
