"""The runbook in three languages: what it says of the codes is made from their catalogue.

The English one is ``docs/runbook.md``, to which alerts and pages link; its part on alerts is written by hand.
"""

from __future__ import annotations

import re
import textwrap
from pathlib import Path

from worker.fiscal.codes import CATALOGUE
from worker.fiscal.languages import LANGUAGES, N_, SOURCE, translated, translations

DOCS = Path(__file__).parents[1]
BEGIN = "<!-- codes: begin (make docs writes them) -->"
END = "<!-- codes: end -->"
_WIDTH = 118
#: Of a blank in a command, where no line may be broken.
_HELD = "\0"

_INTRODUCTION = N_(
    "For the person at night. Each code of a failed event or dead letter: what it means, what to check, "
    "what to do. A replay is always safe: the receipt's id is derived from the order, so a receipt that "
    "exists is found and not made again."
)
_FIRST_LOOK = N_("First look:")
_COMMANDS = """```sh
fiscal-worker dead-letters list --group-by code
fiscal-worker dead-letters show ЗП-723573
fiscal-worker explain ЗП-723573
fiscal-worker doctor
```"""
_ALERTS = N_("The alerts are in the [English runbook](runbook.md#alerts).")
_REASONS = N_("In place of that sentence, by the `reason` or `service` in `detail`:")
_TITLE = N_("Runbook")


def path(language: str) -> Path:
    """Where a language's runbook is."""
    return DOCS / ("runbook.md" if language == SOURCE else f"runbook.{language}.md")


def written(language: str, document: str) -> str:
    """A language's runbook as it is now. Raises ``ValueError`` where the English one has no markers."""
    if language != SOURCE:
        return _beginning(language) + _codes(language) + "\n" + _own(_ALERTS, language) + "\n"
    _, _, rest = document.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not end:
        raise ValueError("the runbook has no markers for the codes")
    return f"{_beginning(language)}{BEGIN}\n\n{_codes(language)}\n{END}{after}"


def _beginning(language: str) -> str:
    others = ", ".join(
        f"[{name}]({path(other).name})"
        for other, name in zip(LANGUAGES, ("Українською", "По-русски", "English"), strict=True)
        if other != language
    )
    introduction = _wrapped(_own(_INTRODUCTION, language))
    first_look = _own(_FIRST_LOOK, language)
    return f"# {_own(_TITLE, language)}\n\n{others}\n\n{introduction}\n\n{first_look}\n\n{_COMMANDS}\n\n"


def _codes(language: str) -> str:
    parts = []
    for code, entry in CATALOGUE.items():
        told = (
            (N_("Means."), f"{translated(entry.title, language)}. {translated(entry.means, language)}"),
            (N_("The user reads."), f"{translated(entry.sentence, language)}."),
            (N_("Check."), translated(entry.check, language)),
            (N_("Do."), translated(entry.do, language)),
        )
        lines = [_wrapped(f"**{_own(label, language)}** {text}") for label, text in told]
        reasons = [f"* `{cause}`: {translated(text, language)}." for cause, text in entry.causes.items()]
        if reasons:
            lines += ["", _own(_REASONS, language), "", *map(_wrapped, reasons)]
        parts.append(f"## {code}\n\n" + "\n".join(lines) + "\n")
    return "\n".join(parts)


def _own(text: str, language: str) -> str:
    return translations(Path(__file__).parent / "locale", "runbook", language).gettext(text)


def _wrapped(text: str) -> str:
    held = re.sub(r"`[^`]*`", lambda command: command[0].replace(" ", _HELD), text)
    lines = textwrap.wrap(held, _WIDTH, break_on_hyphens=False, break_long_words=False)
    return "\n".join(lines).replace(_HELD, " ")
