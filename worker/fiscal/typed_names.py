"""Names of documents, receipts and requests as people type them: case and spaces do not count."""

from __future__ import annotations


def as_typed(name: object) -> str:
    """What is compared; empty where there is no name."""
    return "" if name is None else "".join(str(name).split()).casefold()


def is_named(text: str, *names: object) -> bool:
    """Whether a person who typed this means one of these names."""
    typed = as_typed(text)
    return bool(typed) and typed in map(as_typed, names)
