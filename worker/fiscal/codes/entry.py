"""What is written about a code; the texts are English here, and in the catalogues of ``locale`` otherwise."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType


class Remedy(StrEnum):
    """What an operator does with a dead letter in the end."""

    REPLAY = "replay"
    #: Which of both depends on the letter.
    EITHER = "either"
    #: A replay of the same body ends the same way: the order comes again, and the letter goes.
    DISCARD = "discard"
    #: There is no dead letter.
    NONE = "none"


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """``title`` to ``do`` are for operators and the runbook, all else for the person who pressed the button.

    Commands in ``means``, ``check`` and ``do`` stand between backquotes.
    """

    title: str
    means: str
    check: str
    do: str
    remedy: Remedy
    sentence: str
    #: In its place for a return.
    of_return: str | None = None
    #: In its place where a receipt was made.
    with_receipt: str | None = None
    #: Stands before it where a receipt was made; by default it says that no new one is needed.
    made: str | None = None
    #: In its place, by the ``service`` or the ``reason`` in the detail.
    causes: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    #: What helps the reader, in brackets after the sentence: the first whose facts are all known.
    facts: tuple[str, ...] = ()
