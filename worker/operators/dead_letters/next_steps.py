"""What a person does next about an order that was not fiscalized."""

from __future__ import annotations

from worker.fiscal.codes import CATALOGUE, UNKNOWN, Entry
from worker.fiscal.languages import SOURCE, translated


def entry(code: str | None) -> Entry | None:
    """What the catalogue has on a dead letter's code; None where it is none of the worker's."""
    return CATALOGUE.get(code or "")


def next_step(code: str | None, language: str = SOURCE) -> str:
    """The advice for a dead letter's code."""
    known = entry(code)
    return translated(known.do if known else UNKNOWN, language)
