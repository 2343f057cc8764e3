"""The gettext catalogues: ``python -m docs.build.texts`` extracts the texts, merges and compiles them.

It names the texts that have no translation yet, and ends with exit code 1 while there are any.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path

from babel import Locale
from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract_from_dir
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

from worker.fiscal.languages import LANGUAGES, SOURCE

ROOT = Path(__file__).parents[2]
#: The catalogues by the folder whose texts they have.
DOMAINS = {
    "fiscal": ROOT / "worker" / "fiscal",
    "checks": ROOT / "worker" / "checks",
    "console": ROOT / "worker" / "console",
    "runbook": ROOT / "docs" / "build",
}
_SINCE = datetime(2026, 11, 26, tzinfo=UTC)
_METHODS = [("**.py", "python"), ("**.html", "jinja2")]
_KEYWORDS = {"N_": None, "_": None, "gettext": None, "ngettext": (1, 2)}


def template(domain: str) -> Catalog:
    """All texts that the code of a folder marks."""
    catalog = Catalog(domain=domain)
    found = extract_from_dir(DOMAINS[domain], _METHODS, keywords=_KEYWORDS, strip_comment_tags=True)
    for name, _, text, _, _ in sorted(found, key=lambda one: (one[0], one[1])):
        catalog.add(text, locations=[(name, 0)])
    return catalog


def file(domain: str, language: str) -> Path:
    """Where a translation is kept."""
    return DOMAINS[domain] / "locale" / language / "LC_MESSAGES" / f"{domain}.po"


def current(domain: str, language: str) -> Catalog:
    """The translation with the texts of now."""
    path = file(domain, language)
    known = read_po(BytesIO(path.read_bytes()), language) if path.exists() else Catalog(language)
    catalog = Catalog(
        language,
        domain,
        header_comment=f"# {DOMAINS[domain].relative_to(ROOT)} in {Locale.parse(language).english_name}.",
        project="fiscal-worker",
        version=domain,
        creation_date=_SINCE,  # the same file from the same texts
        revision_date=_SINCE,
        last_translator="fiscal-worker",
        msgid_bugs_address="fiscal-worker",
        language_team=language,
        fuzzy=False,
    )
    for message in template(domain):
        found = known.get(message.id) if message.id else None
        if message.id:
            catalog.add(message.id, found.string if found else None, message.locations, message.flags)
    return catalog


def untranslated(catalog: Catalog) -> Iterator[Message]:
    """Texts without a word in this language, or that somebody is to look at again."""
    for message in catalog:
        strings = message.string if isinstance(message.string, (list, tuple)) else [message.string]
        if message.id and (message.fuzzy or not all(strings)):
            yield message


def written(catalog: Catalog) -> tuple[bytes, bytes]:
    """A catalogue as text and compiled."""
    text, compiled = BytesIO(), BytesIO()
    write_po(text, catalog, width=100, include_lineno=False)
    write_mo(compiled, catalog)
    return text.getvalue(), compiled.getvalue()


def main() -> int:
    missing = 0
    for domain in DOMAINS:
        for language in set(LANGUAGES) - {SOURCE}:
            catalog = current(domain, language)
            path = file(domain, language)
            path.parent.mkdir(parents=True, exist_ok=True)
            text, compiled = written(catalog)
            path.write_bytes(text)
            path.with_suffix(".mo").write_bytes(compiled)
            for message in untranslated(catalog):
                missing += 1
                sys.stderr.write(f"{path.relative_to(ROOT)}: {message.id}\n")
    return 1 if missing else 0


if __name__ == "__main__":
    sys.exit(main())
