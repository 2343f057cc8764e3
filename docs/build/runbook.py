"""The runbook in three languages: made from the catalogue of the codes and that of the alerts.

The English one is ``docs/runbook.md``; alerts and pages link to it and to the others beside it.
"""

from __future__ import annotations

import re
import textwrap
from pathlib import Path

from docs.build.alerts import ALERTS
from worker.fiscal.codes import CATALOGUE
from worker.fiscal.languages import LANGUAGES, N_, SOURCE, translated, translations

DOCS = Path(__file__).parents[1]
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
_ALERTS = N_("Alerts")
_ABOUT_ALERTS = N_(
    "Rules: `k8s/alerts/fiscal-worker.rules.yaml`; dashboards: `k8s/dashboards/`; metrics: "
    "[metrics.md](metrics.md). Each alert links to its entry: `runbook_url` to the English one, "
    "`runbook_url_uk` and `runbook_url_ru` to the others. Where you keep a copy of your own, "
    "`FISCAL_RUNBOOK_URL` says so, to the console too; [scaling.md](scaling.md#in-kubernetes) has how it "
    "comes into the alerts."
)
_REASONS = N_("In place of that sentence, by the `reason` or `service` in `detail`:")
_TITLE = N_("Runbook")


def path(language: str) -> Path:
    """Where a language's runbook is."""
    return DOCS / ("runbook.md" if language == SOURCE else f"runbook.{language}.md")


def written(language: str) -> str:
    """A language's runbook."""
    return f"{_beginning(language)}{_codes(language)}\n{_alerts(language)}"


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


def _alerts(language: str) -> str:
    about = _wrapped(_own(_ABOUT_ALERTS, language))
    parts = [f"# {_own(_ALERTS, language)}\n\n{about}\n"]
    for name, alert in ALERTS.items():
        told = ((N_("Means."), alert.means), (N_("Check."), alert.check), (N_("Do."), alert.do))
        lines = [_wrapped(f"**{_own(label, language)}** {_own(text, language)}") for label, text in told]
        kinds = [_wrapped(f"* `{kind}`: {_own(text, language)}.") for kind, text in alert.kinds.items()]
        if kinds:
            lines += ["", *kinds]
        parts.append(f"## {name}\n\n" + "\n".join(lines) + "\n")
    return "\n".join(parts)


def _own(text: str, language: str) -> str:
    return translations(Path(__file__).parent / "locale", "runbook", language).gettext(text)


def _wrapped(text: str) -> str:
    held = re.sub(r"`[^`]*`", lambda command: command[0].replace(" ", _HELD), text)
    lines = textwrap.wrap(held, _WIDTH, break_on_hyphens=False, break_long_words=False)
    return "\n".join(lines).replace(_HELD, " ")
